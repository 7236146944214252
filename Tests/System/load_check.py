#!/usr/bin/env python3
"""Size and disk: long lists in every format, a list of millions of lines in constant memory, a full disk.

    load_check.py BINARY [KEYS [LINES]]      as root (a small tmpfs is mounted); about two minutes

KEYS (2,000) is the length of a list in each format, LINES (1,000,000) that of the long list.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import time

from support import Place, check, finish, interrupt, keys, wait_for

BINARY = os.path.realpath(sys.argv[1])
KEYS, LINES = [int(a) for a in sys.argv[2:4]] + [2_000, 1_000_000][len(sys.argv[2:4]):]


def formats():
    """A list in each format, by each way into the spool, at 1,000 requests in 10 s, to the last result."""
    with Place(BINARY) as place:
        place.sandbox("--limit", "1000/10s", "--latency", "20ms")
        lists = {
            "text": lambda ids: "\n".join(ids),
            "csv": lambda ids: "name;app_key_id\r\n" + "".join(f'"x";{i}\r\n' for i in ids),
            "lines": lambda ids: "".join(json.dumps({"id": i}) + "\n" for i in ids),
            "array": lambda ids: json.dumps(ids, indent=1),
            "answer": lambda ids: json.dumps({"data": [{"id": i, "type": "application_keys"} for i in ids], "meta": {}}),
        }
        wanted = {name: keys(KEYS) for name in lists}
        daemon = place.daemon()
        wait_for(place.status)
        begun = time.monotonic()
        for number, (name, write) in enumerate(lists.items()):
            text = write(wanted[name])
            if number % 3 == 0:
                place.drop(name, text)
            elif number % 3 == 1:
                with open(place.path(name), "w", newline="") as file:
                    file.write(text)
                place.command("submit", place.path(name))
            else:
                with open(place.path(name), "w") as file:
                    file.write(text)
                shutil.copy(place.path(name), place.path("spool/incoming/" + name))
        total = KEYS * len(lists)
        ended = place.command("status", "--wait", "--timeout", f"{total // 80 + 60}s").returncode
        seconds = time.monotonic() - begun
        check(f"{total} keys in five formats are registered", ended == 0, ended)
        for name, ids in wanted.items():
            check(f"results of {name} are whole and in order", [row[0] for row in place.results(name)] == ids)
        journal = place.journal()
        refused = sum(1 for request in journal if request["status"] == 429)
        check("every key was sent once", len(journal) - refused == total, len(journal))
        check("at most 2 refusals in 1,000", refused * 500 <= total, refused)
        least = total // 100 - 20  # and up to 10 s more, as the first window falls
        print(f"      {total} keys in {seconds:.0f} s; nobody can do it in less than {least} to {least + 10} s")
        check("an orderly stop", interrupt(daemon) == 0)


def memory():
    """Memory does not grow with the list."""
    with Place(BINARY) as place:
        place.sandbox("--limit", "1/1h")
        daemon = place.daemon()
        wait_for(place.status)
        place.command("pause")

        def peak():
            with open(f"/proc/{daemon.pid}/status") as file:
                return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) // 1024
        before = peak()
        path = place.path("spool/incoming/.long")
        with open(path, "w") as file:
            for _ in range(LINES // 1000):
                file.write("".join(uuid_line() for _ in range(1000)))
        begun = time.monotonic()
        os.rename(path, place.path("spool/incoming/long"))
        done = wait_for(lambda: os.path.exists(place.path("spool/done/long")), 900)
        seconds = time.monotonic() - begun
        check(f"{LINES} lines are imported", done and place.status()["keys"]["total"] == LINES)
        check("memory stays below 200 MiB", peak() < 200, f"{before} → {peak()} MiB")
        begun = time.monotonic()
        place.command("status", "--json")
        print(f"      {LINES} lines in {seconds:.0f} s, peak {peak()} MiB; status in {time.monotonic() - begun:.3f} s")
        check("an orderly stop", interrupt(daemon) == 0)


def uuid_line():
    n = f"{random.getrandbits(128):032x}"
    return f"{n[:8]}-{n[8:12]}-{n[12:16]}-{n[16:20]}-{n[20:]}\n"


def full_disk():
    """With a full disk the daemon holds, loses nothing, and continues when there is room."""
    with Place(BINARY) as place:
        os.mkdir(place.path("small"))
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", place.path("small")], check=True)
        try:
            place.env["KEYREG_STATE"] = place.path("small/state")
            place.sandbox("--limit", "100000/10s", "--latency", "20ms")
            ids = keys(3000)
            place.drop("list", "\n".join(ids))
            daemon = place.daemon()
            wait_for(lambda: (s := place.status()) and s["keys"]["registered"] > 200)
            with open(place.path("small/filler"), "wb", buffering=0) as file:
                try:
                    while True:
                        file.write(b"x" * 4096)
                except OSError:
                    pass
            held = wait_for(lambda: (s := place.status()) and s["hold"] == "disk" and s, 30)
            check("a full disk is a hold", held and held["state"] == "holding", place.status())
            sent = len(place.journal())
            time.sleep(2)
            check("nothing is sent meanwhile", len(place.journal()) == sent)
            os.unlink(place.path("small/filler"))
            ended = place.command("status", "--wait", "--timeout", "60s").returncode
            check("it goes on when there is room", ended == 0, place.status())
            check("nothing was sent twice", len(place.journal()) == 3000, len(place.journal()))
            check("an orderly stop", interrupt(daemon) == 0)
        finally:
            if daemon.poll() is None:
                daemon.kill()
                daemon.wait()
            subprocess.run(["umount", place.path("small")], check=False)


formats()
memory()
full_disk()
finish()
