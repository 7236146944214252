"""The table of a hostile spool: what is dropped, and the required result."""

import contextlib
import gzip
import hashlib
import os
import random
import socket
import stat
import sys
import uuid
from dataclasses import dataclass

from spool_place import GROUP, WRITER


# Required results


@dataclass
class Read:
    """It is in done/ under this name (its own by default), with this many invalid entries; these keys are in the queue."""
    keys: list
    invalid: int = 0
    name: str = ""

    def fault(self, place, case):
        name = self.name or os.fsdecode(case.name)
        try:
            receipt = place.receipt(name)
            digest = hash_of(place.spool("done/" + name))
        except FileNotFoundError as error:
            return f"{error.filename} is missing"
        if receipt["sha256"] != digest:
            return "its receipt is of other bytes"
        told = receipt["keys"]
        counted = told["accepted"] + told["already_known"] + told["duplicate_in_list"], told["invalid"]
        return "" if counted == (len(self.keys), self.invalid) else f"its receipt counts {told}"


@dataclass
class Rejected:
    """It is in rejected/ with a reason that says `words`."""
    words: str
    name: str = ""
    keys = ()

    def fault(self, place, case):
        name = self.name or os.fsdecode(case.name)
        try:
            with open(place.spool(f"rejected/{name}.reason.txt")) as file:
                reason = file.read()
            os.stat(place.spool("rejected/" + name))
        except FileNotFoundError as error:
            return f"{error.filename} is missing"
        return "" if self.words in reason else f"its reason is {reason!r}"


@dataclass
class Left:
    """It stays where it is, and `lists` says `words` about it under `shown`."""
    words: str
    shown: str = ""
    keys = ()

    def fault(self, place, case):
        if not os.path.lexists(os.fsencode(place.incoming("")) + case.name):
            return "it is not in incoming/ any more"
        page = place.ask("/v1/lists?limit=1") or {"unread": []}
        told = [f"{u['state']}: {u['reason']}" for u in page["unread"] if u["name"] == (self.shown or os.fsdecode(case.name))]
        return "" if len(told) == 1 and told[0].startswith("blocked") and self.words in told[0] else f"lists says {told}"


@dataclass
class Case:
    what: str
    name: bytes
    drop: object  # takes the path in incoming/, as bytes
    wanted: object


def hash_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


# What is dropped


class Drops:
    """Each function here returns one that takes the path to be filled, and runs as the writer."""

    def __init__(self, place):
        self.place = place

    def data(self, data, size=None):
        """A file that is moved in; of `size` bytes, the rest of them a hole."""
        def drop(path):
            outside = self.place.path("outside/new")
            with open(outside, "wb") as file:
                file.write(data)
                if size:
                    file.truncate(size)
            os.rename(outside, path)
        return drop

    @staticmethod
    def link(target):
        return lambda path: os.symlink(target, path)

    @staticmethod
    def hard_link(target):
        return lambda path: os.link(target, path)

    @staticmethod
    def fifo(path):
        os.mkfifo(path, 0o666)

    @staticmethod
    def socket(path):
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(path)
        os.chmod(path, 0o666)

    @staticmethod
    def device(kind, major, minor):
        def drop(path):
            with root():
                os.mknod(path, kind | 0o666, os.makedev(major, minor))
                os.chmod(path, 0o666)
        return drop

    def folder(self, data):
        def drop(path):
            os.mkdir(path, 0o777)
            with open(path + b"/inside", "wb") as file:
                file.write(data)
        return drop


@contextlib.contextmanager
def writer():
    os.setegid(GROUP)
    os.seteuid(WRITER)
    before = os.umask(0o007)
    try:
        yield
    finally:
        os.umask(before)
        os.seteuid(0)
        os.setegid(0)


@contextlib.contextmanager
def root():
    os.seteuid(0)
    try:
        yield
    finally:
        os.seteuid(WRITER)


class Keys:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def __call__(self, count):
        return [str(uuid.UUID(int=self.random.getrandbits(128), version=4)) for _ in range(count)]


def lines(ids):
    return "".join(id_ + "\n" for id_ in ids).encode()


# The table


