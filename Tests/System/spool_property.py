#!/usr/bin/env python3
"""No key is lost on the way in: a property test of the spool, from outside.

    spool_property.py BINARY [--rounds N] [--seed S] [--lanes N] [--keep] [--patience SECONDS] [--kinds KIND,…]
                      [--writers N,…] [--stops N,…] [--story] [--shrink] [--table]      as root; loopback only

Each round plays a plan that comes from its seed alone: processes of other users write lists into the spool in every way
that is usual and in some that are not, while the daemon, an ordinary user, is killed, frozen and started again. When all
is still, `spool_oracle.py` says whether every byte was read, every receipt is of its list, and every key that was written
is in the queue and was registered once.

The short form, for CI, is the default: 48 rounds in about a minute. Round N has the seed S+N. A failing round prints its
story and the command that plays it again; the same seed gives the same plan, though not the same instants. `--shrink`
looks for the smallest part of a failing plan that still fails, `--table` plays ROUNDS rounds of each kind of writer
without and with kills and says in how many something was lost.
"""

import argparse
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from dataclasses import replace

from spool_place import usable_by_all
from spool_plan import KINDS, plan
from spool_round import Outcome, Round
from spool_oracle import Finding
from support import Place, check, finish

STORY_LINES = 160


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=48)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lanes", type=int, default=4, help="rounds at the same time")
    parser.add_argument(
        "--patience", type=float, default=20, help="seconds without any change after which everything must be right")
    parser.add_argument("--keep", action="store_true", help="leave the folders of failing rounds where they are")
    parser.add_argument("--kinds", type=lambda text: text.split(","), help=", ".join(KINDS))
    parser.add_argument("--writers", type=numbers, help="only these writers of the plan")
    parser.add_argument("--stops", type=numbers, help="only these ends of the daemon; none: -")
    parser.add_argument("--story", action="store_true", help="tell those of rounds that do not fail, too")
    parser.add_argument("--shrink", action="store_true")
    parser.add_argument("--table", action="store_true")
    return parser.parse_args()


def numbers(text):
    return [] if text == "-" else [int(number) for number in text.split(",")]


class Lane:
    """Plays rounds one after the other, with a sandbox of its own."""

    def __init__(self, binary, patience, keep):
        self.binary, self.patience, self.keep = binary, patience, keep
        self.home = Place(binary)
        self.home.sandbox("--limit", "100000/10s")

    def play(self, plan):
        round_ = Round(plan, self.binary, self.home.env["KEYREG_API_URL"], self.home.path("journal"), self.patience)
        if self.keep:
            round_.place.keep_if = lambda: bool(round_.findings)
        try:
            return round_.play()
        except Exception as error:  # noqa: B902: a fault of the check itself fails the round, not the lane
            return Outcome(plan, [*round_.findings, Finding(False, "the round broke down: " + "".join(traceback.format_exception(error)))], round_.story)


def lane(binary, options, jobs, next_job, outcomes):
    own = Lane(binary, options.patience, options.keep)
    with own.home:
        while True:
            with next_job.get_lock():
                number = next_job.value
                next_job.value += 1
            if number >= len(jobs):
                break
            outcomes.put(own.play(jobs[number]))
    outcomes.put(None)


def play_all(binary, options, plans):
    """The outcomes of the plans, as they come."""
    outcomes, next_job = multiprocessing.SimpleQueue(), multiprocessing.Value("i", 0)
    lanes = [
        multiprocessing.Process(target=lane, args=(binary, options, plans, next_job, outcomes), daemon=True)
        for _ in range(min(options.lanes, len(plans)))]
    for process in lanes:
        process.start()
    ended = 0
    while ended < len(lanes):
        outcome = outcomes.get()
        if outcome is None:
            ended += 1
        else:
            yield outcome
    for process in lanes:
        process.join()


def part(plan, options):
    """The plan with only the wanted writers and ends."""
    writers, stops = options.writers, options.stops
    return replace(
        plan,
        writers=plan.writers if writers is None else [plan.writers[number] for number in writers],
        stops=plan.stops if stops is None else [plan.stops[number] for number in stops])


