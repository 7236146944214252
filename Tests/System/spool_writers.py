"""Carries out the steps of a writer's plan, as a process of its own and as its own user, and reports what it did.

A writer that has ended stays until it is killed: it holds every file that it has opened (by O_PATH, which nobody notices),
so that no inode's number is given to another file within a round.
"""

import json
import os
import signal
import subprocess
import time
import urllib.parse
from http.client import HTTPException

from spool_place import DAEMON, GROUP, WRITER
from support import UnixConnection

# What a writer waits for may never happen, or may have happened before it looked.
AWAIT_SECONDS = 0.8
WAYS = {"new": os.O_CREAT | os.O_WRONLY | os.O_TRUNC, "append": os.O_CREAT | os.O_WRONLY | os.O_APPEND}


def begin(place, number, writer, start, pipe):
    """Forks the writer, which begins at `start` (of the monotonic clock) and writes JSON lines to `pipe`. Returns its id."""
    child = os.fork()
    if child:
        return child
    try:
        os.umask(0o007)
        if writer.user != "root":
            os.setgroups([GROUP])
            os.setresgid(GROUP, GROUP, GROUP)
            user = DAEMON if writer.user == "daemon" else WRITER
            os.setresuid(user, user, user)
        hand = Hand(place, number, pipe)
        hand.work(writer.steps, start + writer.begin)
        hand.tell("ends", end=True)
        signal.pause()
    except BaseException as error:  # noqa: B902: it is told, and fails the round
        Hand(place, number, pipe).tell("broke down", fault=repr(error), end=True)
    finally:
        os._exit(1)


class Hand:
    def __init__(self, place, number, pipe):
        self.place, self.number, self.pipe = place, number, pipe
        self.slots, self.held, self.last = {}, {}, None

    def tell(self, what, **facts):
        line = json.dumps({"t": time.monotonic(), "writer": self.number, "what": what, **facts})
        os.write(self.pipe, line.encode() + b"\n")

    def work(self, steps, start):
        time.sleep(max(0, start - time.monotonic()))
        for step in steps:
            getattr(self, step[0])(*step[1:])

    def path(self, name):
        return os.path.normpath(os.path.join(self.place.spool("incoming"), name))

    # Files

    def open(self, slot, name, way, mode):
        path, cut = self.path(name), False
        if way == "new":
            try:
                number = os.open(path, WAYS[way] | os.O_EXCL, mode)
            except FileExistsError:
                number, cut = os.open(path, WAYS[way], mode), True
        else:
            number = os.open(path, WAYS[way], mode)
        self.slots[slot], self.last = number, name
        if self.inode(slot) not in self.held:
            self.held[self.inode(slot)] = os.open(f"/proc/self/fd/{number}", os.O_PATH)
        self.tell(f"opens {name} ({way}) as {slot}", inode=self.inode(slot), altered=cut, opens=[name, way])

    def write(self, slot, data):
        count = os.write(self.slots[slot], data)
        assert count == len(data)
        shown = data if len(data) <= 120 else data[:60] + b"..." + data[-50:]
        self.tell(f"writes {count} bytes to {slot}: {shown!r}", inode=self.inode(slot), bytes=count)

    def close(self, slot):
        os.close(self.slots.pop(slot))
        self.tell(f"closes {slot}")

    def truncate(self, slot, size):
        size = min(size, os.fstat(self.slots[slot]).st_size)
        os.ftruncate(self.slots[slot], size)
        self.tell(f"truncates {slot} to {size} bytes", inode=self.inode(slot), altered=True)

    def overwrite(self, slot, offset, data):
        os.pwrite(self.slots[slot], data, offset)
        self.tell(f"writes {data!r} over byte {offset} of {slot}", inode=self.inode(slot), altered=True)

    def utime(self, slot):
        """Sets the times to those of an older file."""
        os.utime(self.slots[slot], ns=(10**18, 10**18))
        self.tell(f"sets the times of {slot} to 2001")

    def inode(self, slot):
        return os.fstat(self.slots[slot]).st_ino

    # Names

    def rename(self, old, new):
        try:
            victim = os.open(self.path(new), os.O_PATH)
        except FileNotFoundError:
            victim = None
        try:
            os.rename(self.path(old), self.path(new))
            self.last = new
            gone = None
            if victim is not None and os.fstat(victim).st_nlink == 0:
                gone = os.fstat(victim).st_ino
            self.tell(f"renames {old} to {new}" + (", replacing a file" if gone else ""), gone=gone)
        except FileNotFoundError:
            self.tell(f"cannot rename {old} to {new}", fault=f"{old} was taken under its temporary name")
        finally:
            if victim is not None:
                os.close(victim)

    def chmod(self, name, mode):
        try:
            os.chmod(self.path(name), mode)
            self.tell(f"changes the mode of {name} to {mode:o}")
        except FileNotFoundError:
            self.tell(f"cannot change the mode of {name}", fault=f"{name} was taken although it could not be read")

    def submit(self, name, data, way):
        """By `keyreg submit` or over the control socket. What was accepted is a promise."""
        if way == "command":
            done = subprocess.run(
                [self.place.binary, "submit", "--name", name, "-"], input=data, env=self.place.env, capture_output=True)
            return self.tell(f"`keyreg submit --name {name!r}` ends with {done.returncode} {done.stderr!r}", promised=done.returncode == 0)
        connection = UnixConnection(self.place.env["KEYREG_SOCKET"])
        try:
            connection.request("POST", "/v1/lists?name=" + urllib.parse.quote(name), data)
            status = connection.getresponse().status
        except (OSError, HTTPException) as error:
            status = repr(error)
        self.tell(f"POST of {name!r} gets {status}", promised=status == 201)

    def symlink(self, name):
        self.put_strange(name, "symbolic link", lambda path: os.symlink("/etc/hostname", path))

    def fifo(self, name):
        self.put_strange(name, "FIFO", lambda path: os.mkfifo(path, 0o640))

    def folder(self, name):
        self.put_strange(name, "folder", os.mkdir)

    def put_strange(self, name, what, make):
        make(self.path(name))
        self.tell(f"makes the {what} {name}", strange=name)

    # Time

    def pause(self, seconds):
        time.sleep(seconds)

    def stall(self, seconds):
        self.tell(f"stalls for {seconds} s", stall=True)
        time.sleep(seconds)

    def await_(self, what, slot):
        """Waits, as closely as it can, until something happens to the list written last."""
        before = set(os.listdir(self.place.spool("done"))) if what == "receipt" else ()
        happened = {
            "taken": lambda: not os.path.exists(self.path(self.last)),
            "receipt": lambda: any(name not in before for name in os.listdir(self.place.spool("done"))),
            "filed": lambda: self.is_filed(slot),
        }[what]
        end = time.monotonic() + AWAIT_SECONDS
        while time.monotonic() < end:
            if happened():
                self.tell(f"sees that {self.last} is {what}" if what != "receipt" else "sees a new file in done/")
                return
            time.sleep(0.0003)
        self.tell(f"sees for {AWAIT_SECONDS} s no {what}")

    def is_filed(self, slot):
        if slot in self.slots:
            return os.readlink(f"/proc/self/fd/{self.slots[slot]}").split("/")[-2] in ("done", "rejected")
        return any(os.path.exists(self.place.spool(f"{folder}/{self.last}")) for folder in ("done", "rejected"))


setattr(Hand, "await", Hand.await_)
