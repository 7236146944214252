#!/usr/bin/env python3
"""Bit rot: one flipped bit, or one page that is gone, in what the daemon keeps. What does it do when it starts?

    rot_check.py BINARY [FLIPS [SEED]]

Two places are prepared: one whose daemon was stopped, and one whose daemon was killed, so that the log has commits. Each
file (database, log, mark, receipt, results, list in done/) is damaged, FLIPS (1) times by one bit (the database five times
as often) and once by a missing end, and a daemon is started, which gets another list to work on. Python's SQLite
says what the damage is: nothing (bytes that nobody reads), structure, or a value. The daemon refuses to start, holds, or
works on. Once it has checked its queue it must have found a changed key or state, and it never loses a key. The same SEED
(printed) damages the same places.
"""

import collections
import concurrent.futures
import os
import queue
import random
import re
import shutil
import sqlite3
import sys
import threading
import time
import uuid

from oracle import FAILED, REGISTERED, key_text
from support import Place, check, finish, interrupt, keys, wait_for

BINARY = os.path.realpath(sys.argv[1])
FLIPS, SEED = (int(sys.argv[n]) if len(sys.argv) > n else other for n, other in (
    (2, 1), (3, random.randrange(1 << 32))))
PAGE = 4096
FILES = {
    "database": "state/queue.sqlite", "log": "state/queue.sqlite-wal", "mark": "state/queue.sqlite.mark",
    "receipt": "spool/done/a.receipt.json", "results": "spool/results/a.csv", "list in done": "spool/done/a"}
REFUSED = "422:key=00000000-0000-4000-8000-000000000000"


def prepared():
    """A place with the folders `stopped` and `killed`, and the keys of the lists in each."""
    place = Place(BINARY)
    place.config("spool:\n  settle: 100ms\n")
    place.sandbox("--limit", "100000/10s", "--faults", REFUSED)
    first = keys(2_000)
    lists = {"a": first, "b": [*keys(200), *first[:50], REFUSED[-36:]], "c": keys(150)}

    def run(name):
        place.drop(name, "\n".join(lists[name]) + "\n")
        assert wait_for(lambda: os.path.exists(place.path(f"spool/results/{name}.csv")), 60), place.log()

    daemon = place.daemon()
    run("a")
    run("b")
    place.drop("bad", "no key\n")
    assert wait_for(lambda: os.path.exists(place.path("spool/rejected/bad")))
    assert interrupt(daemon) == 0
    # Unlike writing, damage leaves a file's times alone: anything newer than this was written to.
    with sqlite3.connect(place.path("state/queue.sqlite")) as database:
        version = database.execute("PRAGMA user_version").fetchone()[0]
        database.execute("UPDATE list SET filed_at = filed_at + 86400000")
        database.execute(f"PRAGMA user_version = {version}")
    database.close()
    copy(place, place.path("stopped"))
    daemon = place.daemon()
    run("c")
    daemon.kill()
    daemon.wait()
    copy(place, place.path("killed"))
    stopped = {*lists["a"], *lists["b"]}
    return place, {"stopped": stopped, "killed": {*stopped, *lists["c"]}}


def copy(place, to):
    for name in ("spool", "state"):
        shutil.copytree(place.path(name), os.path.join(to, name))


def content(path):
    """Every row by table and its columns, and SQLite's opinion. None for what cannot be read."""
    database = sqlite3.connect(path)
    rows = {}
    try:
        for table, in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            cursor = database.execute(f'SELECT * FROM "{table}" NOT INDEXED')
            names = [part[0] for part in cursor.description]
            for number, row in enumerate(cursor):
                for name, value in zip(names, row):
                    rows[table, number, name] = value
        verdict = database.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        return None, str(error)
    finally:
        database.close()
    return rows, verdict


