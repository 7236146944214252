"""What must agree, whatever happened to the daemon: the lists as they were written, the journal of what the sandbox saw, the queue,
and the files in done/ and results/. All are independent."""

import hashlib
import json
import os
import shutil
import sqlite3

REGISTERED, FAILED = 2, 3  # `state` in the queue


def key_text(key):
    n = key.hex()
    return f"{n[:8]}-{n[8:12]}-{n[12:16]}-{n[16:20]}-{n[20:]}"


def queue_rows(path):
    """Each key in a queue that is not open, with its state."""
    database = sqlite3.connect(path)
    try:
        return {key_text(key): state for key, state in database.execute("SELECT uuid, state FROM key")}
    finally:
        database.close()


def recorded(place):
    """The keys with an outcome. A copy is read, so that nobody but the daemon ever opens its queue."""
    copy = place.path("copy")
    shutil.rmtree(copy, ignore_errors=True)
    os.mkdir(copy)
    for name in ("queue.sqlite", "queue.sqlite-wal"):
        if os.path.exists(place.path(f"state/{name}")):
            shutil.copy(place.path(f"state/{name}"), copy)
    try:
        rows = queue_rows(os.path.join(copy, "queue.sqlite"))
    except sqlite3.OperationalError:
        return set()  # It has no tables yet.
    return {key for key, state in rows.items() if state in (REGISTERED, FAILED)}


class JournalReader:
    """What the sandbox saw, as it comes."""

    def __init__(self, path):
        self.path = path
        self.offset = 0

    def read(self):
        """New requests, as (key, status)."""
        try:
            with open(self.path) as file:
                file.seek(self.offset)
                text = file.read()
        except FileNotFoundError:
            return []
        end = text.rfind("\n") + 1
        self.offset += len(text[:end].encode())
        return [(line["path"][-36:], line["status"]) for line in map(json.loads, text[:end].splitlines())]


def judge_keys(place, wanted, confirmed):
    """What is wrong with the keys once all work is done: `wanted` were in lists, `confirmed` by the sandbox."""
    rows = queue_rows(place.path("state/queue.sqlite"))
    for text, keys in [
        ("are not in the queue", wanted - rows.keys()),
        ("are in the queue and in no list", rows.keys() - wanted),
        ("are not registered", {key for key, state in rows.items() if state != REGISTERED}),
        ("were never confirmed", wanted - confirmed),
    ]:
        if keys:
            yield f"{len(keys)} keys {text}, such as {min(keys)}"


def judge_list(place, name, text):
    """What is wrong with a list that was worked off: `text` is what was written."""
    try:
        with open(place.path(f"spool/done/{name}"), "rb") as file:
            data = file.read()
        with open(place.path(f"spool/done/{name}.receipt.json")) as file:
            receipt = json.load(file)
        results = [row[:2] for row in place.results(name)]
    except FileNotFoundError as error:
        yield f"{error.filename} is missing"
        return
    if data != text.encode():
        yield f"done/{name} is not what was written"
    if receipt["sha256"] != hashlib.sha256(data).hexdigest():
        yield f"the receipt of {name} is of other bytes"
    ids = [line for line in text.splitlines() if len(line) == 36]
    told = receipt["keys"]
    if told["accepted"] + told["already_known"] != len(set(ids)) or told["invalid"] != text.count("no key"):
        yield f"the receipt of {name} counts {told}; it has {len(set(ids))} keys"
    if sorted(results) != sorted([key, "registered"] for key in set(ids)):
        others = [row for row in results if row[0] not in ids or row[1] != "registered"]
        yield f"results/{name}.csv is not one line for each key: {len(results)} lines, {others[:3]}"
