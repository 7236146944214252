#!/usr/bin/env python3
"""kill -9 at random instants: while the daemon starts, reads lists, works, records, files, writes results, is backed up and stops.

    kill_check.py BINARY [CYCLES [SEED]]

Each of CYCLES (100) drops lists, lets the daemon run for a moment and kills it. The oracle compares four independent records:
the lists as they were written, the journal of what the sandbox saw, the queue, and the files in done/ and results/.
After every kill it notes from a copy of the queue which keys have an outcome: none of them may be sent again. From time to time
the daemon may finish its work, and then every key of every list must have one outcome and every list its receipt. The same SEED
(printed) makes the same lists and waits; the instants of the kills depend on the machine. Half of the kills are timed from
the start of the daemon, half from its first request, so that it is killed at work on a slow machine too; a kill counts as one at
work when the daemon had sent something and left keys without an outcome.
"""

import os
import random
import sqlite3
import statistics
import subprocess
import sys
import time

from oracle import JournalReader, judge_keys, judge_list, recorded
from support import Place, check, finish

BINARY = os.path.realpath(sys.argv[1])
CYCLES = int(sys.argv[2]) if len(sys.argv) > 2 else 100
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 32)

# Keys that may be in hand at a kill: sent, and their outcome not committed.
IN_HAND = 192
# Cycles after which the daemon finishes its work and everything is compared.
SETTLE = 50
# Cycles with one queue.
EPISODE = 300


