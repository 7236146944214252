#!/usr/bin/env python3
"""Plants the faults of faults.py into a copy of the tree, one at a time, and says which test kills each. Run by hand.

    mutants.py [--list] [--only NAME]... [--keep-going] [--simulate] [--tree DIR]

The copy is a git worktree of HEAD in a temporary folder, whose first build takes some minutes. `--tree DIR` is another
worktree, built already; it is left as it was found. After that each fault costs an incremental build and its tests.
`--simulate` plants those of the core and the rate limit, and says how many seconds the simulation takes to find each.

Ends with 1 when a fault survives or does not build, and with 2 when the text of one is not in its file exactly once, or its
tests fail without it.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

from faults import FAULTS

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Seconds. Tests that do not end in theirs have seen the fault.
LONGEST = {"build": 1_200, "test": 240, "simulation": 600}
SIMULATED = ("Sources/RegistrationCore/", "Sources/RateLimit/Gate.swift", "Sources/RateLimit/Pacer.swift")
FOUND = re.compile(r"^seed (\d+) fails after (\S+) s\n([^:\n]+)", re.MULTILINE)
FAILED_TEST = re.compile(
    r"Test (\S+?)\(.*?(?:recorded an issue|failed after)|^FAIL +([^:\n]+)|Fatal error: (.+)$", re.MULTILINE)


def end(process):
    """Ends what a command has started, too: all that is in its session."""
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.getsid(int(entry)) == process.pid:
                os.kill(int(entry), signal.SIGKILL)
        except ProcessLookupError:
            pass


def run(command, folder, longest):
    """The exit code, None when the time is over, and what was printed."""
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        start_new_session=True)
    try:
        output, _ = process.communicate(timeout=longest)
        return process.returncode, output
    except subprocess.TimeoutExpired:
        end(process)
        return None, process.communicate()[0]
    except BaseException:
        end(process)
        raise


def read(tree, file):
    with open(os.path.join(tree, file)) as stream:
        return stream.read()


def write(tree, file, text):
    with open(os.path.join(tree, file), "w") as stream:
        stream.write(text)


def misplaced(fault, tree):
    """Why the fault cannot be planted."""
    for file, old, _ in fault.edits:
        count = read(tree, file).count(old) if os.path.exists(os.path.join(tree, file)) else 0
        if count != 1:
            return f"{file} has {count} times: {old}"
    return None


def is_check(test):
    return test.startswith("Tests/System/")


def run_test(test, tree, longest):
    """The exit code, None when the time is over, and what was printed."""
    if not is_check(test):
        return run(["swift", "test", "--skip-build", "--filter", test], tree, longest)
    _, folder = run(["swift", "build", "--show-bin-path"], tree, LONGEST["build"])
    return run([os.path.join(tree, test), os.path.join(folder.strip(), "keyreg")], tree, longest)


def build(tree):
    """Why the tree does not build; None when it does."""
    code, output = run(["swift", "build", "--build-tests"], tree, LONGEST["build"])
    errors = [line for line in output.splitlines() if "error:" in line]
    return None if code == 0 else (errors or output.strip().splitlines() or ["no word"])[0]


def trouble(faults, tree):
    """Why the faults cannot be tried: what should see them fails without them, or is not there."""
    if error := build(tree):
        return "the tree does not build: " + error
    tests = {fault.test for fault in faults}
    checks = {test for test in tests if is_check(test)}
    for test in [*checks, *(["|".join(tests - checks)] if tests - checks else [])]:
        code, output = run_test(test, tree, LONGEST["build"])
        if code != 0:
            failed = FAILED_TEST.search(output)
            return f"without a fault: {failed.group(0) if failed else output[-500:]}"
    missing = [test for test in tests - checks if not re.search(rf"(Test|Suite) {test}\b", output)]
    return "there is no test " + ", ".join(missing) if missing else None


def simulation_of(_, tree):
    """What the simulation says of the fault, and whether that is what is wanted."""
    command = ["swift", "build", "-c", "release", "--product", "simulate"]
    if run(command, tree, LONGEST["build"])[0] != 0:
        return "did not build", False
    _, folder = run([*command[:4], "--show-bin-path"], tree, LONGEST["build"])
    simulate = [os.path.join(folder.strip(), "simulate"), "--seeds", "1...1000000", "--failures", "1", "--quick"]
    code, output = run(simulate, tree, LONGEST["simulation"])
    if code is None:
        return f"not found within {LONGEST['simulation']} s", False
    found = FOUND.search(output)
    if not found:
        return f"not found, the simulation ended with {code}: " + (output.strip().splitlines() or ["no word"])[-1], False
    seed, seconds, promise = found.groups()
    return f"found after {float(seconds):.2f} s, seed {seed}: {promise}", True


def verdict_on(fault, tree):
    """What the tests say of the fault, and whether that is what is wanted."""
    if error := build(tree):
        return "did not build: " + error, False
    code, output = run_test(fault.test, tree, LONGEST["test"])
    failed = FAILED_TEST.search(output)
    if code == 0:
        return "SURVIVED", False
    if failed:
        return "killed by " + next(name for name in failed.groups() if name), True
    if code is None:
        return f"killed: no end within {LONGEST['test']} s", True
    return "killed: " + (output.strip().splitlines() or ["no word"])[-1], True


def attempt(fault, tree, judge):
    originals = {file: read(tree, file) for file, _, _ in fault.edits}
    try:
        for file, old, new in fault.edits:
            write(tree, file, read(tree, file).replace(old, new))
        return judge(fault, tree)
    finally:
        for file, text in originals.items():
            write(tree, file, text)


def try_all(faults, tree, judge, keep_going):
    if judge is verdict_on and (reason := trouble(faults, tree)):
        print(reason, file=sys.stderr)
        return 2
    bad = 0
    for fault in faults:
        began = time.monotonic()
        verdict, fine = attempt(fault, tree, judge)
        print(f"{fault.name:<32} {time.monotonic() - began:4.0f} s  {verdict}", flush=True)
        bad += not fine
        if bad and not keep_going:
            break
    return 1 if bad else 0


def main():
    # So that the tree is put right again.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="print the faults and end")
    parser.add_argument("--only", action="append", metavar="NAME", help="this fault; may be repeated")
    parser.add_argument("--keep-going", action="store_true", help="go on after a fault that survives")
    parser.add_argument("--simulate", action="store_true", help="let the simulation find those of the core")
    parser.add_argument("--tree", metavar="DIR", help="a worktree that is built already")
    options = parser.parse_args()

    unknown = set(options.only or []) - {fault.name for fault in FAULTS}
    if unknown:
        parser.error("no fault is called " + ", ".join(sorted(unknown)))
    faults = [fault for fault in FAULTS if not options.only or fault.name in options.only]
    if options.simulate:
        faults = [fault for fault in faults if all(edit[0].startswith(SIMULATED) for edit in fault.edits)]
    judge = simulation_of if options.simulate else verdict_on
    reasons = [(fault, misplaced(fault, options.tree or ROOT)) for fault in faults]
    for fault, reason in reasons:
        if options.list:
            print(f"{fault.name:<32} {fault.breaks}")
        if reason:
            print(f"{fault.name}: {reason}", file=sys.stderr)
    if any(reason for _, reason in reasons):
        return 2
    if options.list:
        return 0
    if options.tree:
        return try_all(faults, options.tree, judge, options.keep_going)
    with tempfile.TemporaryDirectory(prefix="keyreg-mutants.") as folder:
        tree = os.path.join(folder, "tree")
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", tree, "HEAD"], cwd=ROOT, check=True)
        try:
            return try_all(faults, tree, judge, options.keep_going)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", tree], cwd=ROOT, check=True)


if __name__ == "__main__":
    sys.exit(main())
