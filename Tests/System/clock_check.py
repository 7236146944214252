#!/usr/bin/env python3
"""Clocks that jump must not harm the daemon: a wall clock that is set by a day or by 40 days, forward and back, also at a window's
edge, and a machine that is suspended, so that time passes that no timer counts. Nothing that should stay is swept, nothing waits
for ever or is due at once, and times stay in order.
Usage: clock_check.py KEYREG. Needs a C compiler (cc, or Swift's clang); only the programs of the check see the other clocks.
With CLOCKS_AS_ONE=1 in the environment they see time since the boot follow the wall clock, and the check fails."""

import os
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial

from support import Place, check, finish, interrupt, keys, wait_for

HOUR = 3_600
DAY = 86_400
# Seconds within which the daemon notices a time jump, even on a busy machine.
SOON = 30


class Clocks(Place):
    """A place whose daemon has clocks that can be set. The sandbox has its machine's, unless it `serves_same_time`."""

    def __init__(self, binary, *limit, serves_same_time=False):
        super().__init__(binary)
        self.wall = self.suspended = 0
        self.preload("wall_clock.c", "wall_clock.so")
        self.env["CLOCKS"] = self.path("clocks")
        if "CLOCKS_AS_ONE" in os.environ:
            self.env["CLOCKS_AS_ONE"] = "1"
        self.set()
        self.sandbox("--limit", *limit, env=self.env if serves_same_time else None)

    def set(self, wall=None, asleep=0):
        """Sets the wall clock, in seconds ahead of the machine's. `asleep`: seconds that pass while nothing runs."""
        self.wall = (self.wall if wall is None else wall) + asleep
        self.suspended += asleep
        with open(self.path("clocks.new"), "w") as file:
            file.write(f"{int(self.wall)} {int(self.suspended)}")
        os.rename(self.path("clocks.new"), self.path("clocks"))

    def kept(self):
        return {*os.listdir(self.path("spool/done")), *os.listdir(self.path("spool/results"))}

    def work_off(self, name, count=1):
        """Drops a list and waits for its results."""
        self.drop(name, "\n".join(keys(count)) + "\n")
        return wait_for(lambda: os.path.exists(self.path(f"spool/results/{name}.csv")))

    def sent(self):
        """Times and states of all requests, by the sandbox's clock."""
        return [(datetime.fromisoformat(line["time"]).timestamp(), line["status"]) for line in self.journal()]

    def requests(self):
        return len(self.journal()) if os.path.exists(self.path("journal")) else 0

    def judge_pace(self, what, limit, seconds, done):
        """Checks that there was no stall or stampede."""
        sent = self.sent()
        times = [at for at, _ in sent]
        gap = max((b - a for a, b in zip(times, times[1:])), default=0)
        refused = Counter(status for _, status in sent)[429]
        print(f"      {what}: {len(sent)} requests, {refused} refused, longest gap {gap:.1f} s", flush=True)
        check(f"{what}: nothing stalls", done and gap < seconds + SOON, (done, gap))
        # A busy machine misses the edge of a window now and then.
        check(f"{what}: nobody stampedes", refused <= limit, refused)

    def judge_rows(self, what, name, count):
        rows = self.results(name) if os.path.exists(self.path(f"spool/results/{name}.csv")) else []
        backward = [row for row in rows if row[4] > row[5]]
        check(f"{what}: every key is finished after its first attempt", len(rows) == count and not backward, backward[:3])


def leap_at_a_start(binary):
    with Clocks(binary, "100000/10s") as place:
        place.drop("a", "\n".join(keys(50)) + "\n")
        check("a list is worked off", place.until_done(60) == 0)
        before = place.kept()
        for days in (40, -40, 400):
            place.set(days * DAY)
            daemon = place.daemon()
            wait_for(place.status)
            # The sweep runs at the start; once a later list is done, it is over.
            place.work_off(f"b{days}")
            interrupt(daemon)
            check(f"nothing is swept with the clock off by {days} days", before <= place.kept(), place.kept())


def set_in_the_middle(binary):
    jumps = (DAY, 0, 40 * DAY, 0, -DAY, -40 * DAY, -HOUR)
    with Clocks(binary, "40/2s", "--faults", "500:20%,seed=4") as place:
        place.config("retry:\n  first_delay: 200ms\n  max_delay: 1s\n  max_attempts: 30\n")
        place.drop("a", "\n".join(keys(150)) + "\n")
        daemon = place.daemon()
        for seconds in jumps:
            before = place.requests()
            wait_for(lambda: place.requests() > before + 18, 20, 0.02)
            place.set(seconds)
        check("the log says that the clock was set", wait_for(lambda: "the wall clock was changed" in place.log(), SOON))
        done = wait_for(lambda: (s := place.status()) and s["keys"]["registered"] == 150 and s["state"] == "idle", 90)
        check("the work ends whatever the clock is set to", done and interrupt(daemon) == 0, place.status())
        place.judge_pace("set in the middle", 40, 2, done)
        place.judge_rows("set in the middle", "a", 150)


