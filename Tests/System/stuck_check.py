#!/usr/bin/env python3
"""Never stuck: a spool that hangs, is full or read-only, misbehaving clients, and a daemon that is stopped.

    stuck_check.py BINARY [OUTCOMES [LISTS [LIMIT]]]      as root (file systems are mounted); about two minutes

Each of sixteen streams reads OUTCOMES (200,000), LISTS (300,000) are paged through, and a short answer may take
LIMIT (0.05) seconds on an otherwise idle machine.
"""

import ctypes
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import uuid

from support import Place, check, finish, keys, wait_for

BINARY = os.path.realpath(sys.argv[1])
OUTCOMES, LISTS = [int(a) for a in sys.argv[2:4]] + [200_000, 300_000][len(sys.argv[2:4]):]
LIMIT = float(sys.argv[4]) if len(sys.argv) > 4 else 0.05
libc = ctypes.CDLL(None, use_errno=True)


def mount(source, target, kind, data):
    if libc.mount(source.encode(), target.encode(), kind.encode(), 0, data.encode()):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), target)


class Notify:
    """The daemon's reports to systemd."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.beats = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            if b"WATCHDOG=1" in self.socket.recv(4096):
                self.beats.append(time.monotonic())


def connect(place):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(30)
    connection.connect(place.path("c.sock"))
    return connection


def get(place, path):
    """Seconds and status of one exchange on a connection of its own."""
    begun = time.monotonic()
    with connect(place) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
        reply = b""
        while piece := connection.recv(65536):
            reply += piece
    return time.monotonic() - begun, int(reply.split(b" ", 2)[1]), reply.partition(b"\r\n\r\n")[2]


def slowest(place, path, seconds):
    times = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        taken, status, _ = get(place, path)
        if status != 200:
            return float("inf")
        times.append(taken)
        time.sleep(0.02)
    times.sort()
    print(f"      {path}: {len(times)} calls, median {times[len(times) // 2] * 1000:.1f} ms, "
          f"p99 {times[len(times) * 99 // 100] * 1000:.1f} ms, slowest {times[-1] * 1000:.1f} ms")
    return times[-1]


class Hang:
    """A file system over a folder that never responds, like a network mount whose server is gone; what is below it
    is back when it ends."""

    def __init__(self, path):
        self.path = path
        self.fuse = os.open("/dev/fuse", os.O_RDWR)
        mount("hang", path, "fuse", f"fd={self.fuse},rootmode=40000,user_id=0,group_id=0")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        if self.fuse is not None:
            os.close(self.fuse)
            libc.umount2(self.path.encode(), 2)
            self.fuse = None


def post(place, name, text, patience=15):
    """Seconds, status and body of a list that is posted; a status of 0 for no answer."""
    begun = time.monotonic()
    curl = subprocess.run(
        ["curl", "-s", "-m", str(patience), "-w", "\n%{http_code}", "--unix-socket", place.path("c.sock"),
         "--data-binary", "@-", f"http://h/v1/lists?name={name}"], input=text, capture_output=True, text=True).stdout
    body, _, status = curl.rpartition("\n")
    return time.monotonic() - begun, int(status), body


def stop(place, daemon, limit, patience=40):
    """Seconds until a daemon has ended after SIGTERM; infinity when it has not."""
    begun = time.monotonic()
    daemon.send_signal(signal.SIGTERM)
    try:
        daemon.wait(patience)
    except subprocess.TimeoutExpired:
        return float("inf")
    print(f"      stopped after {time.monotonic() - begun:.1f} s of {limit} s")
    return time.monotonic() - begun


def hanging_spool():
    """A spool that hangs while the daemon runs, and then responds again."""
    with Place(BINARY) as place:
        notify = Notify(place.path("notify"))
        place.env.update(NOTIFY_SOCKET=place.path("notify"), WATCHDOG_USEC="4000000")
        place.sandbox("--limit", "100000/10s")
        daemon = place.daemon()
        wait_for(place.status)
        with open(place.path("list"), "w") as file:
            file.write("\n".join(keys(3)))
        with Hang(place.path("spool")) as hang:
            # At once, before the hang was noticed; and two more afterwards.
            first = post(place, "first", keys(1)[0])
            check("a list that is posted while the spool begins to hang gets an answer in time",
                  first[0] < 8 and first[1] == 503, first)
            error = json.loads(first[2] or "{}").get("error", {})
            check("… with code, words and a hint",
                  error.get("code") == "unavailable" and "has not answered" in error["message"] and error["hint"], error)
            begun, heard = time.monotonic(), len(notify.beats)
            longest = max(slowest(place, path, 4) for path in ("/v1/status", "/healthz", "/v1/lists"))
            check("status, health and lists answer in time while the spool hangs", longest < LIMIT, longest)
            status = json.loads(get(place, "/v1/status")[2])
            check("the reason says so", "has not answered" in (status["reason"] or ""), status["reason"])
            check("… as a hold", status["hold"] == "disk" and status["state"] == "holding")
            check("… and so does the journal", "has not answered" in place.log(), place.log())
            later = post(place, "later", keys(1)[0])
            check("a list that is posted then is refused at once", later[0] < 1 and later[1] == 503, later)
            unknown = get(place, "/v1/lists/unknown")
            check("so is a question that only the spool could answer", unknown[0] < 4 and unknown[1] in (404, 503), unknown)
            began = time.monotonic()
            submit = place.command("submit", place.path("list"), timeout=30)
            check("submit ends after some seconds with 75 and says why",
                  submit.returncode == 75 and "has not answered" in submit.stderr and "hint: " in submit.stderr
                  and time.monotonic() - began < 15, (submit, time.monotonic() - began))
            time.sleep(max(0, begun + 12 - time.monotonic()))
            beats = len(notify.beats) - heard
            check("the watchdog hears of it all the while", beats >= 5, beats)
            hang.end()
            check("it goes on by itself", wait_for(lambda: (s := place.status()) and s["state"] == "idle", 15),
                  place.status())
            taken, code, body = post(place, "after", keys(1)[0])
            check("… and takes lists again", code == 201, body)
        check("… in order", stop(place, daemon, 30) < 30 and daemon.returncode == 0)


def hanging_stop():
    """SIGTERM ends a daemon within stop_timeout, though its spool hangs."""
    for limit, prepare in ((30, "idle"), (2, "idle"), (2, "reading"), (2, "posting")):
        with Place(BINARY) as place:
            place.config(f"stop_timeout: {limit}s\nspool:\n  settle: 100ms\n")
            place.sandbox("--limit", "100000/10s")
            daemon = place.daemon()
            wait_for(place.status)
            if prepare == "reading":
                place.drop("long", "\n".join(keys(300_000)))
                wait_for(lambda: place.status()["keys"]["total"] > 2_000, every=0.01)
            with Hang(place.path("spool")):
                time.sleep(3 if prepare == "idle" else 0.2)
                client = None
                if prepare == "posting":
                    client = threading.Thread(target=post, args=(place, "x", keys(1)[0]))
                    client.start()
                    time.sleep(0.2)
                taken = stop(place, daemon, limit)
                check(f"SIGTERM ends it within {limit} s ({prepare})", taken <= limit and daemon.returncode == 0,
                      (taken, daemon.returncode))
                if client:
                    client.join()


def hanging_below():
    """The spool is a folder in the file system that hangs, so that not even its path can be followed."""
    with Place(BINARY) as place:
        place.config("stop_timeout: 5s\nspool:\n  settle: 100ms\n")
        place.sandbox("--limit", "100000/10s")
        place.env["KEYREG_SPOOL"] = place.path("mount/spool")
        os.makedirs(place.path("mount/spool/incoming"))
        with open(place.path("list"), "w") as file:
            file.write(keys(1)[0])
        with Hang(place.path("mount")) as hang:
            daemon = place.daemon()
            status = wait_for(place.status, 20)
            check("the socket answers though the way to the spool hangs", status and status["hold"] == "disk", status)
            for command in (["check"], ["submit", place.path("list")]):
                ended = place.command(*command, "--config", place.path("keyreg.yaml"))
                check(f"{command[0]} ends with 75 and says why",
                      ended.returncode == 75 and "has not answered" in ended.stderr, ended)
            hang.end()
            check("it goes on by itself", wait_for(lambda: (s := place.status()) and s["state"] == "idle", 15))
        check("… in order", stop(place, daemon, 5) <= 5 and daemon.returncode == 0)


def hanging_start():
    """A daemon that starts on a hanging spool serves what it can, and continues by itself."""
    for known in (True, False):
        with Place(BINARY) as place:
            notify = Notify(place.path("notify"))
            place.env.update(NOTIFY_SOCKET=place.path("notify"), WATCHDOG_USEC="4000000")
            place.config("stop_timeout: 5s\nspool:\n  settle: 100ms\n")
            place.sandbox("--limit", "100000/10s")
            os.makedirs(place.path("spool/incoming"))
            if known:
                place.drop("before", "\n".join(keys(5)))
                check("first of all it works", place.until_done(30) == 0)
            place.drop("waiting", "\n".join(keys(5)))
            with Hang(place.path("spool")) as hang:
                daemon = place.daemon()
                begun = time.monotonic()
                status = wait_for(place.status, 20)
                check("the socket answers though the spool hangs at the start", status and time.monotonic() - begun < 10,
                      time.monotonic() - begun)
                status = wait_for(lambda: (s := place.status()) and s["state"] == "holding" and s, 10) or status
                check("… and status says what it holds for", status and status["hold"] == "disk"
                      and "has not answered" in status["reason"], status)
                check("the journal says so too", "has not answered" in place.log(), place.log())
                refused = post(place, "x", keys(1)[0])
                check("a post is refused", refused[0] < 5 and refused[1] == 503, refused)
                time.sleep(5)
                check("the watchdog hears of it all the while", len(notify.beats) >= 2, notify.beats)
                hang.end()
                count = 10 if known else 5
                check("it goes on by itself when the spool answers", wait_for(
                    lambda: (s := place.status()) and s["keys"]["registered"] == count and s["state"] == "idle", 20),
                    place.status())
                check("… and files its lists", wait_for(lambda: os.path.exists(place.path("spool/results/waiting.csv")), 5))
            with Hang(place.path("spool")):
                taken = stop(place, daemon, 5)
                check("SIGTERM ends it in time", taken <= 5 and daemon.returncode == 0, (taken, daemon.returncode))
                daemon = place.daemon()
                wait_for(place.status, 20)
                taken = stop(place, daemon, 5)
                check("… also before the spool has answered", taken <= 5 and daemon.returncode == 0,
                      (taken, daemon.returncode))


def bad_spools():
    """A spool that is full, and one that is read-only."""
    with Place(BINARY) as place:
        os.mkdir(place.path("disk"))
        mount("tmpfs", place.path("disk"), "tmpfs", "size=2m")
        try:
            place.env["KEYREG_SPOOL"] = place.path("disk/spool")
            place.sandbox("--limit", "100000/10s")
            daemon = place.daemon()
            wait_for(place.status)
            with open(place.path("list"), "w") as file:
                file.write("\n".join(keys(5000)))
            with open(place.path("disk/filler"), "wb", buffering=0) as file:
                try:
                    while True:
                        file.write(b"x" * 4096)
                except OSError:
                    pass
            status = wait_for(lambda: (s := place.status()) and s["hold"] == "disk" and s, 10) or place.status()
            check("a full spool is a hold that says so", "No space left" in (status["reason"] or ""), status["reason"])
            submit = place.command("submit", place.path("list"))
            check("submit says it too", submit.returncode == 74 and "hint: " in submit.stderr, submit.stderr)
            posted = subprocess.run(
                ["curl", "-s", "-w", "%{http_code}", "--unix-socket", place.path("c.sock"), "--data-binary",
                 "@" + place.path("list"), "http://h/v1/lists?name=posted"], capture_output=True, text=True).stdout
            check("the socket answers 507", posted.endswith("507") and '"code":"no_space"' in posted, posted)
            os.unlink(place.path("disk/filler"))
            check("with room again, it is idle", wait_for(lambda: place.status()["state"] == "idle", 10))
            # Files open for writing keep a file system from becoming read-only, so a read-only view is mounted over it.
            view = place.path("disk/spool")
            subprocess.run(["mount", "--bind", view, view], check=True)
            subprocess.run(["mount", "-o", "remount,bind,ro", view], check=True)
            status = wait_for(lambda: (s := place.status()) and s["hold"] == "disk" and s, 10) or place.status()
            check("a read-only spool is a hold that says so", "Read-only" in (status["reason"] or ""), status["reason"])
            submit = place.command("submit", place.path("list"))
            check("submit says it too", submit.returncode == 74 and "hint: " in submit.stderr, submit.stderr)
            health = get(place, "/healthz")
            check("health gives the reason", b"Read-only" in health[2], health[2])
        finally:
            daemon.terminate()
            daemon.wait(30)
            subprocess.run(["umount", "-lR", place.path("disk")], check=False)


def fill(place, lists, per_list):
    """Rows as the daemon makes them, put into its queue while it is not running."""
    database = sqlite3.connect(place.path("state/queue.sqlite"))
    now = int(time.time() * 1000)
    version = database.execute("PRAGMA user_version").fetchone()[0]
    with database:
        for number in range(1, lists + 1):
            database.execute(
                "INSERT INTO list (id, name, source, sha256, bytes, format, forced, arrived_at, imported_at, filed_at, "
                "finished_at, results_at, entries, accepted, registered) VALUES (?, ?, ?, ?, 0, 'text', 0, ?, ?, ?, ?, ?, "
                "?, ?, ?)",
                (number, f"list-{number}", f"list-{number}".encode(), f"{number:064x}", now, now, now, now, now,
                 per_list, per_list, per_list))
            database.executemany(
                "INSERT INTO key (uuid, list_id, state, attempts, http_status, first_attempt_at, finished_at) "
                "VALUES (?, ?, 2, 1, 201, ?, ?)", [(uuid.uuid4().bytes, number, now, now) for _ in range(per_list)])
        database.execute("UPDATE tally SET count = count + ? WHERE state = 2", (lists * per_list,))
        database.execute(f"PRAGMA user_version = {version}")
    database.close()


def prepared(place, lists, per_list):
    place.sandbox("--limit", "100000/10s")
    daemon = place.daemon()
    wait_for(place.status)
    daemon.terminate()
    daemon.wait(30)
    fill(place, lists, per_list)
    daemon = place.daemon()
    check("the queue is taken", wait_for(place.status, 30))
    return daemon


def memory(daemon, name="VmHWM"):
    with open(f"/proc/{daemon.pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name)) // 1024


def streams():
    """Sixteen streams at full speed, as many that are not read, and short answers beside them."""
    with Place(BINARY) as place:
        daemon = prepared(place, 1, OUTCOMES)
        slow = []
        for _ in range(16):
            connection = connect(place)
            connection.sendall(b"GET /v1/outcomes HTTP/1.1\r\nHost: h\r\n\r\n")
            slow.append(connection)
        curls = [subprocess.Popen(
            ["curl", "-s", "--unix-socket", place.path("c.sock"), "http://h/v1/outcomes"], stdout=open(
                place.path(f"out{n}"), "wb")) for n in range(16)]
        begun = time.monotonic()
        longest = max(slowest(place, path, 4) for path in ("/healthz", "/v1/status", "/v1/lists"))
        running = sum(1 for curl in curls if curl.poll() is None)
        print(f"      {running} of 16 streams still ran")
        check("short answers come in time beside 16 streams and 16 slow readers", longest < LIMIT, longest)
        codes = [curl.wait(300) for curl in curls]
        seconds = time.monotonic() - begun
        whole = []
        for n in range(16):
            with open(place.path(f"out{n}"), "rb") as file:
                whole.append(sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 20), b"")) == OUTCOMES)
        check("every stream is whole", codes == [0] * 16 and all(whole), (codes, whole))
        print(f"      16 × {OUTCOMES} outcomes in {seconds:.0f} s; the daemon's peak {memory(daemon)} MiB")
        for connection in slow:
            connection.close()


def many_lists():
    with Place(BINARY) as place:
        daemon = prepared(place, LISTS, 0)
        for command in (["lists"], ["lists", "--json"]):
            begun = time.monotonic()
            with open(place.path("lists"), "w") as file:
                process = subprocess.Popen([BINARY, *command], env=place.env, stdout=file)
                peak = 0
                while process.poll() is None:
                    try:
                        peak = max(peak, memory(process))
                    except (FileNotFoundError, StopIteration):
                        pass
                    time.sleep(0.05)
            with open(place.path("lists")) as file:
                text = file.read()
            count = len(json.loads(text)["lists"]) if "--json" in command else text.count("\n") - 1
            check(f"keyreg {' '.join(command)} shows {LISTS} lists", process.returncode == 0 and count == LISTS,
                  (process.returncode, count))
            print(f"      in {time.monotonic() - begun:.1f} s, its peak {peak} MiB, the daemon's {memory(daemon)} MiB")
            check("… in constant memory", peak < 64 and memory(daemon) < 150, (peak, memory(daemon)))


def manners():
    """Idle connections block no others, and with a stopped daemon a command ends after 5 s."""
    with Place(BINARY) as place:
        place.sandbox("--limit", "100000/10s")
        daemon = place.daemon()
        wait_for(place.status)
        idle = [connect(place) for _ in range(600)]
        taken, status, _ = get(place, "/v1/status")
        check("600 idle connections do not lock status out", status == 200 and taken < 1, (status, taken))
        check("… nor the command", place.command("status").returncode == 0)
        for connection in idle:
            connection.close()
        daemon.send_signal(signal.SIGSTOP)
        commands = (["status"], ["lists"], ["outcomes"], ["pause"], ["retry"], ["cancel", "x"], ["reload"],
                    ["status", "--watch"], ["status", "--wait"], ["key", str(uuid.uuid4())])
        begun = time.monotonic()
        started = [subprocess.Popen([BINARY, *command], env=place.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                    text=True) for command in commands]
        for command, process in zip(commands, started):
            errors = process.communicate(timeout=30)[1]
            taken = time.monotonic() - begun
            check(f"{' '.join(command)} ends after 5 s with 75",
                  process.returncode == 75 and 4 < taken < 8 and "did not answer" in errors,
                  (process.returncode, taken, errors))
        daemon.send_signal(signal.SIGCONT)
        # Connections that were made meanwhile are served, and nothing was paused by accident.
        check("it goes on", wait_for(lambda: place.command("status").returncode == 0))


if __name__ == "__main__":
    hanging_spool()
    hanging_stop()
    hanging_start()
    hanging_below()
    bad_spools()
    manners()
    streams()
    many_lists()
    finish()
