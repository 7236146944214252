#!/usr/bin/env python3
"""Power cuts: whatever a disk may have left of any moment, nothing that was promised is lost.

    power_check.py BINARY [EVERY [STARTS [CUTS [SEED]]]]

A daemon, `submit` and other writers run with a library that records their calls on the files of the spool and of the state
directory, and what they tell others (power_record.c). From the recording power_disk.py builds what the disk may have after
a call. Each such state is judged as it lies on the disk: the database by SQLite, lists, receipts and results by what was
promised before the cut (power_oracle.py).

First a short run that takes a list every way that it can go, cut after every EVERYth call (16; 1 for all): with nothing
kept of what was not synced, everything, each change alone, all but each one, renames half done, and the last write torn
or only its size. Then CUTS (0) cuts at random, in longer runs with larger lists and daemons that are killed. On about
STARTS (10) of the states a real daemon is started: it must finish the work, and send nothing again that has its outcome.
SEED (printed) chooses.

The check must be able to fail: syncs are left out of the recording, one kind after the other, and the loss must be found.
"""

import collections
import concurrent.futures
import os
import queue
import random
import re
import shutil
import sys
import tempfile
import time

import power_disk
from oracle import JournalReader
from power_oracle import Oracle, Promises
from power_runs import long_run, short_run
from support import Place, check, finish

BINARY = os.path.realpath(sys.argv[1])
EVERY, STARTS, CUTS, SEED = (int(sys.argv[n]) if len(sys.argv) > n else other for n, other in (
    (2, 16), (3, 10), (4, 0), (5, random.randrange(1 << 32))))
# Random cuts of one recording.
CUTS_OF_A_RUN = 2_000


