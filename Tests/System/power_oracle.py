"""Judges what a power cut has left: nothing that was promised before it may be missing.

A tree is {path: bytes} of the spool and the state directory. What was promised is read from the marks in the recording:
a list was accepted (its writer has synced it, `submit` has ended, the answer 201 was sent), or counts were sent.
"""

import hashlib
import json
import os
import re
import shutil
import sqlite3
import tempfile

KEY = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
WAITING = re.compile(r"disk/spool/(incoming|reading)/[^.]")
QUEUE = "disk/state/queue.sqlite"
TERMINAL = {2: "registered", 3: "failed", 4: "cancelled"}


class Promises:
    """Promises made to others up to some moment."""

    def __init__(self, lists):
        self.texts = lists  # what each list contains once it is accepted
        self.accepted = set()
        self.counts = {}
        self.is_paused = False

    def take(self, text):
        if text.startswith(b"accepted "):
            self.accepted.add(text.split()[1].decode())
        elif text in (b"paused", b"resuming"):
            self.is_paused = text == b"paused"
        elif posted := re.match(rb'\{.*"imported_at":.*"list":"([^"]+)"', text):
            self.accepted.add(posted[1].decode())
        elif counts := re.search(rb'"keys":(\{"cancelled":[^}]*\})', text):
            for name, count in json.loads(counts[1]).items():
                if name in ("registered", "failed", "cancelled", "total"):
                    self.counts[name] = max(count, self.counts.get(name, 0))

    def version(self):
        return tuple(sorted(self.accepted)), tuple(sorted(self.counts.items())), self.is_paused

    def copy(self):
        other = Promises(self.texts)
        other.accepted, other.counts, other.is_paused = set(self.accepted), dict(self.counts), self.is_paused
        return other

    def taken_back(self, queue):
        """Keys that are registered again: earlier results stay until then."""
        names = [name for name in self.texts if name.startswith("forced") and name in queue.lists]
        return {key for name in names for key in KEY.findall(self.texts[name])}

    def forced(self, queue):
        """The lists that register keys again and were not imported yet."""
        return {name for name in self.texts if name.startswith("forced") and name not in queue.lists}

    def keys(self):
        return {key for name in self.accepted for key in KEY.findall(self.texts[name])}


