#!/usr/bin/env python3
"""kill -9 while a queue of the first version is changed into one of this version.

    migration_check.py BINARY [QUEUES [SEED]]

Each of QUEUES (20) old queues is started and killed, at random instants before the control socket is there, until it is changed.
After every kill it must be a sound database: the old one, or the new one with a copy of the old one beside it. Then the work is
finished: every key that was open is sent, no other, and all outcomes are as they were.
"""

import collections
import os
import random
import shutil
import sqlite3
import sys
import time

import versions_check
from support import Place, check, finish, wait_for

BINARY = os.path.realpath(sys.argv[1])
QUEUES = int(sys.argv[2]) if len(sys.argv) > 2 else 20
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 32)
# Kills of one queue.
MOST = 30
WANTED = {1: 2, 2: 2, 3: 3, 4: 4, 5: 2, 6: 2, 7: 2, 8: 2}


def start(place):
    daemon = place.daemon()
    return daemon, lambda: os.path.exists(place.env["KEYREG_SOCKET"])


def seconds_to_socket():
    with Place(BINARY) as place:
        versions_check.old_queue(place)
        place.sandbox("--limit", "100000/10s")
        begun = time.monotonic()
        _, is_there = start(place)
        wait_for(is_there, 60, 0.001)
        return time.monotonic() - begun


def look(place, old):
    """What a kill has left, and what is wrong with it. A copy is read, so that the log stays as it is."""
    copy = place.path("copy")
    shutil.rmtree(copy, ignore_errors=True)
    os.mkdir(copy)
    for name in os.listdir(place.path("state")):
        if name.startswith("queue.sqlite") and not name.endswith("-shm"):
            shutil.copy(place.path("state/" + name), copy)
    database = sqlite3.connect(os.path.join(copy, "queue.sqlite"))
    sound = database.execute("PRAGMA integrity_check").fetchone()[0]
    is_old = database.execute("SELECT COUNT(*) FROM grdb_migrations").fetchone()[0] == 1
    keys = database.execute("SELECT id, uuid FROM key ORDER BY id").fetchall()
    database.close()
    if sound != "ok" or keys != [row[:2] for row in old]:
        return "", f"{sound}, {len(keys)} keys"
    kept = os.path.join(copy, "queue.sqlite.schema-1")
    if is_old:
        return ("the old queue, and a copy of it" if os.path.exists(kept) else "the old queue"), None
    if not os.path.exists(kept) or versions_check.rows(kept, "SELECT * FROM key") != old:
        return "", "the queue is changed, and the copy of the old one is not whole"
    return "the new queue", None


def one(chance, longest, seen):
    with Place(BINARY) as place:
        versions_check.old_queue(place)
        queue = place.path("state/queue.sqlite")
        old = versions_check.rows(queue, "SELECT * FROM key")
        place.sandbox("--limit", "100000/10s")
        for _ in range(MOST):
            daemon, is_there = start(place)
            end = time.monotonic() + longest * chance.random()
            while time.monotonic() < end and not is_there():
                time.sleep(0.001)
            daemon.kill()
            daemon.wait()
            found, wrong = look(place, old)
            if wrong:
                return wrong
            seen[found] += 1
            if found == "the new queue":
                break
            if is_there():
                os.unlink(place.env["KEYREG_SOCKET"])
        code = place.until_done(60)
        sent = {int(line["path"][-12:]) for line in place.journal()}
        states = {row[0]: row[1] for row in versions_check.rows(queue, "SELECT id, state FROM key")}
        return None if (code, sent, states) == (1, {5, 6, 7, 8}, WANTED) else f"at the end {code}, {sent}, {states}"


print(f"      seed {SEED}")
chance, longest, seen, faults = random.Random(SEED), seconds_to_socket(), collections.Counter(), []
for _ in range(QUEUES):
    wrong = one(chance, longest, seen)
    faults += [wrong] if wrong else []
print(f"      {sum(seen.values())} kills of {QUEUES} queues left: " + ", ".join(f"{what} {n}" for what, n in seen.most_common()))
check("a killed change loses nothing, and is done at the next start", not faults, faults[:3])
check("it was killed before and after the change", len(seen) > 1, seen)
finish()
