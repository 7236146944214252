#!/usr/bin/env python3
"""keyreg beside what people would use instead: one command measures each pair in turn, A B A B, and states ratios.

    Tests/Benchmarks/run.py [--only NAME…] [--rounds 5] [--quick | --full] [--soak [MINUTES]] [--binary PATH] [--out FOLDER]

Builds keyreg for release first, unless --binary names one that was built before. Prints a table, and writes `benchmarks.json` and a picture (SVG) of each curve into FOLDER (.build/benchmarks). Missing peers are
installed: Debian's as root, PyPI's in a folder of their own that goes with the run. Everything stays on the loopback interface.

This is no test: the exit code is 0 whatever the figures are, and 1 only when a measure could not be taken. The usual sizes take
about an hour on 2 cores, --quick (which shows only that everything runs) a minute, --full several hours: it goes to ten million keys.
"""

import argparse
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

import peers
from harness import Bench
from report import Report

# In this order. Each module has `measure(bench, report)`; those marked are taken only when they are asked for.
MEASURES = {
    "end-to-end": "end_to_end", "imports": "imports", "queue": "queue_alone", "growth": "growth", "workers": "workers",
    "lists": "many_lists", "idle": "idle", "soak": "soak", "builds": "builds",
}
ON_REQUEST = {"soak", "builds"}
ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", nargs="+", choices=MEASURES, metavar="NAME", help=", ".join(MEASURES))
    parser.add_argument("--rounds", type=int, default=5, help="runs of each side of a pair (5)")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="tiny sizes and one round: do the scripts work?")
    size.add_argument("--full", action="store_true", help="up to ten million keys, and the builds")
    parser.add_argument("--soak", type=float, nargs="?", const=30, metavar="MINUTES", help="the soak, too (30 minutes)")
    parser.add_argument("--binary", help="keyreg, built for release; by default it is built")
    parser.add_argument("--queue-bench", help="the driver of the queue alone (beside the binary)")
    parser.add_argument("--out", default=os.path.join(ROOT, ".build/benchmarks"), metavar="FOLDER")
    parser.add_argument("--scratch", default="/var/tmp", metavar="FOLDER", help="where the work is done: a real disk")
    return parser.parse_args()


def chosen(options):
    if options.only:
        return options.only
    skipped = set(ON_REQUEST)
    if options.soak is not None:
        skipped.discard("soak")
    if options.full:
        skipped.discard("builds")
    return [name for name in MEASURES if name not in skipped]


def built(names):
    """The path of keyreg after a release build, with the driver of the queue beside it if that is measured."""
    for product in ["keyreg"] + ["queue-bench"] * ("queue" in names):
        subprocess.run(["swift", "build", "-c", "release", "--product", product], cwd=ROOT, check=True)
    return os.path.join(ROOT, ".build/release/keyreg")


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # So that whatever was started is ended.
    names = chosen(options)
    load = os.getloadavg()[0]  # Before the build.
    if load > 1:
        print(f"The machine is busy (load {load:.1f}): the figures will not be true.", flush=True)
    options.binary = options.binary or built(names)
    if not os.path.exists(options.binary):
        sys.exit(f"no {options.binary}")
    scratch = tempfile.mkdtemp(prefix="keyreg-bench.", dir=options.scratch)
    try:
        # A copy, so that a build meanwhile does not change what is measured.
        binary = shutil.copy2(options.binary, os.path.join(scratch, "keyreg"))
        driver = options.queue_bench or os.path.join(os.path.dirname(options.binary), "queue-bench")
        bench = Bench(binary, driver, scratch, ROOT, options)
        report = Report(options.out)
        tools = peers.Peers(bench, names)
        bench.peers = tools
        report.facts = bench.facts(load) | {"versions": tools.versions(), "measures": names}
        for name in names:
            print(f"\n== {name}", flush=True)
            try:
                importlib.import_module(MEASURES[name]).measure(bench, report)
            except Exception:  # One measure that cannot be taken does not cost the others.
                traceback.print_exc()
                report.missing.append(name)
            report.write()
        print()
        print(report.table())
        if options.quick:
            print("\nThese sizes are too small for the levels to mean anything.")
        print(f"\n{os.path.join(options.out, 'benchmarks.json')}")
        if report.missing:
            sys.exit("not measured: " + ", ".join(report.missing))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