class Run:
    def __init__(self, place, seed):
        self.place = place
        self.random = random.Random(seed)
        self.lists = {}  # name: the text that was written
        self.keys = []  # every key, in the order in which it was first written
        self.recorded = set()
        self.journal = JournalReader(place.path("journal"))
        self.confirmed = {}
        self.kills = self.stops = self.backups = self.again = self.at_work = 0
        self.starts = []
        self.findings = []

    def fail(self, text):
        self.findings.append(text)
        print(f"      {text}", flush=True)

    # Lists

    def key(self):
        n = f"{self.random.getrandbits(128):032x}"
        return f"{n[:8]}-{n[8:12]}-{n[12:16]}-{n[16:20]}-{n[20:]}"

    def drop(self, count):
        name = f"l{len(self.lists):05d}"
        fresh = [self.key() for _ in range(count)]
        known = self.random.choices(self.keys, k=count // 10) if self.keys else []
        lines = fresh + known + ["# a comment", "no key"][: self.random.randrange(3)]
        self.random.shuffle(lines)
        self.lists[name] = "\n".join(lines) + "\n"
        self.keys += fresh
        self.place.drop(name, self.lists[name])

    def grow(self):
        """Appends to a filed list, as a writer does who does not know that it was filed."""
        name = self.random.choice(sorted(self.lists))
        more = [self.key() for _ in range(self.random.choice([1, 20]))]
        try:
            file = os.open(self.place.path(f"spool/done/{name}"), os.O_WRONLY | os.O_APPEND)
        except FileNotFoundError:
            return  # Not filed yet.
        os.write(file, ("\n".join(more) + "\n").encode())
        os.close(file)
        self.lists[name] += "\n".join(more) + "\n"
        self.keys += more

    # What the sandbox saw

    def account(self):
        for key, status in self.journal.read():
            if key in self.recorded:
                self.fail(f"{key} was sent again after its outcome was recorded")
            if status == 201:
                self.again += key in self.confirmed
                self.confirmed[key] = self.confirmed.get(key, 0) + 1

    # The daemon

    def cycle(self):
        is_from_work = self.random.random() < 0.5
        for _ in range(self.random.choice([0, 0, 1, 1, 2])):
            self.drop(self.random.choice([1, 3, 30, 300, 1_000]))
        if is_from_work:
            self.drop(300)
        if self.lists and self.random.random() < 0.2:
            self.grow()
        size = self.journal_size()
        start = time.monotonic()
        daemon = self.place.daemon()
        first = None
        if is_from_work:
            first = self.first_request(size, start + 60)
            if first is None:
                self.fail("there is work, and nothing was sent for a minute")
        wait = self.random.choice([0.03, 0.1] if is_from_work else [0.03, 0.2, 0.6, 1.2]) * self.random.random()
        end = time.monotonic() + wait
        first = first or self.first_request(size, end)
        time.sleep(max(0, end - time.monotonic()))
        if first:
            self.starts.append(first - start)
        backup = None
        if self.random.random() < 0.1:
            backup = self.place.start(self.place.binary, "backup", self.place.path(f"backup{self.backups}"))
            self.backups += 1
            time.sleep(0.05 * self.random.random())
        if self.random.random() < 0.1:
            daemon.terminate()
            self.stops += 1
            time.sleep(0.1 * self.random.random())
        daemon.kill()
        daemon.wait()
        self.kills += 1
        if backup:
            backup.wait(30)
            self.judge_backup(self.place.path(f"backup{self.backups - 1}"))
        # Sent requests are answered and recorded.
        time.sleep(0.05)
        self.account()
        self.recorded |= recorded(self.place)
        self.at_work += first is not None and len(self.recorded) < len(self.keys)

    def journal_size(self):
        path = self.place.path("journal")
        return os.path.getsize(path) if os.path.exists(path) else 0

    def first_request(self, size, end):
        """When the journal had grown beyond `size`; None if it had not at the end."""
        while time.monotonic() < end:
            if self.journal_size() > size:
                return time.monotonic()
            time.sleep(0.002)
        return None

    def judge_backup(self, path):
        """A backup is complete, or missing if it was interrupted."""
        if not os.path.exists(path):
            return
        database = sqlite3.connect(path)
        verdict = database.execute("PRAGMA integrity_check").fetchone()[0]
        database.close()
        if verdict != "ok":
            self.fail(f"a backup is damaged: {verdict}")
        os.unlink(path)

    # The end

    def until_done(self):
        """The exit code; None when nothing was sent for five minutes."""
        daemon, size = self.place.daemon("--until-done"), -1
        while size < (size := self.journal_size()):
            try:
                return daemon.wait(300)
            except subprocess.TimeoutExpired:
                pass
        daemon.kill()
        daemon.wait()
        return None

    def settle(self):
        code = self.until_done()
        if code != 0:
            self.fail(f"run --until-done ended with {code}")
        self.account()
        for finding in judge_keys(self.place, set(self.keys), self.confirmed.keys()):
            self.fail(finding)
        for name, text in self.lists.items():
            for finding in judge_list(self.place, name, text):
                self.fail(finding)
        self.recorded |= set(self.keys)


def episode(cycles, seed):
    with Place(BINARY) as place:
        place.sandbox("--limit", "100000/10s", "--latency", "3ms", "--faults", "500:2%,reset:1%,lost:1%")
        run = Run(place, seed)
        for number in range(1, cycles + 1):
            run.cycle()
            if number % SETTLE == 0 or number == cycles:
                run.settle()
            if len(run.findings) > 20:
                break
        starts = sorted(run.starts) or [0]
        print(
            f"      seed {seed}: {run.kills} kills, {run.at_work} of them at work, {run.stops} while stopping, {run.backups} backups; "
            f"{len(run.lists)} lists, {len(run.keys)} keys, {sum(run.confirmed.values())} confirmations, {run.again} of them "
            f"again; start to first request: median {statistics.median(starts):.3f} s, longest {starts[-1]:.3f} s")
        check("nothing is lost, nothing recorded is sent again", not run.findings, run.findings[:5])
        check("sent again is at most what was in hand", run.again <= run.kills * IN_HAND, run.again)
        check("the daemon was killed at work", run.at_work > cycles // 5, run.at_work)


# A new queue for each episode: the oracle reads all of it after every kill.
for number in range(0, CYCLES, EPISODE):
    episode(min(EPISODE, CYCLES - number), SEED + number)
finish()