def set_at_an_edge(binary):
    """The window's budget is spent, and the clock is set just before or after the server begins the next one."""
    steps = (30, -30, 0, HOUR, -HOUR)
    with Clocks(binary, "20/2s") as place:
        place.drop("a", "\n".join(keys(20 * (len(steps) + 2))) + "\n")
        daemon = place.daemon("--until-done")
        for number, seconds in enumerate(steps):
            spent = 20 * (number + 1)
            wait_for(lambda: place.requests() >= spent - 1, 20, 0.01)
            before = number % 2 == 0
            if before:
                # The next window is a moment away.
                wait_for(lambda: (limit := (place.status() or {}).get("rate_limit")) and limit["limit"]
                         and limit["resets_in_seconds"] <= 1 and 0 < limit["waiting_seconds"] <= 0.2, 3, 0.01)
            else:
                wait_for(lambda: place.requests() > spent, 20, 0.005)
            place.set(seconds)
        code = ended(daemon)
        check("the work ends with a clock that is set at an edge", code == 0, code)
        place.judge_pace("set at an edge", 20, 2, code == 0)
        place.judge_rows("set at an edge", "a", 20 * (len(steps) + 2))


def suspended(binary):
    """The daemon waits for the next window, or for a retry, while its machine sleeps through it. The server does not sleep."""
    with Clocks(binary, "20/10m", "--faults", "500:20%,seed=4", serves_same_time=True) as place:
        place.config("retry:\n  first_delay: 4m\n  max_delay: 5m\n  max_attempts: 30\n")
        place.drop("a", "\n".join(keys(50)) + "\n")
        daemon = place.daemon()
        wait_for(place.requests)
        waits = []
        for _ in range(20):
            state = wait_for(lambda: (s := place.status()) and s["state"] in ("waiting", "idle") and s["state"], 30, 0.02)
            if state != "waiting":
                break
            before, begun = place.requests(), time.monotonic()
            place.set(asleep=601)
            wait_for(lambda: place.requests() > before or place.status()["state"] == "idle", 2 * SOON, 0.02)
            waits.append(time.monotonic() - begun)
        refused = Counter(line["status"] for line in place.journal())[429]
        print(f"      suspended {len(waits)} times: resumed after {max(waits, default=0):.1f} s at most; {refused} refused", flush=True)
        check("after a suspension work goes on soon", len(waits) > 1 and max(waits) < SOON, waits)
        check("… and no faster than the limit allows", refused == 0, refused)
        check("… until all is done", state == "idle" and interrupt(daemon) == 0)
        place.judge_rows("suspended", "a", 50)


def suspended_and_set(binary, days):
    """The sweep uses the time that has passed, not the wall clock."""
    with Clocks(binary, "10/100m") as place:
        daemon = place.daemon()
        place.work_off("a", 5)
        before = place.kept()
        # Keys that wait for the limit: the daemon does not rest.
        place.drop("z", "\n".join(keys(50)) + "\n")
        # Removed when it is a day old, and last: then the sweep is over.
        left = place.path("spool/results/.keyreg-1-left.tmp")
        with open(left, "w"):
            pass
        place.set(days * DAY)
        place.set(asleep=2 * DAY)
        check("the spool is swept after a suspension", wait_for(lambda: not os.path.exists(left), SOON))
        check(f"… and loses nothing with a clock off by {days} days", before <= place.kept(), place.kept())
        place.set(asleep=31 * DAY)
        check("what has really been kept for 30 days goes", wait_for(lambda: not before & place.kept(), SOON), place.kept())
        check("… and the daemon works", interrupt(daemon) == 0)


def ended(daemon):
    try:
        return daemon.wait(90)
    except subprocess.TimeoutExpired:
        return None


def main():
    cases = [leap_at_a_start, set_in_the_middle, set_at_an_edge, suspended]
    cases += [partial(suspended_and_set, days=days) for days in (40, -40)]
    # They wait most of the time.
    with ThreadPoolExecutor(len(cases)) as pool:
        for case in [pool.submit(case, sys.argv[1]) for case in cases]:
            case.result()
    finish()


main()
