#!/usr/bin/env python3
"""The Nth operation fails: open, read, write, fsync, rename, mkdir, unlink, stat, a lock, memory …, with each error that may come,
for N = 1, 2, 3 … until a run passes untouched.

    nth_check.py BINARY sample [COUNT [SEED]]     COUNT (16) cases and some without memory, drawn by SEED (printed)
    nth_check.py BINARY each [KIND[:STEP] …] [SCENARIO …]     every N (or every STEP-th), the errors in turn, once and lasting in turn
    nth_check.py BINARY all [KIND[:STEP] …] [SCENARIO …]      … with every error, once and lasting
    nth_check.py BINARY case SCENARIO KIND ERROR N [lasts] [LIBRARY]     one case, with its journal

A case is a small run under one fault: one list is there at the start, one is dropped, one is posted, one is of no use, one grows. Or it
is a client that puts a list into the spool.
The daemon goes on by itself, at the latest when the cause is gone, or it ends with a clear error and the next start finishes. Lists
as written, the sandbox's journal, queue and files then agree; nothing recorded is sent again; and a fault is logged once, not
once a second. Needs a C compiler (cc, or Swift's clang).
"""

import os
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import faults
from faults import ERRORS, NONE, PASSING, Fault
from nth_run import SCENARIOS, Run
from support import Place, check, finish

BINARY = os.path.realpath(sys.argv[1])
# Cases at the same time: they mostly wait.
AT_ONCE = 4
MEMORY = ["", "libsqlite3", "libcurl"]


class Hub(Place):
    """What the cases share: a sandbox, its journal, and the compiled library."""

    def __init__(self):
        super().__init__(BINARY)
        self.sandbox("--limit", "1000000/10s")
        self.preload("fault.c", faults.LIBRARY)
        self.counted = {}
        self.lock = threading.Lock()
        self.cases = self.struck = self.ended = self.worst = 0
        self.findings = []

    def run(self, scenario, fault, is_shown=False):
        """Whether the fault happened."""
        with Run(self, scenario, fault) as run:
            run.go()
        with self.lock:
            self.cases += 1
            self.struck += run.has_struck
            self.ended += run.has_ended
            self.worst = max(self.worst, run.repeated)
            if run.findings:
                text = f"{scenario}: {fault} ({run.first}): {'; '.join(run.findings)}"
                self.findings.append(text)
                print(f"      {text}", flush=True)
        if is_shown:
            print(run.text)
        return run.has_struck

    def calls(self, scenario, library=""):
        """How often each kind is called in a run without a fault."""
        if (scenario, library) not in self.counted:
            fault = Fault("memory", "", 1 << 60, library=library) if library is not None else NONE
            with Run(self, scenario, fault) as run:
                run.go()
            assert not run.findings, run.findings
            self.counted[scenario, library] = run.calls
        return self.counted[scenario, library]

    def through(self, scenario, kind, every):
        """N = 1, 2, 3 … for one kind, until a run passes untouched; or with `lock:8` every eighth."""
        kind, _, step = kind.partition(":")
        errors = ERRORS[kind].split()
        step = int(step or 1)
        number, turn = 1 - step, -1
        while True:
            number, turn = number + step, turn + 1
            turns = [(error, lasts) for error in errors for lasts in (False, True) if not (lasts and error in PASSING)]
            if not every:
                turns = [turns[turn % len(turns)]]
            if not any([self.run(scenario, Fault(kind, error, number, lasts)) for error, lasts in turns]):
                return scenario, kind, number - 1, turn

    def tell(self):
        print(f"      {self.cases} cases, {self.struck} with the fault, {self.ended} in which the daemon ended by itself, "
              f"a line of the log came {self.worst} times at most")
        check("nothing is lost whatever fails, and work goes on", not self.findings, f"{len(self.findings)} cases")


def memory_faults(hub, scenario, count, draw, libraries=MEMORY):
    """Some of the allocations of the whole program, of SQLite and of libcurl."""
    for library in libraries:
        calls = hub.calls(scenario, library)["memory"]
        if not calls:
            continue
        for _ in range(count):
            number = draw.randrange(1, calls + 1)
            for lasts in (False, True) if library else (False,):
                yield Fault("memory", "ENOMEM", number, lasts, library)


def sample(hub, count, seed):
    print(f"      seed {seed}", flush=True)
    draw = random.Random(seed)
    cases = []
    for scenario in SCENARIOS:
        calls = hub.calls(scenario)
        kinds = [kind for kind in ERRORS if kind != "memory" and calls.get(kind)]
        for _ in range(count // len(SCENARIOS)):
            kind = draw.choice(kinds)
            error = draw.choice(ERRORS[kind].split())
            lasts = error not in PASSING and draw.random() < 0.3
            cases.append((scenario, Fault(kind, error, draw.randrange(1, calls[kind] + 1), lasts)))
        cases += [(scenario, fault) for fault in memory_faults(hub, scenario, 1, draw, [draw.choice(MEMORY)])]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda case: hub.run(*case), cases))
    check("most faults happen", hub.struck * 10 >= hub.cases * 6, (hub.struck, hub.cases))


def through(hub, chosen, every):
    scenarios = [name for name in SCENARIOS if name in chosen] or SCENARIOS
    kinds = [name for name in chosen if name not in SCENARIOS] or ERRORS
    with ThreadPoolExecutor(AT_ONCE) as pool:
        jobs = [pool.submit(hub.through, scenario, kind, every)
                for kind in kinds if kind != "memory" for scenario in scenarios]
        for job in jobs:
            scenario, kind, count, tried = job.result()
            if tried:
                print(f"      {scenario}: {kind}: about {count} calls, {tried} of them tried, until a run passed untouched", flush=True)
        if "memory" in kinds:
            draw = random.Random(1)
            cases = [(scenario, fault) for scenario in scenarios for fault in memory_faults(hub, scenario, 10, draw)]
            list(pool.map(lambda case: hub.run(*case), cases))


def main(how="sample", *rest):
    begun = time.monotonic()
    with Hub() as hub:
        if how == "sample":
            sample(hub, int(rest[0]) if rest else 16, int(rest[1]) if len(rest) > 1 else random.randrange(1 << 32))
        elif how == "case":
            library = next((word for word in rest[4:] if word != "lasts"), "")
            hub.run(rest[0], Fault(rest[1], rest[2], int(rest[3]), "lasts" in rest, library), is_shown=True)
        else:
            through(hub, rest, every=how == "all")
        hub.tell()
    print(f"      {time.monotonic() - begun:.0f} s")
    finish()


main(*sys.argv[2:])
