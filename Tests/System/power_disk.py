"""What a power cut may leave of files and folders: a model of a disk that follows the calls recorded by power_record.c.

Only what was synced surely survives. A file has the bytes of its last fsync or fdatasync, and any subset of the writes and
truncations since then: each write whole, torn at a multiple of 512 bytes, lost, or lost except for the size that it gave
the file. A folder has the names of its last fsync, and any subset of the changes since then, in any order; a file that was
synced, in a folder whose name was not, is gone. A rename is kept, lost, or half done (the file has both names). It never
loses a file; all file systems of Linux ensure that.
"""

import os
import random
import re
import struct

HEAD = struct.Struct("=QQQQII")
SECTOR = 512


class Call:
    """A recorded call, or a mark: a promise to others."""

    __slots__ = ("op", "a", "b", "c", "one", "other")

    def __init__(self, op, a, b, c, one, other):
        self.op, self.a, self.b, self.c, self.one, self.other = op, a, b, c, one, other


def recorded(path):
    with open(path, "rb") as file:
        data = file.read()
    at, calls = 0, []
    while at < len(data):
        op, a, b, c, n, m = HEAD.unpack_from(data, at)
        at += HEAD.size
        calls.append(Call(chr(op), a, b, c, data[at:at + n].decode(), data[at + n:at + n + m]))
        at += n + m
    return calls


def mark(text):
    """A mark as the recorder would write it."""
    return HEAD.pack(ord("M"), 0, 0, 0, 0, len(text)) + text


class File:
    """`number`: its inode. `pending`: what was done to it since it was last synced."""

    def __init__(self, number):
        self.number = number
        self.base = b""
        self.pending = []
        self.known = {}

    def sync(self):
        if self.pending:
            self.base = self.content({change: True for change in self.pending})
        self.pending, self.known = [], {}

    def content(self, kept):
        """With the changes in `kept`: True for whole ones, the ranges that are kept of a torn write."""
        shape = tuple((n, kept[change]) for n, change in enumerate(self.pending) if change in kept)
        if not shape:
            return self.base
        if shape not in self.known:
            data = bytearray(self.base)
            for n, how in shape:
                self.pending[n].apply(data, how)
            self.known[shape] = bytes(data)
        return self.known[shape]


class Folder:
    def __init__(self):
        self.base = {}
        self.pending = []  # (change, half, name, what has the name then), in order

    def sync(self):
        """What is sure and not preceded by something that is not."""
        while self.pending and self.pending[0][1] in self.pending[0][0].sure:
            _, _, name, thing = self.pending.pop(0)
            self.set(self.base, name, thing)

    def names(self, kept):
        names = dict(self.base)
        for change, half, name, thing in self.pending:
            how = kept.get(change)
            if half in change.sure or how is True or how == half:
                self.set(names, name, thing)
        return names

    @staticmethod
    def set(names, name, thing):
        if thing is None:
            names.pop(name, None)
        else:
            names[name] = thing


class Write:
    is_rename = False

    def __init__(self, file, offset, data):
        self.file, self.offset, self.data = file, offset, data

    def apply(self, data, how):
        if how in ("zeros", "garbage"):
            # The file has its new size, but not the data.
            more = max(0, self.offset + self.size - len(data))
            data.extend(bytes(more) if how == "zeros" else random.Random(more).randbytes(more))
            return
        for start, end in [(0, len(self.data))] if how is True else how:
            at = self.offset + start
            if len(data) < at:
                data.extend(bytes(at - len(data)))
            data[at:self.offset + end] = self.data[start:end]

    @property
    def size(self):
        return len(self.data)

    def sectors(self):
        """Where it can be torn: the disk's sectors, not the write's."""
        first = -self.offset % SECTOR
        return [at for at in range(first, len(self.data), SECTOR) if at > 0]


class Truncation:
    size, is_rename = 0, False

    def sectors(self):
        return []

    def __init__(self, file, length):
        self.file, self.length = file, length

    def apply(self, data, how):
        if len(data) > self.length:
            del data[self.length:]
        else:
            data.extend(bytes(self.length - len(data)))


class Naming:
    """A name that came or went, or both: a rename, in one folder or two. `sure`: the halves that are on the disk."""

    size = 0

    def __init__(self, come=None, gone=None):
        self.halves = {half: part for half, part in (("come", come), ("gone", gone)) if part}  # (folder, name, what)
        self.sure = set()

    @property
    def is_rename(self):
        return len(self.halves) == 2

    def sectors(self):
        return []

    def sync(self, folder):
        self.sure |= {half for half, part in self.halves.items() if part[0] is folder}
        if "gone" in self.sure:
            self.sure = set(self.halves)