class Damage:
    def __init__(self, state, name, how, at=0):
        self.state, self.name, self.how, self.at = state, name, how, at

    def apply(self, path):
        with open(path, "r+b") as file:
            size = os.path.getsize(path)
            if self.how == "bit":
                file.seek(self.at // 8)
                byte = file.read(1)[0]
                file.seek(self.at // 8)
                file.write(bytes([byte ^ 1 << self.at % 8]))
            elif self.how == "cut off":
                file.truncate(size - PAGE if size > PAGE else size // 2)
            else:
                file.seek(self.at)
                file.write(bytes(min(PAGE, size - self.at)))

    def __str__(self):
        return f"{self.state}, {self.name}, {self.how} {self.at}"


class Trials:
    def __init__(self, source, wanted, workers=4):
        self.source, self.wanted = source, wanted
        self.pool = concurrent.futures.ThreadPoolExecutor(workers)
        self.places = queue.SimpleQueue()
        self.lock, self.found = threading.Lock(), collections.Counter()
        self.columns, self.words, self.wrong = collections.Counter(), collections.Counter(), []
        self.sound = {state: self.judged(source.path(state)) for state in ("stopped", "killed")}
        for _ in range(workers):
            place = Place(BINARY)
            place.config("spool:\n  settle: 100ms\n")
            place.sandbox("--limit", "100000/10s", "--faults", REFUSED)
            self.places.put(place)

    def judged(self, folder):
        """What SQLite reads, from a copy."""
        scratch = f"{folder}.{time.monotonic_ns()}"
        shutil.copytree(os.path.join(folder, "state"), scratch)
        result = content(os.path.join(scratch, "queue.sqlite"))
        shutil.rmtree(scratch)
        return result

    def run(self, damages):
        for job in [self.pool.submit(self.one, damage) for damage in damages]:
            job.result()

    def one(self, damage):
        place = self.places.get()
        try:
            self.trial(place, damage)
        finally:
            self.places.put(place)

    def trial(self, place, damage):
        for name in ("spool", "state"):
            shutil.rmtree(place.path(name), ignore_errors=True)
            shutil.copytree(os.path.join(self.source.path(damage.state), name), place.path(name))
        damage.apply(place.path(FILES[damage.name]))
        rows, verdict = self.judged(place.folder)
        sound = self.sound[damage.state][0]
        changed = {part for part in sound.keys() | rows.keys() if sound.get(part) != rows.get(part)} if rows else set()
        kind = "structure" if rows is None or verdict != "ok" else "value" if changed else "nothing"
        with open(place.path(FILES[damage.name]), "rb") as file:
            damaged = file.read()
        place.drop("new", "\n".join(keys(3)) + "\n")
        open(place.path(os.path.basename(BINARY) + ".log"), "w").close()
        daemon = place.daemon()
        answer = self.wait(place, daemon, damage)
        if daemon.poll() is None:
            daemon.terminate()
            daemon.wait(60)
        log = place.log()
        if answer != "works on":
            self.words[re.sub(r"/\S+/|\d+", "…", said(log))[:110]] += 1
            if said(log) == "nothing":
                self.wrong.append(f"{damage}: {answer} without a word: {log[-300:]}")
        if answer == "refuses" and damage.name == "database":
            with open(place.path(FILES[damage.name]), "rb") as file:
                if file.read() != damaged:
                    self.wrong.append(f"{damage}: a refused database was changed")
        if answer == "works on":
            self.judge(place, damage, changed)
            if kind == "structure" and damage.state == "killed":
                self.wrong.append(f"{damage}: unseen: {verdict}")
        if answer not in ("works on", "refuses", "holds"):
            self.wrong.append(f"{damage}: {answer}: {log[-300:]}")
        with self.lock:
            self.found[damage.state, damage.name, damage.how, kind, answer] += 1
        if kind == "value" and answer == "works on" and damage.name == "database":
            for table, _, column in changed:
                self.columns[damage.state, f"{table}.{column}"] += 1

    def wait(self, place, daemon, damage):
        """What the daemon does, once it is known."""
        # After a run that did not end cleanly, or is not known to have.
        is_due = damage.state == "killed" or damage.name == "mark"

        def answer():
            log = place.log()
            if daemon.poll() is not None:
                return "refuses" if daemon.returncode > 0 and " ready " not in log else f"ends with {daemon.returncode}"
            if "the queue is damaged" in log:
                return "holds"
            if os.path.exists(place.path("spool/results/new.csv")):
                return (not is_due or "the queue is sound" in log) and "works on"
            return None
        found = wait_for(answer, 60, 0.02) or "hangs"
        # A daemon that has found damage while it worked ends, or holds: both are answers.
        return "holds" if found.startswith("ends with") and "damaged" in place.log() else found

    def judge(self, place, damage, changed):
        """Nothing that matters may be wrong where the daemon works on and has checked its queue."""
        rows, _ = self.judged(place.folder)
        checked = "the queue is sound" in place.log()
        if rows is None:
            if checked:
                self.wrong.append(f"{damage}: the daemon works on a database that cannot be read")
            return
        present = {key_text(value): rows["key", number, "state"] for (table, number, name), value in rows.items()
                   if (table, name) == ("key", "uuid")}
        # Without the commit that brought it, a list is read again.
        lost = [key for key in self.wanted[damage.state] if present.get(key) not in (REGISTERED, FAILED)]
        if lost and checked:
            self.wrong.append(f"{damage}: {len(lost)} keys have no outcome")
        if checked and (bad := {f"{t}.{c}" for t, _, c in changed} & {"key.uuid", "key.state", "key.list_id"}):
            if damage.name == "database":
                self.wrong.append(f"{damage}: {bad} changed unseen")


def said(log):
    """The words of an error or of damage."""
    lines = [line for line in log.splitlines() if re.search(r"error: |is damaged", line)]
    return re.sub(r"^\S+Z\s+", "", lines[0]) if lines else "nothing"


def main():
    began = time.monotonic()
    chance = random.Random(SEED)
    print(f"      seed {SEED}")
    source, wanted = prepared()
    damages = []
    with source:
        for state in ("stopped", "killed"):
            for name, path in FILES.items():
                path = os.path.join(source.path(state), path)
                if not os.path.exists(path) or state == "stopped" and name not in ("database", "mark"):
                    continue
                size = os.path.getsize(path)
                many = 5 if name == "database" else 2 if name == "log" else 1
                damages += [Damage(state, name, "bit", chance.randrange(size * 8)) for _ in range(FLIPS * many)]
                damages.append(Damage(state, name, "cut off"))
                if name == "database":
                    # A key, where it is stored and in the index.
                    with open(path, "rb") as file:
                        data = file.read()
                    key = uuid.UUID(chance.choice(sorted(wanted["stopped"]))).bytes
                    places = [match.start() for match in re.finditer(re.escape(key), data)]
                    damages += [Damage(state, name, "bit", (at + 7) * 8) for at in places]
                if name in ("database", "log"):
                    pages = [chance.randrange(size // PAGE) * PAGE for _ in range(max(1, FLIPS // 2))]
                    damages += [Damage(state, name, "zeroed page", at) for at in pages]
        trials = Trials(source, wanted)
        trials.run(damages)
        for part in sorted(trials.found):
            print(f"      {', '.join(part)}: {trials.found[part]}")
        print("      unseen values: " + ", ".join(f"{state} {c} {n}" for (state, c), n in trials.columns.most_common()))
        for words, count in trials.words.most_common(20):
            print(f"      {count} × {words}")
        print(f"      {len(damages)} damages, {time.monotonic() - began:.0f} s")
        check("no damage loses a key, or changes one unseen once the queue was checked", not trials.wrong, trials.wrong[:5])
        count = trials.found
        check("damage is found", sum(n for part, n in count.items() if part[0] == "killed" and part[4] == "holds"), count)
        # The control: after a clean stop the queue is not checked, and the same damage goes unseen.
        check("the check is what finds it", count["stopped", "database", "bit", "structure", "works on"], count)
        while not trials.places.empty():
            trials.places.get().__exit__()
    finish()


main()
