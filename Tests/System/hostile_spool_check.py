#!/usr/bin/env python3
"""A hostile spool: whatever somebody puts into `incoming/`, or does to a list that is being read, has a stated result.

    hostile_spool_check.py BINARY [LISTS [SEED]] [--long]      as root; the daemon and the writer are two ordinary users

The table in `hostile_spool_cases.py` is the test: the name, what is dropped, and the required result. LISTS (100) is how
many lists of one key come at once. `--long` adds lists of 1 GiB. The mounts are in a namespace of this check's own.
"""

import argparse
import contextlib
import ctypes
import errno
import hashlib
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time

from hostile_spool_cases import Case, Drops, Keys, Read, cases, hash_of, lines, writer
from spool_place import FOLDERS, GROUP, WRITER, SpoolPlace, usable_by_all
from support import check, finish, wait_for

PATIENCE = 120
LIBC = ctypes.CDLL(None, use_errno=True)


# What is done to a list while it is read


def while_it_is_read(place, daemon, keys):
    for number, (what, deed) in enumerate(DEEDS.items()):
        # The faster the machine, the longer the list must be for the deed to fall into its middle.
        for count in (3_000, 20_000, 200_000, 1_000_000):
            fault = try_deed(place, daemon, deed, f"read-{number}-{count}", keys(count), keys(500))
            if fault != "too soon":
                break
        check(f"a list that is {what} while it is read", not fault, fault)


def try_deed(place, daemon, deed, name, ids, more):
    """Does it while the daemon is frozen in the middle of the list."""
    path = place.path("outside/new")
    with writer():
        descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o640)
        os.write(descriptor, lines(ids))
    before = place.ask("/v1/status")["keys"]["total"]
    os.rename(path, place.incoming(name))
    wait_for(lambda: place.ask("/v1/status")["keys"]["total"] > before, PATIENCE, 0.002)
    with frozen(daemon):
        is_midway = os.path.exists(place.spool("reading/" + name))
        wanted = deed(place, name, descriptor, ids, more) if is_midway else ids
        os.close(descriptor)
    return settled(place, name, wanted) or ("" if is_midway else "too soon")