class Queue:
    """What the database says. `whole` is SQLite's own opinion."""

    def __init__(self, path):
        self.whole, self.lists, self.keys, self.is_paused = "ok", {}, {}, False
        database = sqlite3.connect(path)
        try:
            self.whole = database.execute("PRAGMA integrity_check").fetchone()[0]
            tables = {name for name, in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
            if "key" not in tables:
                return
            database.row_factory = sqlite3.Row
            self.lists = {row["name"]: dict(row) for row in database.execute("SELECT * FROM list")}
            self.is_paused = bool(database.execute("SELECT 1 FROM memory WHERE name = 'pause'").fetchone())
            names = {row["id"]: name for name, row in self.lists.items()}
            for row in database.execute("SELECT * FROM key"):
                n = row["uuid"].hex()
                key = f"{n[:8]}-{n[8:12]}-{n[12:16]}-{n[16:20]}-{n[20:]}".encode()
                self.keys[key] = (row["state"], row["attempts"], names.get(row["list_id"]))
        except sqlite3.DatabaseError as error:
            self.whole = str(error)
        finally:
            database.close()
        self.outcomes = {key: TERMINAL[row[0]].encode() for key, row in self.keys.items() if row[0] in TERMINAL}

    def count(self, state):
        return sum(1 for key in self.keys.values() if key[0] == state)


class Oracle:
    def __init__(self, known):
        self.known = known  # every key that anybody has written
        self.folder = tempfile.mkdtemp(prefix="keyreg-power.", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        self.queues = {}

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def queue(self, tree):
        """From a copy: reading it writes."""
        parts = {end: tree.get(QUEUE + end) for end in ("", "-wal", "-journal")}
        found = self.queues.get(number := hash(tuple(parts.values())))
        if found is None:
            if len(self.queues) > 200:
                self.queues.clear()
            path = os.path.join(self.folder, "queue.sqlite")
            for end in ("", "-wal", "-shm", "-journal"):
                if os.path.exists(path + end):
                    os.unlink(path + end)
                if parts.get(end) is not None:
                    with open(path + end, "wb") as file:
                        file.write(parts[end])
            found = self.queues[number] = Queue(path)
        return found

    def judge(self, tree, promises):
        """What is wrong, in words; nothing for a tree that is in order."""
        queue = self.queue(tree)
        if queue.whole != "ok":
            return [f"the database: {queue.whole}"]
        wrong = []
        if strange := queue.keys.keys() - self.known:
            wrong.append(f"{len(strange)} keys that nobody wrote")
        waiting = [set(KEY.findall(data)) for path, data in tree.items() if data and WAITING.match(path)]
        if lost := promises.keys() - queue.keys.keys() - set().union(*waiting):
            wrong.append(f"{len(lost)} keys of accepted lists are gone")
        for name in promises.accepted:
            folders = ("incoming", "reading", "done", "rejected")
            found = [tree.get(f"disk/spool/{folder}/{name}") or b"" for folder in folders]
            if not any(data.startswith(promises.texts[name]) for data in found):
                wrong.append(f"{name} was accepted and is not there")
        for name in queue.lists:
            # A claim is on the disk before the list is read.
            if not any(f"disk/spool/{folder}/{name}" in tree for folder in ("reading", "done", "rejected")):
                wrong.append(f"{name} is in the queue, its file is not there")
        if promises.is_paused and not queue.is_paused:
            wrong.append("the pause is forgotten")
        for name in promises.forced(queue) & promises.accepted:
            found = [path for path in tree.files if re.fullmatch(f"disk/spool/(incoming|reading)/{name}", path)]
            if not any(tree.mark(path) for path in found):
                wrong.append(f"{name} has lost its mark")
        # A list that registers keys again takes them back.
        kept = (("failed", 3), ("cancelled", 4), *[("registered", 2)] * ("forced" not in "".join(promises.accepted)))
        for name, state in kept:
            if queue.count(state) < promises.counts.get(name, 0):
                wrong.append(f"{queue.count(state)} keys are {name}, {promises.counts[name]} were reported")
        if len(queue.keys) < promises.counts.get("total", 0):
            wrong.append(f"{len(queue.keys)} keys in the queue, {promises.counts['total']} were reported")
        for path, data in tree.items():
            if data is not None and path.startswith("disk/spool/"):
                wrong += self.judge_file(path.removeprefix("disk/spool/"), data, tree, queue, promises)
        return wrong

    def judge_file(self, path, data, tree, queue, promises):
        folder, _, name = path.partition("/")
        if not name or name.startswith("."):
            return []
        if folder == "done" and name.endswith(".receipt.json"):
            return self.judge_receipt(name.removesuffix(".receipt.json"), data, queue)
        if folder == "done":
            receipt = read_receipt(tree.get(f"disk/spool/done/{name}.receipt.json"))
            if receipt is None:
                return [f"done/{name} has no receipt"]
            # It may have grown since.
            if hashlib.sha256(data[:receipt["bytes"]]).hexdigest() != receipt["sha256"]:
                return [f"done/{name} is not what its receipt says"]
            if lost := set(KEY.findall(data[:receipt["bytes"]])) - queue.keys.keys():
                return [f"{len(lost)} keys of done/{name} are not in the queue"]
        if folder == "results":
            return self.judge_results(name, data, queue, promises.taken_back(queue))
        if folder == "rejected" and not name.endswith(".reason.txt"):
            reason = tree.get(f"disk/spool/{path}.reason.txt")
            if not reason or not reason.endswith(b"\n") or b"\0" in reason:
                return [f"rejected/{name} has no reason"]
        return []

    def judge_receipt(self, name, data, queue):
        if read_receipt(data) is None:
            return [f"the receipt of {name} is not whole"]
        if name not in queue.lists or queue.lists[name]["imported_at"] is None:
            return [f"{name} has a receipt and was not imported"]
        return []

    def judge_results(self, name, data, queue, taken_back):
        if not data.endswith(b"\n") or not data.startswith(b"app_key_id,state,"):
            return [f"results/{name} is not whole"]
        rows = [line.split(b",") for line in data.splitlines()[1:]]
        wrong = [row for row in rows if queue.outcomes.get(row[0]) != row[1] and row[0] not in taken_back]
        if wrong:
            return [f"results/{name} has {len(wrong)} outcomes that the queue does not have"]
        list_ = queue.lists.get(name.removesuffix(".csv"))
        if list_ and list_["results_at"] is not None:
            own = {key for key, (_, _, owner) in queue.keys.items() if owner == list_["name"]}
            if own - {row[0] for row in rows}:
                return [f"results/{name} lacks keys"]
        return []

    def judge_end(self, tree, promises, before, sent, code):
        """After a daemon has worked off what was left: `before` is the queue then, `sent` are the keys sent since."""
        queue = self.queue(tree)
        wrong = self.judge(tree, promises)
        if code not in (0, 1, 65):
            wrong.append(f"the daemon ended with {code}")
        forced = {key for name in promises.forced(before) for key in KEY.findall(promises.texts[name])}
        if lost := {key for name in promises.forced(before) & promises.accepted for key in forced} - sent:
            wrong.append(f"{len(lost)} keys of a forced list were not sent")
        if again := [key for key in sent - forced if before.keys.get(key, (0,))[0] in TERMINAL]:
            wrong.append(f"{len(again)} keys with a recorded outcome were sent again")
        final = {key: row for key, row in before.keys.items() if row[0] in TERMINAL and key not in forced}
        if changed := [key for key, row in final.items() if queue.keys.get(key) != row]:
            wrong.append(f"{len(changed)} recorded outcomes have changed")
        if lost := before.keys.keys() - queue.keys.keys():
            wrong.append(f"{len(lost)} keys of the queue are gone")
        if undone := promises.keys() - {key for key, row in queue.keys.items() if row[0] in TERMINAL}:
            wrong.append(f"{len(undone)} keys of accepted lists have no outcome")
        if waiting := [path for path in tree if WAITING.match(path)]:
            wrong.append(f"{waiting[0]} is still there")
        for name, row in queue.lists.items():
            data, receipt = (tree.get(f"disk/spool/done/{name}{end}") for end in ("", ".receipt.json"))
            receipt = read_receipt(receipt)
            if receipt is None or row["filed_at"] is None:
                wrong.append(f"{name} was not filed")
            elif data is not None and hashlib.sha256(data).hexdigest() != receipt["sha256"]:
                wrong.append(f"done/{name} is not what its receipt says")
            elif data is None and name in promises.accepted:
                wrong.append(f"done/{name} is gone")
            if f"disk/spool/results/{name}.csv" not in tree or row["results_at"] is None:
                wrong.append(f"{name} has no results")
        return wrong


def read_receipt(data):
    try:
        return json.loads(data) if data else None
    except ValueError:
        return None
