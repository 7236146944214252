#!/usr/bin/env python3
"""What a power cut would find: the daemon's system calls, in their order, while lists come, are read, filed, rejected and
grow. Whatever relies on a name or on bytes must come after the fsync that wrote them to disk.
Usage: durability_check.py KEYREG. Needs strace."""

import http.client
import os
import re
import socket
import sys
import time

from support import Place, check, finish, interrupt, keys, wait_for

CALLS = "openat,write,pwrite64,rename,renameat,renameat2,link,linkat,fsync,fdatasync"
PATH = r'(?:\d+|AT_FDCWD)<([^>]*)>'
LINE = re.compile(r"^(\d+) +(?:<\.\.\. (\w+) resumed>(.*)|(\w+)\((.*))$")


def calls(trace):
    """Thread, name and text of each call that succeeded, in the order in which they ended."""
    begun = {}
    for line in trace:
        match = LINE.match(line.rstrip("\n"))
        if not match:
            continue
        thread, resumed, rest, name, text = match.groups()
        if resumed:
            name, text = resumed, begun.pop(thread) + rest
        elif text.endswith("<unfinished ...>"):
            begun[thread] = text.removesuffix("<unfinished ...>")
            continue
        if not re.search(r"\) += -1 E", text):
            yield thread, name, text


def renamed(name, text):
    """The old and the new path of a rename or a link."""
    if name in ("rename", "link"):
        return re.findall(r'"([^"]*)"', text)[:2]
    (old_folder, old), (new_folder, new) = re.findall(PATH + r', "([^"]*)"', text)[:2]
    return os.path.join(old_folder, old), os.path.join(new_folder, new)


class Oracle:
    """Follows the calls and notes what comes too early."""

    def __init__(self, place):
        self.spool, self.log = place.path("spool"), place.path("state/queue.sqlite-wal")
        self.folder = place.folder
        self.faults = {}
        self.synced = set()  # files without a write since they were brought to the disk
        self.unsynced = {}  # folders by thread whose names have changed
        self.claims = {}  # folders by the file in reading/ whose claim is on its way to the disk
        self.unflushed = set()  # threads whose commit is on its way to the disk
        self.moves, self.flushes = [], 0

    def fault(self, rule, detail):
        self.faults.setdefault(rule, []).append(detail)

    def take(self, thread, name, text):
        if name in ("write", "pwrite64"):
            self.write(thread, re.match(PATH, text).group(1))
        elif name in ("fsync", "fdatasync"):
            self.sync(thread, re.match(PATH, text).group(1))
        elif name == "openat":
            opened = re.search(r"= \d+<([^>]*)>", text)
            if opened and self.claims.get(opened.group(1)):
                self.fault("a claim", f"{opened.group(1)} is opened")
        else:
            old, new = renamed(name, text)
            if old.startswith(self.folder) and not new.endswith(".sock"):
                self.move(thread, old, new)

    def write(self, thread, path):
        self.synced.discard(path)
        if path == self.log:
            self.unflushed.add(thread)
            for folder in self.unsynced.pop(thread, ()):
                self.fault("a name", f"{folder} is not on the disk when the queue is written")

    def sync(self, thread, path):
        self.synced.add(path)
        if path == self.log:
            self.flushes += 1
            self.unflushed.discard(thread)
        for folders in [*self.unsynced.values(), *self.claims.values()]:
            folders.discard(path)

    def move(self, thread, old, new):
        folders = {os.path.dirname(old), os.path.dirname(new)}
        source, target = (os.path.relpath(path, self.spool).split("/")[0] for path in (old, new))
        # What others wrote must be synced before it is filed, unless it is rejected.
        if (old.endswith(".tmp") or target == "done") and old not in self.synced:
            self.fault("content", f"{old} is renamed to {os.path.basename(new)}")
        if thread in self.unflushed:
            self.fault("a commit", f"{new} gets its name")
        if target == "reading":
            self.claims[new] = set(folders)
        elif source == "reading":
            companion = new + {"done": ".receipt.json", "rejected": ".reason.txt"}[target]
            if companion not in self.moves:
                self.fault("a receipt or reason", f"{new} comes before it")
        self.moves.append(new)
        self.synced.discard(old)
        self.unsynced.setdefault(thread, set()).update(folders)

    def end(self):
        for folders in self.unsynced.values():
            for folder in folders:
                self.fault("a name", f"{folder} is not on the disk at the end")
        for thread in self.unflushed:
            self.fault("a commit", "the last of a thread")


