"""The queue alone: enqueue, take and record keys, one row an item and durable, beside Python's queues on SQLite.

keyreg's queue is measured through `queue-bench`, in the two ways that bound it: in groups, as the daemon uses it, and with a
commit for every step of every item, as the others have to.
"""

import os
import shutil

from harness import column, key_list, median, tell

QUEUES = ["huey", "litequeue", "persist-queue"]


def measure(bench, report):
    if not os.path.exists(bench.driver):
        raise FileNotFoundError(f"no {bench.driver}: swift build -c release --product queue-bench")
    many, few = bench.size(200_000, 2_000), bench.size(3_000, 200)
    folder = bench.folder("queue")
    long, short = key_list(folder + "/long", many), key_list(folder + "/short", few)
    sides = {
        "keyreg": lambda: timed(bench, [bench.driver, "--group", "200"], long, many),
        "keyreg, one by one": lambda: timed(bench, [bench.driver, "--group", "1"], short, few),
    }
    for name in QUEUES:
        sides[name] = lambda name=name: timed(bench, [*bench.peers.script("python_queues"), name], short, few)
    samples = bench.in_turn(sides)
    for phase, level in (("whole", ("at_least", 10)), ("enqueue", None), ("work", None)):
        best = max(QUEUES, key=lambda name: median(column(samples[name], phase)))
        what = {"whole": "enqueue, take, record", "enqueue": "enqueue", "work": "take and record"}[phase]
        report.add(f"queue alone: {what}", f"keys/s, {many:,} keys in groups of 200", column(samples["keyreg"], phase),
                   f"{best}, {few:,} keys", column(samples[best], phase), ratio=level)
        report.add(f"queue alone, one by one: {what}", f"keys/s, {few:,} keys", column(samples["keyreg, one by one"], phase),
                   best, column(samples[best], phase))
    for name in QUEUES:
        report.add(f"(queue alone: {name})", f"keys/s, {few:,} keys", column(samples[name], "whole"))
    shutil.rmtree(folder)


def timed(bench, command, source, count):
    folder = bench.folder("queue")
    sample = tell([*command, source, folder])
    shutil.rmtree(folder)
    return {phase: count / seconds for phase, seconds in (sample | {"whole": sample["enqueue"] + sample["work"]}).items()}