def tell(outcome, options, writers=None, stops=None):
    """The story of a round that failed, and how to play it again."""
    plan = outcome.plan
    print(f"\n---- seed {plan.seed}: " + ", ".join(f"{writer.kind} ({writer.user})" for writer in plan.writers))
    for stop in plan.stops:
        print(f"     {stop.how} {' '.join(str(part) for part in stop.when)}, down for {stop.down} s")
    lines = [(moment, who, text) for moment, who, text in outcome.story if not text.startswith("closes")]
    start = min((moment for moment, who, _ in lines if who.startswith("writer")), default=lines[0][0] if lines else 0)
    left_out = max(0, len(lines) - STORY_LINES)
    for number, (moment, who, text) in enumerate(lines):
        if left_out and number == STORY_LINES // 2:
            print(f"     … {left_out} lines …")
        if not STORY_LINES // 2 <= number < STORY_LINES // 2 + left_out:
            print(f"{(moment - start) * 1000:9.1f} ms  {who}: {text}")
    for finding in outcome.findings[:12]:
        print(("  LOST   " if finding.loss else "  WRONG  ") + finding.text)
    if len(outcome.findings) > 12:
        print(f"  … and {len(outcome.findings) - 12} more findings")
    writers = options.writers if writers is None else writers
    stops = options.stops if stops is None else stops
    print("  again:", replay(plan.seed, options, writers, stops), flush=True)


def replay(seed, options, writers, stops):
    command = f"Tests/System/spool_property.py {options.binary} --seed {seed} --rounds 1"
    if options.kinds:
        command += " --kinds " + ",".join(options.kinds)
    if writers is not None:
        command += " --writers " + ",".join(map(str, writers))
    if stops is not None:
        command += " --stops " + (",".join(map(str, stops)) or "-")
    return command


def shrink(binary, options, outcome):
    """Leaves out one writer or end of the daemon after the other while the round still fails in one of four tries."""
    whole, smallest = outcome.plan, outcome
    writers, stops = list(range(len(whole.writers))), list(range(len(whole.stops)))
    own = Lane(binary, min(options.patience, 8), False)
    with own.home:
        for kept in (stops, writers):
            for number in list(kept):
                if kept is writers and len(writers) == 1:
                    break
                kept.remove(number)
                plan = replace(
                    whole, writers=[whole.writers[n] for n in writers], stops=[whole.stops[n] for n in stops])
                for _ in range(4):
                    again = own.play(plan)
                    if again.findings and again.loses == outcome.loses:
                        smallest = again
                        break
                else:
                    kept.append(number)
                    kept.sort()
    tell(smallest, options, writers, stops)


def property_test(binary, options):
    plans = [part(plan(options.seed + number, options.kinds), options) for number in range(options.rounds)]
    begun, failing = time.monotonic(), []
    for number, outcome in enumerate(play_all(binary, options, plans), 1):
        if outcome.findings:
            failing.append(outcome)
        if outcome.findings or options.story:
            tell(outcome, options)
        if number % 100 == 0:
            print(f"      {number} rounds in {time.monotonic() - begun:.0f} s, {len(failing)} failed", flush=True)
    if options.shrink:
        for outcome in failing:
            shrink(binary, options, outcome)
    print(f"      {options.rounds} rounds in {time.monotonic() - begun:.0f} s")
    seeds = sorted(outcome.plan.seed for outcome in failing)
    check("no key, byte or file is lost, whoever writes and whenever the daemon dies", not seeds, f"seeds {seeds}")


def table(binary, options):
    """How often each kind of writer loses something."""
    print(f"{'kind of writer':24} {'lost':>8} {'lost, kills':>12} {'wrong only':>11}")
    for kind in options.kinds or KINDS:
        counts, wrong = [], 0
        for stops in (0, 2):
            plans = [plan(options.seed + number, [kind], stops) for number in range(options.rounds)]
            outcomes = list(play_all(binary, options, plans))
            counts.append(sum(outcome.loses for outcome in outcomes))
            wrong += sum(bool(outcome.findings) and not outcome.loses for outcome in outcomes)
        shares = [f"{count}/{options.rounds}" for count in counts]
        print(f"{kind:24} {shares[0]:>8} {shares[1]:>12} {wrong:>11}", flush=True)


def main():
    chosen = options()
    folder = tempfile.mkdtemp(prefix="keyreg-check.", dir="/tmp")
    try:
        binary = usable_by_all(os.path.realpath(chosen.binary), folder)
        if chosen.table:
            return table(binary, chosen)
        property_test(binary, chosen)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    finish()


if os.geteuid() != 0:
    sys.exit("spool_property.py: must be root, to write and to run the daemon as different users")
# What was started is ended and cleared away then too; the lanes inherit this.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
main()