class Tree(dict):
    """{path: bytes, None for a folder}. `files`: which file it is, since two names may have the same one."""

    def __init__(self):
        super().__init__()
        self.files = {}

    def mark(self, path):
        """Where the mark of a forced list is, None if it has none: its name has the number of the list's file, and its time."""
        start = f"disk/spool/incoming/.keyreg-force-{self.files[path].number}-"
        return next((other for other in self if other.startswith(start)), None)

    def shape(self):
        return hash(tuple(sorted((path, hash(data)) for path, data in self.items())))

    def write(self, top):
        """As files and folders below `top`."""
        first = {}
        for path in sorted(self):
            target = os.path.join(top, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if self[path] is None:
                os.makedirs(target, exist_ok=True)
            elif (file := self.files[path]) in first:
                os.link(first[file], target)
            else:
                first[file] = target
                with open(target, "wb") as out:
                    out.write(self[path])
        for path in sorted(self.files):
            if (mark := self.mark(path)) and os.path.exists(os.path.join(top, mark)):
                status = os.stat(os.path.join(top, path))
                new = re.sub(r"\d+-\d+(?=\.tmp$)", f"{status.st_ino}-{status.st_mtime_ns}", mark)
                os.rename(os.path.join(top, mark), os.path.join(top, new))

    @classmethod
    def read(cls, top):
        """What is below `top`, as paths that begin with its name."""
        tree, above = cls(), os.path.dirname(top)
        for folder, folders, files in os.walk(top):
            for name in folders:
                tree[os.path.relpath(os.path.join(folder, name), above)] = None
            for name in files:
                if not name.endswith("-shm"):
                    with open(os.path.join(folder, name), "rb") as file:
                        tree[os.path.relpath(file.name, above)] = file.read()
        return tree

    def differences(self, other):
        return sorted(path for path in self.keys() | other.keys() if self.get(path, 0) != other.get(path, 0))


class Disk:
    """What the disk has after each call: `changes` are those that are not surely on it, in order."""

    def __init__(self, top):
        self.folders = {}
        self.files = {}
        self.paths = {}  # by number
        self.live = {}  # number by folder's number and name
        self.changes = []
        number = os.stat(top).st_ino
        self.top = self.folders[number] = Folder()
        self.name = self.paths[number] = os.path.basename(top)

    def take(self, call):
        getattr(self, "do_" + call.op)(call)

    def do_M(self, call):
        pass

    def do_C(self, call):
        thing = Folder() if call.c else File(call.b)
        (self.folders if call.c else self.files)[call.b] = thing
        self.paths[call.b] = self.paths[call.a] + "/" + call.one
        self.live[call.a, call.one] = call.b
        self.rename(Naming(come=(self.folders[call.a], call.one, thing)))

    def rename(self, change):
        for half, (folder, name, thing) in change.halves.items():
            folder.pending.append((change, half, name, thing))
        self.changes.append(change)

    def do_R(self, call):
        number = self.live.pop((call.a, call.one))
        thing = self.files.get(number) or self.folders[number]
        self.live[call.b, call.other.decode()] = number
        self.paths[number] = self.paths[call.b] + "/" + call.other.decode()
        self.rename(Naming((self.folders[call.b], call.other.decode(), thing), (self.folders[call.a], call.one, None)))

    def do_L(self, call):
        self.live[call.a, call.one] = call.b
        self.rename(Naming(come=(self.folders[call.a], call.one, self.files[call.b])))

    def do_U(self, call):
        self.live.pop((call.a, call.one), None)
        self.rename(Naming(gone=(self.folders[call.a], call.one, None)))

    def do_W(self, call):
        self.change(Write(self.files[call.a], call.b, call.other), self.paths[call.a])

    def do_T(self, call):
        self.change(Truncation(self.files[call.a], call.b), self.paths[call.a])

    def change(self, change, path):
        change.file.pending.append(change)
        change.file.known = {}
        # Shared memory means nothing after a cut.
        if not path.endswith("-shm"):
            self.changes.append(change)

    def do_S(self, call):
        if call.a in self.files:
            file = self.files[call.a]
            file.sync()
            self.changes = [c for c in self.changes if getattr(c, "file", None) is not file]
            return
        folder = self.folders[call.a]
        for change, *_ in list(folder.pending):
            change.sync(folder)
            for other, *_ in change.halves.values():
                other.sync()
        self.changes = [c for c in self.changes if not isinstance(c, Naming) or c.sure != set(c.halves)]

    # What is left

    def tree(self, kept):
        """With the changes in `kept`: True for whole ones, `come` for half a rename, ranges of bytes for a torn write,
        `zeros` or `garbage` for the size of a write alone."""
        tree = Tree()
        self.walk(self.name, self.top, kept, tree)
        return tree

    def walk(self, path, folder, kept, tree):
        for name, thing in folder.names(kept).items():
            below = path + "/" + name
            if isinstance(thing, Folder):
                tree[below] = None
                self.walk(below, thing, kept, tree)
            elif not name.endswith("-shm"):
                tree[below] = thing.content(kept)
                tree.files[below] = thing

    def everything(self):
        return {change: True for change in self.changes}