def cases(place, keys, is_long):
    drops, rows = Drops(place), []

    def add(what, name, drop, wanted):
        rows.append(Case(what, name if isinstance(name, bytes) else name.encode(), drop, wanted))

    def lists(what, name, data, wanted):
        add(what, name, drops.data(data), wanted)

    outside = place.path("outside/target")
    with open(outside, "wb") as file:
        file.write(lines(keys(3)))
    os.chmod(outside, 0o644)
    os.chown(outside, WRITER, GROUP)

    # Not regular files: never opened, never followed.
    no_link, link = "symbolic link, not a regular file", drops.link
    add("a link to a list", "to-list", link(outside), Left(no_link))
    add("a link to a folder", "to-folder", link(place.spool("done")), Left(no_link))
    add("a link to the spool itself", "to-spool", link(place.spool("")), Left(no_link))
    add("a dangling link", "dangling", link("/nowhere/at/all"), Left(no_link))
    add("a link to itself", "loop", link("loop"), Left(no_link))
    add("a link to /dev/zero", "to-zero", link("/dev/zero"), Left(no_link))
    add("a link to a file of root", "to-shadow", link("/etc/shadow"), Left(no_link))
    add("a FIFO", "fifo", drops.fifo, Left("FIFO, not a regular file"))
    add("a socket", "socket", drops.socket, Left("socket, not a regular file"))
    add("a folder with a list", "folder", drops.folder(lines(keys(2))), Left("folder, not a regular file"))
    add("a character device", "zero", drops.device(stat.S_IFCHR, 1, 5), Left("device, not a regular file"))
    add("a block device", "disk", drops.device(stat.S_IFBLK, 7, 77), Left("device, not a regular file"))
    add("a second name of a list elsewhere", "second", drops.hard_link(outside), Read(ids_in(outside)))
    with writer():
        with open(place.path("outside/own"), "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(lines(keys(1)))
    add("a second name of a file that it may not read", "private", drops.hard_link(place.path("outside/own")),
        Left("cannot be read by the daemon"))

    # Names
    def named(what, name, listed=""):
        ids = keys(1)
        lists(what, name, lines(ids), Read(ids, name=listed))

    named("a name of 234 bytes", "n" * 234)
    long = hashlib.sha256(b"n" * 255).hexdigest()[:12]
    named("a name of 255 bytes", "n" * 255, "n" * (234 - 13) + "-" + long)
    named("a name with a newline", "new\nline", "new%0Aline")
    named("a name that another is written as", "new%0Aline", "new%0Aline.2")
    named("a name that clears the screen", "\x1b[2J\x1b[31mred", "%1B[2J%1B[31mred")
    named("a name with a carriage return, a tab and a bell", "a\rb\tc\a", "a%0Db%09c%07")
    named("a name that is not UTF-8", b"latin-\xe4\xff", "latin-%E4%FF")
    named("a name with an overlong slash", b"x..\xc0\xaf..", "x..%C0%AF..")
    named("a name of direction marks", "a\u202egpj.exe", "a%E2%80%AEgpj.exe")
    named("a name with leading dashes", "--new-queue")
    named("another", "-rf *")
    named("a name of one blank", " ")
    named("a name for a shell", "$(reboot);`reboot`|&'\"\\")
    named("a name for a spreadsheet", "=cmd|'calc'!A0")
    named("the name of a receipt", "x.receipt.json", "x.receipt.json.list")
    named("the name of a reason", "x.reason.txt", "x.reason.txt.list")
    named("the name of a folder of the spool", "done")

    # Content
    none = "contains no keys"
    lists("an empty file", "empty", b"", Rejected("empty"))
    lists("blanks", "blank", b" \n\t\r\n\n", Rejected(none))
    lists("a byte-order mark and nothing else", "mark", b"\xef\xbb\xbf", Rejected(none))
    lists("a UTF-16 mark and nothing else", "mark16", b"\xff\xfe", Rejected(none))
    lists("comments", "comments", b"# one\n# two\n", Rejected(none))
    lists("100,000 empty lines, then a key", "lines", b"\r" * 100_000 + lines(ids := keys(1)), Read(ids))
    lists("NULs", "nuls", bytes(100_000), Rejected("binary"))
    ids = keys(3)
    lists("NULs before a key", "nul-lines", lines(ids) + bytes(3) + lines(keys(1)), Read(ids, 1))
    lists("a compressed list", "list.gz", gzip.compress(lines(keys(500)), mtime=0), Rejected("gzip"))
    lists("a program", "program", open(sys.executable, "rb").read(200_000), Rejected("binary"))
    for order in ("le", "be"):
        ids = keys(3)
        mark = {"le": b"\xff\xfe", "be": b"\xfe\xff"}[order]
        lists(f"UTF-16 ({order})", "utf16-" + order, mark + "\r\n".join(ids + [""]).encode("utf-16-" + order), Read(ids))
    lists("UTF-16 without a mark", "utf16-bare", "\n".join(keys(3) + [""]).encode("utf-16-le"), Rejected("UTF-16"))
    ids = keys(2)
    lists("UTF-16 that ends in half a character", "utf16-odd", b"\xff\xfe" + "\n".join(ids + [""]).encode("utf-16-le") + b"4",
          Read(ids, 1))
    lists("a lone surrogate in UTF-16", "utf16-lone", b"\xff\xfe" + "\n".join(ids + ["", "\ud800\n"]).encode(
        "utf-16-le", "surrogatepass"), Read(ids, 1))
    lists("one line of 10 MiB", "line", b"4" * (10 << 20), Rejected("longer than 65536 bytes"))
    ids = keys(2)
    lists("one line of 10 MiB between keys", "line-between", lines(ids[:1]) + b"x" * (10 << 20) + b"\n" + lines(ids[1:]),
          Read(ids, 1))
    add("more than max_file_size", "huge", drops.data(lines(keys(1)), 2 << 30), Rejected("more than the"))

    # JSON
    deep = 100_000
    ids = keys(1)
    lists("arrays nested 100,000 deep", "deep-arrays", b"[" * deep + f'"{ids[0]}"'.encode() + b"]" * deep, Read(ids))
    lists("arrays that are never closed", "open-arrays", b"[" * deep, Rejected("the list ends before the value"))
    lists("objects nested 100,000 deep", "deep-objects", b'{"a":' * deep + b"1" + b"}" * deep, Rejected("nested more than 64 deep"))
    lists("a key 100,000 objects deep", "deep-key", b'{"data":' * deep + b"1" + b"}" * deep, Rejected("an object without"))
    ids = keys(2)
    lists("a string of 10 MiB in a list", "long-string", f'["{ids[0]}","{"x" * (10 << 20)}","{ids[1]}"]'.encode(), Read(ids, 1))
    ids = keys(1)
    lists("a string that is never closed", "open-string", f'["{ids[0]}","'.encode() + b"x" * 100_000, Read(ids, 1))
    lists("escapes that are none", "escapes", b'["\\u12", "\\ud800", "\\x"]', Rejected("not a UUID"))
    lists("a number of 100,000 digits", "number", f'[{"9" * 100_000}, "{(ids := keys(1))[0]}"]'.encode(), Read(ids, 1))

    # CSV
    ids = keys(3)
    lists("quotes and newlines in fields", "quotes.csv",
          f'"na""me","app_key_id"\r\n"one\nline, ""and"" more","{ids[0]}"\r\n",","{ids[1]}"\r\n"\r\n","{ids[2]}"\r\n'.encode(),
          Read(ids))
    lists("a header without a column of ids", "wrong.csv", f"name,owner\nx,{keys(1)[0]}\n".encode(),
          Rejected("no column of key ids: it has name, owner"))
    lists("a header and no rows", "header.csv", b"name,app_key_id\n", Rejected(none))
    ids = keys(2)
    lists("a quote that is never closed", "open.csv", f'name,app_key_id\nx,{ids[0]}\n"y,{ids[1]}\n'.encode(), Read(ids[:1], 1))
    lists("a header of 100,000 columns", "wide.csv", b"a," * 100_000 + b"app_key_id\n" + b"," * 100_000 + lines(keys(1)),
          Rejected("longer than 65536 bytes"))
    if is_long:
        add("one line of 1 GiB, a hole", "gib-hole", drops.data(lines(keys(1)), 1 << 30), Rejected("binary"))
        add("one line of 1 GiB", "gib", long_line, Rejected("longer than 65536 bytes"))
    return rows


def long_line(path):
    with open(path + b".part", "wb") as file:
        for _ in range(1023):
            file.write(b"4" * (1 << 20))
    os.rename(path + b".part", path)


def ids_in(path):
    with open(path) as file:
        return file.read().split()
