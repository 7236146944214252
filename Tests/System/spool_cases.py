#!/usr/bin/env python3
"""Keys that were once lost on the way in: the smallest case of each kind, in fixed steps. `spool_property.py` mixes the
kinds at random.

    spool_cases.py BINARY [CASE…]      as root (it writes as other users, and mounts a small tmpfs); about a minute
"""

import contextlib
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid

from spool_place import GROUP, WRITER, FolderEvents, SpoolPlace, usable_by_all
from spool_plan import temporary_names
from support import check, finish, interrupt, wait_for

RNG = random.Random(8)
# Seconds in which everything must be right.
PATIENCE = float(os.environ.get("PATIENCE", 30))


def keys(count):
    return [str(uuid.UUID(int=RNG.getrandbits(128), version=4)) for _ in range(count)]


def lines(ids):
    return "".join(id_ + "\n" for id_ in ids).encode()


@contextlib.contextmanager
def other_user():
    """Files created inside belong to the writer, who is neither root nor the daemon."""
    os.setegid(GROUP)
    os.seteuid(WRITER)
    before = os.umask(0o007)
    try:
        yield
    finally:
        os.umask(before)
        os.seteuid(0)
        os.setegid(0)


def held(place, name):
    """A descriptor that appends to a new file in `incoming/`."""
    with other_user():
        return os.open(place.incoming(name), os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o660)


def append(place, name, data):
    descriptor = held(place, name)
    os.write(descriptor, data)
    os.close(descriptor)


def move_in(place, name, data):
    with other_user():
        with open(place.path("outside/" + name), "wb") as file:
            file.write(data)
        os.rename(place.path("outside/" + name), place.incoming(name))


def lists(place, folder="done"):
    return [name for name in place.files(folder) if not name.endswith((".receipt.json", ".reason.txt")) and name[0] != "."]


def wrong(place, ids):
    """What is wrong once everything in the spool was read and `ids` are its keys; empty when all is well."""
    if waiting := place.files("incoming") + place.files("reading"):
        return f"not filed: {waiting}"
    for name in lists(place):
        with open(place.spool("done/" + name), "rb") as file:
            data = file.read()
        try:
            receipt = place.receipt(name)
        except (FileNotFoundError, ValueError):
            return f"done/{name} has no receipt"
        if (receipt["bytes"], receipt["sha256"]) != (len(data), hashlib.sha256(data).hexdigest()):
            return f"done/{name} has {len(data)} bytes, its receipt tells of {receipt['bytes']}"
    queue = place.queue()
    if queue != set(ids):
        return f"{len(set(ids) - queue)} of {len(set(ids))} keys are not in the queue, {len(queue - set(ids))} others are"
    return ""


def check_sound(name, place, ids, seconds=PATIENCE):
    wait_for(lambda: not wrong(place, ids), seconds)
    found = wrong(place, ids)
    check(name, not found, found)


def is_filed(place, name, folder="done"):
    return wait_for(lambda: os.path.exists(place.spool(f"{folder}/{name}")), PATIENCE, 0.005)


@contextlib.contextmanager
def place_with_daemon(settle="200ms", start=True):
    """The API accepts one key an hour: only the intake is tested here."""
    with SpoolPlace(BINARY, settle) as place:
        place.sandbox("--limit", "1/1h")
        place.running = place.running_daemon() if start else None
        yield place