class Connection(http.client.HTTPConnection):
    """To the control socket."""

    def __init__(self, path):
        super().__init__("keyreg", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def post(place, name, text):
    connection = Connection(place.path("c.sock"))
    connection.request("POST", "/v1/lists?name=" + name, body=text)
    reply = connection.getresponse().status
    connection.close()
    return reply


def traced(place, log, *command):
    """`-D`: the process is the command's own, so that signals reach it."""
    return place.start(
        "strace", "-D", "-f", "-q", "-y", "-s", "0", "--seccomp-bpf", "-e", "trace=" + CALLS, "-e", "signal=none",
        "-o", place.path(log), *command)


def append(path, text):
    with open(path, "a") as file:
        file.write(text)


def done(place, count):
    """Whether all `count` keys are registered, and their lists are filed with results."""
    status = place.status()
    return status and status["keys"]["registered"] == count and status["state"] == "idle" and \
        status["lists"]["incoming"] == status["lists"]["active"] == status["lists"]["finishing"] == 0


def work(place):
    """Every path a list can take."""
    submit = traced(place, "submit.trace", place.binary, "submit", place.path("list"), "--name", "submitted")
    check("a list is submitted", submit.wait(30) == 0)
    place.drop("together", "\n".join(keys(2)) + "\n")
    for name in ("submitted", "together"):  # Both have settled when the daemon comes.
        os.utime(place.path("spool/incoming/" + name), (0, time.time() - 60))
    daemon = traced(place, "run.trace", place.binary, "run", "--config", place.path("keyreg.yaml"))
    place.drop("long", "\n".join(keys(2_500)) + "\n")
    place.drop("bad", "none\n")
    check("lists are read", wait_for(lambda: done(place, 2_507) and os.path.exists(place.path("spool/rejected/bad"))))
    check("a list is posted", post(place, "posted", keys(1)[0] + "\n") == 201)
    append(place.path("spool/done/long"), keys(1)[0] + "\n")
    append(place.path("spool/rejected/bad"), keys(1)[0] + "\n")
    check("lists that grow are read", wait_for(lambda: done(place, 2_510) and os.path.exists(place.path("spool/done/bad"))))
    check("the daemon stops", interrupt(daemon) == 0)


def main():
    with Place(sys.argv[1]) as place:
        place.sandbox("--listen", "127.0.0.1:0", "--limit", "100000/10s")
        place.config("spool:\n  settle: 100ms\n")
        os.makedirs(place.path("spool/incoming"))
        with open(place.path("list"), "w") as file:
            file.write("\n".join(keys(5)) + "\n")
        work(place)
        oracle = Oracle(place)
        for log in ("submit.trace", "run.trace"):
            # The tracer may end a little later than what it traces.
            wait_for(lambda: " exited with " in open(place.path(log)).read().rsplit("\n", 2)[-2])
            with open(place.path(log)) as trace:
                for call in calls(trace):
                    oracle.take(*call)
            oracle.end()
        names = {os.path.relpath(path, place.folder) for path in oracle.moves}
        wanted = {"spool/incoming/submitted", "state/queue.sqlite.mark", "spool/rejected/bad"} | {
            f"spool/{name}" for list_ in ("submitted", "together", "long", "posted", "bad")
            for name in (f"reading/{list_}", f"done/{list_}", f"done/{list_}.receipt.json", f"results/{list_}.csv")}
        check("every move is seen", wanted <= names, wanted - names)
        moves = [os.path.relpath(path, place.path("spool")) for path in oracle.moves]
        receipts, lists = ([moves.index(f"done/{list_}{ending}") for list_ in ("submitted", "together")]
                           for ending in (".receipt.json", ""))
        check("lists that wait together are filed together", max(receipts) < min(lists), moves)
        check("every commit is seen", oracle.flushes >= 10, oracle.flushes)
        for rule, text in {
            "content": "a file has its name once its content is on the disk",
            "a name": "the queue is written once the names that it relies on are on the disk",
            "a claim": "a claimed list is read once the claim is on the disk",
            "a commit": "a file is moved once the commit before it is on the disk",
            "a receipt or reason": "a list is filed after its receipt or reason",
        }.items():
            check(text, rule not in oracle.faults, oracle.faults.get(rule, [])[:3])
    finish()


main()
