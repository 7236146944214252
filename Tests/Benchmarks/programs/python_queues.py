"""Python's queues on SQLite: enqueue, take and record the keys of a list, one row an item, durable (synchronous=FULL).

    python_queues.py NAME LIST FOLDER

NAME is huey, litequeue or persist-queue. Each commits every step of every item: none of them can record several in one commit.
Prints {"enqueue": …, "work": …}: seconds to enqueue all, and to take and record all, one after another.
"""

import json
import os
import sys
import time

name, path, folder = sys.argv[1:4]
with open(path) as file:
    keys = file.read().split()


def huey():
    from huey import SqliteHuey

    queue = SqliteHuey(filename=os.path.join(folder, "huey.db"), fsync=True, results=True)

    @queue.task()
    def register(key):
        return 201

    def enqueue():
        for key in keys:
            register(key)

    def work():  # Executing a task writes its result.
        for _ in keys:
            assert queue.execute(queue.dequeue()) == 201

    return enqueue, work


def litequeue():
    from litequeue import LiteQueue

    queue = LiteQueue(os.path.join(folder, "lite.db"))
    queue.conn.execute("PRAGMA synchronous = FULL")

    def enqueue():
        for key in keys:
            queue.put(key)

    def work():
        for _ in keys:
            queue.done(queue.pop().message_id)

    return enqueue, work


def persist_queue():
    from persistqueue import SQLiteAckQueue

    queue = SQLiteAckQueue(folder)  # SQLite's own default is FULL.

    def enqueue():
        for key in keys:
            queue.put(key)

    def work():
        for _ in keys:
            queue.ack(queue.get(block=False))

    return enqueue, work


enqueue, work = {"huey": huey, "litequeue": litequeue, "persist-queue": persist_queue}[name]()
begun = time.perf_counter()
enqueue()
half = time.perf_counter()
work()
print(json.dumps({"enqueue": half - begun, "work": time.perf_counter() - half}))