def next_event(events, wanted, seconds=PATIENCE):
    """Returns as soon as possible after the first event that is `wanted`: a function of folder, mask and name."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if any(wanted(*event) for event in events.read()):
            return True
    return False


# Appends


def append_when_the_receipt_begins():
    """Ten ids written and closed; as soon as the receipt is being written, `echo ID >> incoming/x`, by name and by descriptor."""
    for count in (10, 2_000):
        for way in ("name", "descriptor"):
            with place_with_daemon() as place:
                ids, late = keys(count), keys(1)
                events = FolderEvents([place.spool("done")], FolderEvents.CREATE)
                descriptor = held(place, "x")
                os.write(descriptor, lines(ids))
                if way == "name":
                    os.close(descriptor)
                # A daemon that waits for the descriptor to be closed begins no receipt.
                begun = next_event(events, lambda *_: True, PATIENCE if way == "name" else 3)
                if way == "name":
                    append(place, "x", lines(late))
                else:
                    os.write(descriptor, lines(late))
                    os.close(descriptor)
                events.close()
                check("the receipt was seen to begin", begun or way == "descriptor")
                check_sound(f"an append by {way} when the receipt of {count} ids begins", place, ids + late)


def parts_in_a_loop():
    """`for f in parts; do cat $f >> incoming/x; done`, 20 × 500."""
    with place_with_daemon("2s") as place:
        ids = keys(10_000)
        os.mkdir(place.path("parts"))
        for part in range(20):
            with open(place.path(f"parts/{part:02}"), "wb") as file:
                file.write(lines(ids[part * 500:part * 500 + 500]))
        loop(place, f'for f in {place.path("parts")}/*; do cat "$f" >> x; done')
        check_sound("20 parts of 500 ids in a loop", place, ids)
        check("the loop is one list", lists(place) == ["x"], lists(place))


def appends_of_a_shell():
    """2,000 × `echo $k >> incoming/x`."""
    with place_with_daemon("2s") as place:
        ids = keys(2_000)
        loop(place, "while read k; do echo $k >> x; done", lines(ids))
        check_sound("2,000 appends of a shell", place, ids)
        check("they are one list", lists(place) == ["x"], lists(place))


def loop(place, script, given=b""):
    subprocess.run(
        ["sh", "-c", script], input=given, cwd=place.spool("incoming"), check=True, user=WRITER, group=GROUP, extra_groups=[],
        umask=0o007)


def appends_of_a_program():
    """5,000 appends of a program, 0 to 1 ms apart; with a short settle they may be several lists, and none is lost."""
    with place_with_daemon("10ms") as place:
        ids = keys(5_000)
        with other_user():
            for id_ in ids:
                with open(place.incoming("x"), "ab") as file:
                    file.write(lines([id_]))
                time.sleep(RNG.choice([0, 0, 0.0005, 0.001]))
        check_sound("5,000 appends of a program", place, ids, 60)


# Writers that stall


def stalled_upload_over_a_start():
    """Half of an upload is there when the daemon starts, and its writer stalls for longer than settle."""
    with place_with_daemon(start=False) as place:
        ids = keys(1_000)
        descriptor = held(place, "x")
        os.write(descriptor, lines(ids)[:18_500])
        place.running_daemon()
        is_filed(place, "x")
        os.write(descriptor, lines(ids)[18_500:])
        os.close(descriptor)
        check_sound("an upload that stalls while the daemon starts", place, ids)
        check_one_list(place, 1_000)


def stalled_upload_over_a_restart():
    with place_with_daemon() as place:
        for number, (name, how) in enumerate([("x", signal.SIGTERM), ("y", signal.SIGKILL)]):
            ids = keys(1_000)
            descriptor = held(place, name)
            os.write(descriptor, lines(ids)[:18_500])
            place.running.send_signal(how)
            place.running.wait()
            place.running = place.running_daemon()
            is_filed(place, name)
            os.write(descriptor, lines(ids)[18_500:])
            os.close(descriptor)
            check_sound(f"an upload that stalls over {how.name} and a start", place, ids if not number else first + ids)
            first = ids


def check_one_list(place, accepted):
    receipt = place.receipt("x") if lists(place) == ["x"] else None
    fine = receipt and receipt["keys"]["accepted"] == accepted and not receipt["keys"]["invalid"]
    check("it is one list", fine, receipt and receipt["keys"])


def second_descriptor():
    """One descriptor is closed, another is still open and writes after longer than settle."""
    with place_with_daemon() as place:
        ids = keys(1_000)
        one, two = held(place, "x"), held(place, "x")
        os.write(one, lines(ids)[:18_500])
        os.close(one)
        wait_for(lambda: os.path.exists(place.spool("done/x")), 1)
        os.write(two, lines(ids)[18_500:])
        os.close(two)
        check_sound("a second descriptor that is held open", place, ids)
        check_one_list(place, 1_000)


def growth_while_the_daemon_is_down():
    """A list in `done/` grows while no daemon runs."""
    with place_with_daemon(start=False) as place:
        ids = keys(20)
        descriptor = held(place, "x")
        os.write(descriptor, lines(ids[:10]))
        daemon = place.running_daemon()
        is_filed(place, "x")
        wait_for(lambda: place.queue(), PATIENCE)
        interrupt(daemon)
        os.write(descriptor, lines(ids[10:]))
        os.close(descriptor)
        place.running_daemon()
        check_sound("a list that grew while the daemon was down", place, ids)
        check_one_list(place, 20)


def growth_that_opens_a_list_again():
    """The results of a list that was done have the keys that came later."""
    with SpoolPlace(BINARY) as place:
        place.sandbox("--limit", "10000/10s")
        ids = keys(20)
        descriptor = held(place, "x")
        os.write(descriptor, lines(ids[:10]))
        place.running_daemon()
        wait_for(lambda: os.path.exists(place.spool("results/x.csv")), PATIENCE)
        os.write(descriptor, lines(ids[10:]))
        os.close(descriptor)
        check_sound("a list that grew after it was done", place, ids)
        done = wait_for(lambda: [row[0] for row in place.results("x")] == ids, PATIENCE)
        check("its results are written anew, in order", done, [row[0] for row in place.results("x")])
        check_one_list(place, 20)


def growth_beyond_the_limit():
    """A list that grows beyond `max_file_size` shows as blocked: what came later is not read, and that must be visible."""
    with place_with_daemon(start=False) as place:
        place.config("spool:\n  settle: 200ms\n  max_file_size: 1KiB\n")
        place.running_daemon()
        ids = keys(40)
        descriptor = os.open(place.path("outside/x"), os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
        os.write(descriptor, lines(ids[:20]))
        os.rename(place.path("outside/x"), place.incoming("x"))
        is_filed(place, "x")
        os.write(descriptor, lines(ids[20:]))
        os.close(descriptor)
        blocked = wait_for(lambda: place.ask("/v1/status")["lists"].get("blocked") == 1, PATIENCE)
        check("growth beyond max_file_size shows as blocked", blocked, place.ask("/v1/status")["lists"])
        check("the keys that were read stay", set(ids[:20]) <= place.queue(), len(place.queue()))


# Lists that are rejected


def append_to_a_list_being_rejected():
    for way in ("name", "descriptor", "descriptor, later"):
        with place_with_daemon(start=False) as place:
            ids = keys(1)
            events = FolderEvents([place.spool("rejected")], FolderEvents.CREATE)
            descriptor = held(place, "x")
            os.write(descriptor, b"no key\n")
            if way == "name":
                os.close(descriptor)
            place.running_daemon()
            check("the reason was seen to begin", next_event(events, lambda *_: True))
            events.close()
            if way == "name":
                append(place, "x", lines(ids))
            else:
                if way != "descriptor":
                    is_filed(place, "x", "rejected")
                os.write(descriptor, lines(ids))
                os.close(descriptor)
            check_sound(f"an append by {way} to a list that is being rejected", place, ids)
            if way != "name":
                check("it is not among the rejected", lists(place, "rejected") == [], lists(place, "rejected"))


# Kills and a full disk


def kill_when_the_list_is_moved():
    """A kill between the rename and the note that the list was filed; later the same bytes under the same name."""
    with place_with_daemon() as place:
        data, daemon = {f"x{number}": lines(keys(3)) for number in range(12)}, place.running
        for name in data:
            events = FolderEvents([place.spool("done")], FolderEvents.MOVED_TO)
            move_in(place, name, data[name])
            next_event(events, lambda folder, mask, moved: moved == name)
            daemon.kill()
            daemon.wait()
            events.close()
            move_in(place, name, data[name])
            daemon = place.running_daemon()
        ids = b"".join(data.values()).decode().split()
        check_sound("twelve kills as a list is moved, with the same bytes and name", place, ids)
        check("each of them is there", len(lists(place)) == 24, lists(place))


def full_disk_when_the_list_is_moved():
    """The disk of the queue is full just when a list is filed, half of the time with a kill; later the same bytes and name."""
    with SpoolPlace(BINARY) as place, small_disk(place) as disk:
        place.env["KEYREG_STATE"] = disk + "/state"
        place.sandbox("--limit", "10000/10s")
        daemon, data = place.running_daemon(), {f"x{number}": lines(keys(3)) for number in range(8)}
        place.command("pause")
        # The moment is short, hence several attempts.
        for number, name in enumerate(data):
            events = FolderEvents([place.spool("done")], FolderEvents.CREATE)
            move_in(place, name, data[name])
            next_event(events, lambda *_: True)
            daemon.send_signal(signal.SIGSTOP)
            events.close()
            fill(disk + "/filler")
            daemon.send_signal(signal.SIGCONT)
            # Time for the note to fail, whether the list is filed before it or after; nothing outside shows it reliably.
            wait_for(lambda: os.path.exists(place.spool("done/" + name)), 0.5, 0.005)
            wait_for(lambda: "disk" in place.log() or "full" in place.log(), 0.3)
            if number % 2:
                daemon.kill()
                daemon.wait()
            os.unlink(disk + "/filler")
            move_in(place, name, data[name])
            if number % 2:
                daemon = place.running_daemon()
        ids = b"".join(data.values()).decode().split()
        check_sound("a full disk as lists are moved, then the same bytes and names", place, ids)
        check("all of them are there", len(lists(place)) == 2 * len(data), lists(place))
        place.command("resume")
        interrupt(daemon)
        check("--until-done ends", place.until_done(PATIENCE) == 0)


@contextlib.contextmanager
def small_disk(place):
    disk = place.path("small")
    place.give(disk, 0o755)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk], check=True)
    try:
        place.give(disk + "/state", 0o750)
        yield disk
    finally:
        for process in place.started:
            if process.poll() is None:
                process.kill()
                process.wait()
        subprocess.run(["umount", disk], check=False)


def fill(path):
    """Writes until there is no room for another byte."""
    with open(path, "wb", buffering=0) as file:
        for piece in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * piece) == piece:
                    pass


def kills_in_the_first_start():
    """SIGKILL while the queue is made for the first time."""
    stuck = []
    for number in range(1, 13):
        with SpoolPlace(BINARY) as place:
            place.env["KEYREG_API_URL"] = "http://127.0.0.1:9"
            events = FolderEvents([place.path("state")], FolderEvents.CREATE | FolderEvents.MODIFY | FolderEvents.DELETE)
            daemon, seen, end = place.daemon(), 0, time.monotonic() + 5
            while seen < number and time.monotonic() < end:
                seen += len(events.read())
            daemon.kill()
            daemon.wait()
            events.close()
            daemon = place.daemon()
            wait_for(lambda: place.ask("/v1/status") or daemon.poll() is not None, PATIENCE, 0.01)
            if not place.ask("/v1/status"):
                stuck.append(f"at change {number}: {place.log().splitlines()[-2:]}")
    check("a daemon that was killed in its first start starts again", not stuck, f"{len(stuck)} of 12, {stuck[:1]}")


def kills_in_an_import():
    """SIGKILL while a long list is read."""
    with place_with_daemon(start=False) as place:
        ids = keys(20_000)
        move_in(place, "x", lines(ids))
        for share in (0.05, 0.3, 0.6, 0.9):
            daemon = place.running_daemon()

            def is_so_far():
                status = place.ask("/v1/status")
                return status and status["keys"]["total"] >= share * len(ids) or lists(place)
            wait_for(is_so_far, PATIENCE, 0.005)
            daemon.kill()
            daemon.wait()
        place.running_daemon()
        check_sound("four kills in an import of 20,000 ids", place, ids, 60)
        check_one_list(place, 20_000)


# Names and records that are not finished


def temporary_names_renamed_later():
    """Each usual temporary name, written in two pieces with longer than settle between, then renamed."""
    with place_with_daemon() as place:
        names = temporary_names("x")
        wanted = {name: keys(4) for name in names}
        control = keys(1)
        for name in names:
            append(place, name, lines(wanted[name])[:100])
        append(place, "control", lines(control))
        is_filed(place, "control")
        for name in names:
            if os.path.exists(place.incoming(name)):
                append(place, name, lines(wanted[name])[100:])
        taken = []
        for number, name in enumerate(names):
            try:
                os.rename(place.incoming(name), place.incoming(f"final{number}"))
            except FileNotFoundError:
                taken.append(name)
        check(f"{len(names)} temporary names are left alone until they are renamed", not taken, " ".join(taken))
        ids = control + [id_ for name in names for id_ in wanted[name]]
        check_sound("what was renamed is read", place, ids, 5 if taken else PATIENCE)


def half_an_id_that_is_completed():
    with place_with_daemon() as place:
        ids = keys(11)
        descriptor = os.open(place.path("outside/x"), os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o640)
        os.chown(place.path("outside/x"), WRITER, GROUP)
        os.write(descriptor, lines(ids)[:-20])
        os.rename(place.path("outside/x"), place.incoming("x"))
        is_filed(place, "x")
        os.write(descriptor, lines(ids)[-20:])
        os.close(descriptor)
        check_sound("half an id that is completed later", place, ids)
        check_one_list(place, 11)


def records_of_several_lines():
    """A list that is filed when its last line is complete and its last record is not, and is completed later."""
    forms = {
        "array": '[\n"{}",\n"{}"\n]\n', "objects": '{{\n "id": "{}"\n}}\n{{\n "id": "{}"\n}}\n',
        "csv": 'name,app_key_id\n"one\nname",{}\n"other\n\nname",{}\n'}
    with place_with_daemon() as place:
        ids, rest = [], {}
        for form, text in forms.items():
            data = text.format(*keys(2)).encode()
            for cut in [n + 1 for n in range(len(data) - 1) if data[n:n + 1] == b"\n"]:
                own = keys(2)
                data, name = text.format(*own).encode(), f"{form}-{cut}"
                ids += own
                path = place.path("outside/" + name)
                descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
                os.write(descriptor, data[:cut])
                os.rename(path, place.incoming(name))
                rest[name] = (descriptor, data[cut:])
        for name, (descriptor, data) in rest.items():
            wait_for(lambda: any(os.path.exists(place.spool(f"{folder}/{name}")) for folder in ("done", "rejected")), PATIENCE)
            os.write(descriptor, data)
            os.close(descriptor)
        check_sound("records of several lines that are completed later", place, ids)
        for name in rest:
            wait_for(lambda: name in lists(place) and counts(place, name) == (2, 0), 5)
        bad = {name: counts(place, name) if name in lists(place) else "rejected" for name in rest}
        bad = {name: count for name, count in bad.items() if count != (2, 0)}
        check("each of these lists has two keys and nothing that is invalid", not bad, bad)


def counts(place, name):
    """How many keys the receipt counts, and how many invalid entries."""
    keys_ = place.receipt(name)["keys"]
    return keys_["accepted"] + keys_["already_known"] + keys_["duplicate_in_list"], keys_["invalid"]


def whole_id_that_becomes_another():
    """A last record that looks complete is not a key while it may still grow."""
    with place_with_daemon("2s") as place:
        ids = keys(11)
        descriptor = os.open(place.path("outside/x"), os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o640)
        os.chown(place.path("outside/x"), WRITER, GROUP)
        os.write(descriptor, lines(ids)[:-1])
        events = FolderEvents([place.spool("incoming")], FolderEvents.MOVED_FROM)
        os.rename(place.path("outside/x"), place.incoming("x"))
        next_event(events, lambda *_: True, 3)
        events.close()
        os.write(descriptor, b"0\n")
        os.close(descriptor)
        check_sound("a whole id without a line end that becomes something else", place, ids[:10])
        receipt = place.receipt("x")
        check("it is an invalid line", receipt["keys"]["invalid"] == 1 and not receipt.get("unterminated"), receipt)


def last_line_without_end():
    with place_with_daemon() as place:
        ids = keys(2)
        move_in(place, "whole", lines(ids)[:-1])
        move_in(place, "half", lines(ids)[:-9])
        check_sound("last lines without an end", place, ids)
        whole, half = place.receipt("whole"), place.receipt("half")
        check("half an id at the end is invalid, and the receipt says why",
              half["keys"]["invalid"] == 1 and half.get("unterminated") is True, half)
        check("a whole one is a key", whole["keys"]["invalid"] == 0, whole)


def unreadable():
    """A list that the daemon may not read stays, is reported, and is taken as soon as it can be."""
    with place_with_daemon() as place:
        ids = keys(3)
        append(place, "x", lines(ids[:2]))
        with open(place.incoming("y"), "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(lines(ids[2:]))
        is_filed(place, "x")
        blocked = wait_for(lambda: (place.ask("/v1/status")["lists"]).get("blocked") == 1, 10)
        check("status reports a list that cannot be read", blocked, place.ask("/v1/status")["lists"])
        check("it stays", place.files("incoming") == ["y"], place.files("incoming"))
        told = place.command("lists").stdout
        check("`lists` shows it, with what helps", "y" in told and "chmod" in told, told)
        os.chmod(place.incoming("y"), 0o644)
        check_sound("it is taken when it can be read", place, ids)


CASES = [
    append_when_the_receipt_begins, parts_in_a_loop, appends_of_a_shell, appends_of_a_program,
    stalled_upload_over_a_start, stalled_upload_over_a_restart, second_descriptor, growth_while_the_daemon_is_down,
    growth_that_opens_a_list_again, growth_beyond_the_limit, append_to_a_list_being_rejected, kill_when_the_list_is_moved,
    full_disk_when_the_list_is_moved, kills_in_the_first_start, kills_in_an_import, temporary_names_renamed_later,
    half_an_id_that_is_completed, records_of_several_lines, whole_id_that_becomes_another, last_line_without_end,
    unreadable]

if os.geteuid() != 0:
    sys.exit("spool_cases.py: must be root, to write and to run the daemon as different users")
folder = tempfile.mkdtemp(prefix="keyreg-check.", dir="/tmp")
try:
    BINARY = usable_by_all(os.path.realpath(sys.argv[1]), folder)
    for case in CASES:
        if len(sys.argv) < 3 or case.__name__ in sys.argv[2:]:
            case()
finally:
    shutil.rmtree(folder, ignore_errors=True)
finish()
