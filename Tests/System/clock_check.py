#!/usr/bin/env python3
"""What a wall clock that is set does to the daemon: nothing is swept, nothing waits for ever or comes at once, and times
are in order. Usage: clock_check.py KEYREG. Needs a C compiler (cc, or Swift's clang); nothing outside of the daemons' own processes is set."""

import os
import shutil
import subprocess
import sys

from support import Place, check, finish, interrupt, keys, wait_for

DAY = 86_400
here = os.path.dirname(os.path.abspath(__file__))


def settable(place):
    library = place.path("wall_clock.so")
    compiler = shutil.which("cc") or "clang"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, os.path.join(here, "wall_clock.c"), "-ldl"], check=True)
    place.env["LD_PRELOAD"] = library
    place.env["WALL_CLOCK"] = place.path("offset")
    set_clock(place, 0)


def set_clock(place, seconds):
    with open(place.path("offset.new"), "w") as file:
        file.write(str(int(seconds)))
    os.rename(place.path("offset.new"), place.path("offset"))


def kept(place):
    return sorted(os.listdir(place.path("spool/done"))) + sorted(os.listdir(place.path("spool/results")))


def leap_at_a_start(binary):
    with Place(binary) as place:
        place.sandbox("--listen", "127.0.0.1:0", "--limit", "100000/10s")
        settable(place)
        place.drop("a", "\n".join(keys(50)) + "\n")
        check("a list is worked off", place.until_done(60) == 0)
        before = kept(place)
        for days in (40, -40, 400):
            set_clock(place, days * DAY)
            daemon = place.daemon()
            wait_for(lambda: place.status())
            # The sweep is made at the start; a list that comes after it and is done shows that it is over.
            place.drop(f"b{days}", keys(1)[0] + "\n")
            wait_for(lambda: os.path.exists(place.path(f"spool/results/b{days}.csv")))
            interrupt(daemon)
            check(f"nothing is swept with the clock off by {days} days", set(before) <= set(kept(place)), kept(place))


def set_in_the_middle(binary):
    with Place(binary) as place:
        place.sandbox("--listen", "127.0.0.1:0", "--limit", "30/1s", "--faults", "500:30%,seed=4")
        settable(place)
        place.config("retry:\n  first_delay: 200ms\n  max_delay: 1s\n  max_attempts: 20\n")
        place.drop("a", "\n".join(keys(150)) + "\n")
        daemon = place.daemon("--until-done")
        for seconds in (-DAY, 40 * DAY, -3_600):
            sent = (place.status() or {"requests": {"sent": 0}})["requests"]["sent"]
            wait_for(lambda: (place.status() or {"requests": {"sent": 0}})["requests"]["sent"] > sent + 20, 20)
            set_clock(place, seconds)
        try:
            code = daemon.wait(60)
        except subprocess.TimeoutExpired:
            code = None
        check("the work ends whatever the clock is set to", code == 0, code)
        rows = place.results("a") if code == 0 else []
        backward = [row for row in rows if row[4] > row[5]]
        check("every key is finished after its first attempt", len(rows) == 150 and not backward, backward[:3])
        check("that the clock was set is told", "the wall clock was set" in place.log())


def main():
    leap_at_a_start(sys.argv[1])
    set_in_the_middle(sys.argv[1])
    finish()


main()