def state_of(process):
    with open(f"/proc/{process.pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


def appended(place, name, descriptor, ids, more):
    os.write(descriptor, lines(more))
    return ids + more


def cut_to_half(place, name, descriptor, ids, more):
    os.truncate(descriptor, 37 * (len(ids) // 2))
    return ids[:len(ids) // 2]


def emptied(place, name, descriptor, ids, more):
    os.truncate(descriptor, 0)
    return []


def rewritten(place, name, descriptor, ids, more):
    """Other keys in the same bytes."""
    other = (more * (len(ids) // len(more) + 1))[:len(ids)]
    with open(place.spool("reading/" + name), "r+b") as file:
        file.write(lines(other))
    return more


def removed(place, name, descriptor, ids, more):
    os.unlink(place.spool("reading/" + name))
    return []


def replaced(place, name, descriptor, ids, more):
    with open(place.path("outside/other"), "wb") as file:
        file.write(lines(more))
    os.chmod(place.path("outside/other"), 0o644)
    os.rename(place.path("outside/other"), place.spool("reading/" + name))
    return more


def dropped_again(place, name, descriptor, ids, more):
    with writer():
        Drops(place).data(lines(more))(os.fsencode(place.incoming(name)))
    return ids + more


DEEDS = {
    "appended to": appended, "cut to half": cut_to_half, "emptied": emptied, "rewritten": rewritten, "removed": removed,
    "replaced": replaced, "dropped again": dropped_again}


def settled(place, name, wanted):
    """What is wrong once everything has been read: missing keys, and lists that differ from their receipts."""
    def fault():
        if waiting := [n for n in place.files("incoming") + place.files("reading") if n.startswith(name)]:
            return f"not filed: {waiting}"
        for filed in place.files("done"):
            if filed.startswith(name) and not filed.endswith(".receipt.json"):
                if place.receipt(filed)["sha256"] != hash_of(place.spool("done/" + filed)):
                    return f"the receipt of {filed} is of other bytes"
        if missing := set(wanted) - place.queue():
            return f"{len(missing)} of {len(wanted)} keys are not in the queue"
        return ""
    wait_for(lambda: not fault(), PATIENCE)
    return fault()


# File systems, folders, numbers


def private_mounts():
    """From here on, mounts of this process and its children are private, and end with them."""
    private, recursive, new_namespace = 1 << 18, 1 << 14, 0x20000
    if LIBC.unshare(new_namespace) or LIBC.mount(b"none", b"/", None, private | recursive, None):
        sys.exit("hostile_spool_check.py: cannot have mounts of its own: " + os.strerror(ctypes.get_errno()))


def mount(source, target):
    """`source` appears at `target`: another file system, as rename(2) sees it, even where it is the same one."""
    if LIBC.mount(source.encode(), target.encode(), None, 4096, None):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), target)


def unmount(target):
    assert LIBC.umount2(target.encode(), 2) == 0, os.strerror(ctypes.get_errno())


@contextlib.contextmanager
def running():
    with SpoolPlace(BINARY) as place:
        place.sandbox("--limit", "1/1h")
        yield place, place.running_daemon()


def table(keys, options):
    with running() as (place, daemon):
        rows = cases(place, keys, options.long)
        for case in rows:
            with writer():
                case.drop(os.fsencode(place.incoming("")) + case.name)
        wanted = {key for case in rows for key in case.wanted.keys}
        # Those that are not yet as they should be; all of them are checked once more at the end.
        left = list(rows)

        def is_over():
            left[:] = [case for case in left if case.wanted.fault(place, case)]
            return not left and place.queue() == wanted
        wait_for(is_over, PATIENCE * (10 if options.long else 1), 0.5)
        for case in rows:
            fault = case.wanted.fault(place, case)
            check(f"{case.what}: {type(case.wanted).__name__.lower()}", not fault, fault)
        check("the queue has the keys of these lists and no others", place.queue() == wanted,
              (len(place.queue() - wanted), len(wanted - place.queue())))
        check("nobody has opened the FIFO", fifo_is_closed(place.incoming("fifo")))
        told = place.command("lists").stdout + place.log() + "".join(os.listdir(place.spool("done")))
        check("nothing is told raw", not [c for c in told if not c.isprintable() and c != "\n"])
        check("memory is bounded", peak(daemon) < 150, f"{peak(daemon)} MiB")
        print(f"      {len(rows)} cases, the daemon's peak {peak(daemon)} MiB", flush=True)


def fifo_is_closed(path):
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
    except OSError as error:
        return error.errno == errno.ENXIO
    return False


def peak(daemon):
    with open(f"/proc/{daemon.pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) // 1024


def deeds(keys, options):
    with running() as (place, daemon):
        while_it_is_read(place, daemon, keys)


def drop(place, keys, name):
    """Drops two keys; returns a check that they were read."""
    ids = keys(2)
    with writer():
        Drops(place).data(lines(ids))(os.fsencode(place.incoming(name)))
    return is_read(place, name, ids)


def is_read(place, name, ids):
    case = Case(name, name.encode(), None, Read(ids))
    return lambda: not case.wanted.fault(place, case) and place.queue() >= set(ids)


def mounts(keys, options):
    """A list that is a mount, and an `incoming/` that is another file system than `reading/`."""
    with running() as (place, daemon):
        def is_blocked(name, words, hint=""):
            unread = (place.ask("/v1/lists?limit=1") or {"unread": []})["unread"]
            return [u for u in unread if u["name"] == name and words in u["reason"] and hint in (u["hint"] or "")]

        mounted = keys(2)
        with writer():
            for path, ids in ((place.path("outside/above"), keys(2)), (place.incoming(".mounted"), mounted)):
                with open(path, "wb") as file:
                    file.write(lines(ids))
        with frozen(daemon):
            os.rename(place.incoming(".mounted"), place.incoming("mounted"))
            mount(place.path("outside/above"), place.incoming("mounted"))
        check("a list that is a mount stays", wait_for(lambda: is_blocked("mounted", "busy"), PATIENCE))
        unmount(place.incoming("mounted"))
        check("… and what was below is read once it is gone", wait_for(is_read(place, "mounted", mounted), PATIENCE))

        place.give(place.path("disk"), 0o2770)
        mount(place.path("disk"), place.spool("incoming"))
        with writer():
            with open(place.incoming("other"), "wb") as file:
                file.write(lines(keys(2)))
        check("a list on another file system stays, with what helps", wait_for(
            lambda: is_blocked("other", "cross-device", "one file system"), PATIENCE), place.ask("/v1/lists?limit=1"))
        check("… and is untouched", os.listdir(place.incoming("")) == ["other"])
        unmount(place.spool("incoming"))
        check("lists are read once incoming/ is itself again", wait_for(drop(place, keys, "itself"), PATIENCE))


def folders(keys, options):
    """Folders that are removed, and made again."""
    with running() as (place, _):
        mode = os.stat(place.spool("incoming"))
        shutil.rmtree(place.spool("incoming"))
        made = wait_for(lambda: os.path.isdir(place.spool("incoming")), PATIENCE)
        again = os.stat(place.spool("incoming"))
        check("incoming/ that was removed is made again as it was", made and (mode.st_mode, mode.st_gid) == (
            again.st_mode, again.st_gid), (mode, again))
        check("… and read", wait_for(drop(place, keys, "again"), PATIENCE))

        os.rename(place.path("spool"), place.path("away"))
        reason = wait_for(lambda: "still the same folder" in ((s := place.status())["reason"] or "") and s, PATIENCE)
        check("a spool that is gone is said to be", reason, place.status())
        place.give(place.path("spool"), 0o2750)
        for name in FOLDERS:
            place.give(place.spool(name), 0o2770 if name == "incoming" else 0o2750)
        check("a spool that was made again is read", wait_for(drop(place, keys, "new"), PATIENCE), place.status())
        shutil.rmtree(place.path("spool"))
        os.rename(place.path("away"), place.path("spool"))
        check("… and the old one once it is back", wait_for(drop(place, keys, "back"), PATIENCE), place.status())


@contextlib.contextmanager
def frozen(daemon):
    daemon.send_signal(signal.SIGSTOP)
    wait_for(lambda: state_of(daemon) == "T", 10, 0.001)
    yield
    daemon.send_signal(signal.SIGCONT)


def many(keys, options):
    """Tiny lists at once, as from many processes that run in the same minute."""
    with running() as (place, daemon):
        ids, begun = keys(options.lists), time.monotonic()
        os.setegid(GROUP)
        os.seteuid(WRITER)
        for number, id_ in enumerate(ids):
            with open(place.path("outside/new"), "w") as file:
                file.write(id_ + "\n")
            os.rename(place.path("outside/new"), place.incoming(f"tiny-{number}"))
        os.seteuid(0)
        dropped = time.monotonic() - begun

        def total():
            status = place.ask("/v1/status")
            return status["keys"]["total"] if status and not status["lists"]["incoming"] else -len(os.listdir(place.incoming("")))
        done = before = total()
        # However long it takes, if it makes progress.
        while done != len(ids) and (after := wait_for(lambda: (n := total()) != before and (n or -1), PATIENCE, 0.2)):
            done = before = after
        seconds = time.monotonic() - begun
        check(f"{len(ids)} lists of one key are read", done == len(ids), place.status())
        check("… all of them", place.queue() == set(ids))
        told = {name for name in place.files("done") if name.endswith(".receipt.json")}
        wrong = [n for n, id_ in enumerate(ids) if f"tiny-{n}.receipt.json" not in told
                 or (r := place.receipt(f"tiny-{n}"))["keys"]["accepted"] != 1
                 or r["sha256"] != hashlib.sha256(id_.encode() + b"\n").hexdigest()]
        check("each has its receipt", not wrong, wrong[:3])
        check("memory is bounded", peak(daemon) < 200, f"{peak(daemon)} MiB")
        print(f"      {len(ids)} lists, dropped in {dropped:.1f} s, read in {seconds:.1f} s; peak {peak(daemon)} MiB", flush=True)


def part(function, options):
    """One part in a process of its own: parts mostly wait."""
    private_mounts()
    function(Keys(f"{options.seed} {function.__name__}"), options)
    finish()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("lists", nargs="?", type=int, default=100)
    parser.add_argument("seed", nargs="?", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--long", action="store_true")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("hostile_spool_check.py: must be root, to write and to run the daemon as different users")
    folder = tempfile.mkdtemp(prefix="keyreg-check.", dir="/tmp")
    try:
        BINARY = usable_by_all(os.path.realpath(options.binary), folder)
        print(f"      seed {options.seed}", flush=True)
        parts = [multiprocessing.Process(target=part, args=(f, options)) for f in (table, deeds, mounts, folders, many)]
        for process in parts:
            process.start()
        for process in parts:
            process.join()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(any(process.exitcode for process in parts))