def every_cut(disk):
    """Each extreme of what may be left, as (words, what is kept)."""
    changes, whole = disk.changes, disk.everything()
    yield "nothing that was not synced", {}
    if not changes:
        return
    yield "everything", whole
    for change in changes if len(changes) > 1 else ():
        yield "one change alone", {change: True}
        yield "all but one change", {other: True for other in changes if other is not change}
    for change in changes:
        if change.is_rename:
            yield "a rename half done", {**whole, change: "come"}
            yield "a rename half done, alone", {change: "come"}
    last = changes[-1]
    if last.size:
        yield "of the last write only the size", {**whole, last: "zeros"}
    if tears := last.sectors():
        middle = tears[len(tears) // 2]
        yield "the last write torn, its beginning", {**whole, last: ((0, middle),)}
        yield "the last write torn, its end", {**whole, last: ((middle, last.size),)}


def extremes(disk):
    """A few, for planted faults: the oldest and the newest changes matter most."""
    whole = disk.everything()
    yield "nothing that was not synced", {}
    small = [change for change in disk.changes if not change.size]
    for change in small if len(small) < 8 else small[:4] + small[-4:]:
        yield "all but one change", {other: True for other in whole if other is not change}
        yield "one change alone", {change: True}


def random_cut(disk, chance):
    likely = chance.choice([0.0, 0.1, 0.5, 0.9, 1.0])
    kept = {}
    for change in disk.changes:
        if chance.random() >= likely:
            continue
        kept[change] = True
        if change.is_rename and chance.random() < 0.2:
            kept[change] = "come"
        elif change.size and chance.random() < 0.1:
            kept[change] = chance.choice(["zeros", "garbage"])
        elif chance.random() < 0.1 and (tears := change.sectors()):
            edges = [0, *tears, change.size]
            kept[change] = tuple(piece for piece in zip(edges, edges[1:]) if chance.random() < 0.5)
    return "at random", kept


class Cuts:
    """The states that cuts of one run may leave, judged as they lie on the disk."""

    def __init__(self, run):
        self.run, self.oracle = run, Oracle(run.keys())
        self.count = self.changes = self.bytes = 0
        self.seen, self.findings = set(), []

    def go(self, choose, skipped=frozenset(), limit=20, start=lambda *_: None):
        """`choose` gives the cuts after a call by its number; `skipped` are syncs that are left out."""
        disk, promises = self.run.disk(), Promises(self.run.accepted)
        for number, call in enumerate(self.run.calls):
            if call.op == "M":
                promises.take(call.other)
                continue
            if number not in skipped:
                disk.take(call)
            cuts = [(words, self.cut(disk, kept, promises)) for words, kept in choose(number, disk)]
            news = [(words, tree) for words, tree in cuts if tree]
            for words, tree in news:
                where = f"after call {number} ({call.op} {disk.paths.get(call.a)} {call.one}), {words}"
                self.findings += [f"{where}: {wrong}" for wrong in self.oracle.judge(tree, promises)[:1]]
                if len(self.findings) >= limit:
                    return self
            if news:
                words, tree = news[number % len(news)]
                start(self, f"after call {number}, {words}", tree, promises.copy())
        return self

    def cut(self, disk, kept, promises):
        """The tree that is left, None when it was seen before."""
        self.count += 1
        lost = [change for change in disk.changes if kept.get(change) is not True]
        self.changes += len(lost)
        self.bytes += sum(change.size for change in lost)
        tree = disk.tree(kept)
        shape = hash((promises.version(), tree.shape()))
        if shape in self.seen:
            return None
        self.seen.add(shape)
        return tree

    def report(self, name):
        print(f"      {name}: {self.count} cuts of {sum(call.op != 'M' for call in self.run.calls)} calls, "
              f"{len(self.seen)} of them different, {self.changes} changes and {self.bytes >> 20} MiB lost in them")
        check(f"{name}: no cut loses anything that was promised", not self.findings, self.findings[:5])


class Starts:
    """Real daemons on what cuts have left, some at a time."""

    def __init__(self, workers=3):
        self.pool = concurrent.futures.ThreadPoolExecutor(workers)
        self.places, self.running, self.findings = queue.SimpleQueue(), set(), []
        self.seconds = []
        for _ in range(workers):
            place = Place(BINARY)
            place.env.update(KEYREG_SPOOL=place.path("disk/spool"), KEYREG_STATE=place.path("disk/state"))
            place.config("retry:\n  first_delay: 50ms\nspool:\n  settle: 100ms\n")
            place.sandbox("--limit", "100000/10s")
            self.places.put((place, JournalReader(place.path("journal"))))

    def begin(self, cuts, where, tree, promises):
        # Few at a time: their trees are large.
        while len(self.running) > 6:
            ended, self.running = concurrent.futures.wait(
                self.running, return_when=concurrent.futures.FIRST_COMPLETED)
            for job in ended:
                job.result()
        before = cuts.oracle.queue(tree)
        if before.is_paused:
            return
        self.running.add(self.pool.submit(self.one, cuts.oracle.known, where, tree, promises, before))

    def one(self, known, where, tree, promises, before):
        place, journal = self.places.get()
        began = time.monotonic()
        shutil.rmtree(place.path("disk"), ignore_errors=True)
        tree.write(place.folder)
        code = place.until_done(60)
        sent = {key.encode() for key, _ in journal.read()}
        oracle = Oracle(known)
        wrong = oracle.judge_end(power_disk.Tree.read(place.path("disk")), promises, before, sent, code)
        oracle.close()
        if wrong:
            kept = tempfile.mkdtemp(prefix="keyreg-power-kept.")
            tree.write(kept)
            self.findings.append(f"{where}: {wrong[0]}; kept in {kept}; {place.log()[-400:]}")
        self.seconds.append(time.monotonic() - began)
        self.places.put((place, journal))

    def end(self):
        self.pool.shutdown()
        for job in self.running:
            job.result()
        while not self.places.empty():
            self.places.get()[0].__exit__()
        count = len(self.seconds)
        print(f"      {count} daemons started on what was left, {sum(self.seconds) / max(1, count):.2f} s each")
        check("each finishes the work, and sends nothing again that has its outcome", not self.findings, self.findings[:3])
        check("daemons were started", count >= STARTS // 3, count)


def kinds_of_syncs(run):
    """The calls that sync each kind of file or folder, by name."""
    disk, kinds = run.disk(), {}
    for number, call in enumerate(run.calls):
        disk.take(call)
        if call.op == "S":
            path = re.sub(r"\.keyreg-[^/]*\.tmp$", "new file", disk.paths[call.a])
            path = re.sub(r"(incoming|reading|done)/(?!new)[^/]*$", r"\1/list", path)
            kinds.setdefault(path, set()).add(number)
    return kinds


def only_before_checkpoints(run, syncs):
    """What `synchronous=NORMAL` leaves out of the syncs of the log: all but those before the log is written back."""
    disk, left_out, last = run.disk(), set(), None
    for number, call in enumerate(run.calls):
        disk.take(call)
        if number in syncs:
            left_out.add(number)
            last = number
        elif call.op == "W" and disk.paths[call.a].endswith("queue.sqlite"):
            left_out.discard(last)
    return left_out


def planted(run):
    """Leaves out each kind of sync: what finds it?"""
    kinds = kinds_of_syncs(run)
    faults = {"synchronous=NORMAL": only_before_checkpoints(run, kinds["disk/state/queue.sqlite-wal"]), **{
        "no sync of " + path.removeprefix("disk/"): syncs for path, syncs in sorted(kinds.items())}}
    for name, syncs in faults.items():
        began = time.monotonic()
        wanted = any(name.endswith(end) for end in WANTED)
        if EVERY > 1 and not wanted:
            continue
        # A loss shows soon, except with a folder.
        late = len(run.calls) if EVERY == 1 or name.endswith(("of disk", "of spool")) else 60
        near = {at for sync in syncs for at in range(sync, sync + late)}
        cuts = Cuts(run).go(lambda at, disk: extremes(disk) if at in near else (), skipped=syncs, limit=1)
        cuts.oracle.close()
        found = cuts.findings[0] if cuts.findings else "not found"
        seconds = time.monotonic() - began
        print(f"      {name}, {len(syncs)} times: {found} ({cuts.count} cuts, {seconds:.1f} s)", flush=True)
        if wanted:
            check(f"{name} is found", cuts.findings)


# What must be found. The other kinds are only tried where every call is cut.
WANTED = ("NORMAL", "of disk", "of spool", "spool/incoming", "spool/reading", "spool/done", "incoming/new file",
          "done/new file", "results/new file", "reading/list")


def main():
    began = time.monotonic()
    chance = random.Random(SEED)
    print(f"      seed {SEED}")
    starts = Starts()
    with short_run(BINARY) as run:
        cuts = Cuts(run)
        first = chance.randrange(EVERY)
        share = 1.5 * STARTS * EVERY / len(run.calls) * (0.5 if CUTS else 1)
        cuts.go(lambda number, disk: every_cut(disk) if number % EVERY == first else (),
                start=lambda *state: chance.random() < share and starts.begin(*state))
        cuts.report("a short run")
        cuts.oracle.close()
        print(f"      {time.monotonic() - began:.1f} s", flush=True)
        planted(run)
    for number in range(0, CUTS, CUTS_OF_A_RUN):
        with long_run(BINARY, SEED + number) as run:
            count = min(CUTS_OF_A_RUN, CUTS - number)
            calls = [at for at, call in enumerate(run.calls) if call.op != "M"]
            picks = collections.Counter(chance.choices(calls, k=count))
            cuts = Cuts(run)
            share = STARTS / 2 / CUTS
            cuts.go(lambda at, disk: [random_cut(disk, chance) for _ in range(picks[at])],
                    start=lambda *state: chance.random() < share and starts.begin(*state))
            cuts.report(f"a long run of {len(run.lists)} lists and {len(run.keys())} keys")
            cuts.oracle.close()
        print(f"      {time.monotonic() - began:.1f} s", flush=True)
    starts.end()
    finish()


main()
