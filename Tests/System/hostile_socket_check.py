#!/usr/bin/env python3
"""A hostile control socket: whatever clients send, or do not read, others are answered, work goes on, memory stays bounded.

    hostile_socket_check.py BINARY [CONNECTIONS [LIMIT]] [--long]      as root; the daemon is an ordinary user

The table in `hostile_requests.py` has each request and its answer, on the socket and on `control.listen`. Then clients
misbehave in crowds of up to CONNECTIONS (10,000), while another client asks for health and status: the median
of its answers may take LIMIT (0.05) seconds, and `keyreg status` must get in. `--long` waits until slow and deaf clients
are disconnected.
"""

import argparse
import contextlib
import json
import os
import random
import resource
import shutil
import statistics
import sys
import tempfile
import threading
import time
import uuid

from hostile_requests import Wire, requests
from spool_place import FOLDERS, GROUP, SpoolPlace, usable_by_all
from support import check, finish, free_port, wait_for

# The daemon's limits: connections to the socket and to the port, and streams and uploads among them.
MOST, LONGEST = 512, 128
# Neither the daemon's user nor of its group.
STRANGER = 61002
HOST = b" HTTP/1.1\r\nHost: localhost\r\n"
# MiB by which the daemon may grow, and its maximum.
GROWTH, PEAK = 96, 400


class Watch(threading.Thread):
    """A client that keeps asking for the health and the status."""

    def __init__(self, addresses):
        super().__init__(daemon=True)
        self.addresses = addresses
        self.times, self.faults = [], []
        self.is_over = False

    def run(self):
        while not self.is_over:
            for address in self.addresses:
                for path in (b"/healthz", b"/v1/status"):
                    begun = time.monotonic()
                    try:
                        with Wire(address, 30) as wire:
                            wire.send(b"GET " + path + HOST + b"Connection: close\r\n\r\n")
                            status = wire.answer().status
                        if status != 200:
                            self.faults.append((path, status))
                    except OSError as error:
                        self.faults.append((path, error))
                    self.times.append(time.monotonic() - begun)
            time.sleep(0.02)

    def take(self):
        times, faults = self.times, self.faults
        self.times, self.faults = [], []
        return sorted(times), faults


class Bench:
    def __init__(self, place, daemon, port, options):
        self.place, self.daemon, self.options = place, daemon, options
        self.socket, self.port = place.env["KEYREG_SOCKET"], port
        self.watch = Watch([self.socket, port])
        self.watch.start()
        wait_for(lambda: len(self.watch.times) > 20)
        self.base = self.memory("VmRSS")
        self.watch.take()

    def memory(self, name):
        with open(f"/proc/{self.daemon.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(name)) // 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.daemon.pid}/fd"))

    def registered(self):
        with Wire(self.socket, 60) as wire:
            wire.send(b"GET /v1/status" + HOST + b"\r\n")
            return json.loads(wire.answer().body or b"{}").get("keys", {}).get("registered", 0)

    @contextlib.contextmanager
    def stage(self, what, seconds=2):
        """Checks answers, the command and work while the body's clients are connected."""
        self.watch.take()
        before = self.place.status()["keys"]["registered"]
        try:
            yield
            end = time.monotonic() + seconds
            command = self.place.command("status", timeout=60)
            while time.monotonic() < end or len(self.watch.times) < 8:
                time.sleep(0.05)
            times, faults = self.watch.take()
            after = wait_for(lambda: (n := self.registered()) > before and n, 60)
            held = self.descriptors()
        finally:
            for client in CLIENTS:
                client.socket.close()
            CLIENTS.clear()
        median = statistics.median(times)
        print(f"      {what}: {len(times)} answers, median {median * 1000:.1f} ms, slowest {times[-1] * 1000:.0f} ms; "
              f"{held} descriptors, {self.memory('VmRSS')} MiB", flush=True)
        check(f"{what}: others are answered", not faults and median < self.options.limit, (faults[:3], median))
        check("… keyreg status gets in", command.returncode == 0, command)
        check("… work goes on", after, before)
        check("… the daemon keeps no more connections than it should", held < 2 * MOST + 100, held)

    def settle(self):
        """Waits for a stage's connections to go."""
        return wait_for(lambda: self.descriptors() < 64, 60)


CLIENTS = []


def client(address, data=b"", timeout=10, buffer=None):
    """One more client of a crowd; None if the daemon has closed it already."""
    with contextlib.suppress(OSError):
        wire = Wire(address, timeout, buffer)
        CLIENTS.append(wire)
        wire.send(data)
        return wire


# What is sent


def table(bench):
    place = bench.place
    before = {name: sorted(os.listdir(place.path(name))) for name in ("", "outside", "run", "state")}
    count = 0
    for address in (bench.socket, bench.port):
        for what, data, wanted in requests(address == bench.port):
            found, answer = (), None
            try:
                with Wire(address, 30) as wire:
                    wire.send(data)
                    answer = wire.answer()
                    found = answer.status, answer.code
            except OSError as error:
                found = error
            strange = answer and [f for f in answer.fields or {} if f.startswith("set-") or f == "location"]
            if found != wanted or strange or b"\x1b" in answer.body:
                check(f"{what} ({'port' if address == bench.port else 'socket'})", False, (wanted, found, strange))
            count += 1
    check(f"{count} hostile requests have the answers of the table", True)
    with Wire(bench.socket) as wire:
        many = b"".join(b"GET " + path + HOST + b"\r\n" for path in [b"/healthz", b"/v1/lists/none"] * 50)
        wire.send(many + b"\x00garbage\r\n\r\n")
        found = [wire.answer().status for _ in range(101)]
        check("garbage behind a hundred requests is the 101st", found == [200, 404] * 50 + [400] and wire.ends(), found)
    with Wire(bench.socket) as wire:
        wire.send(b"POST /v1/lists?name=asked" + HOST + b"Content-Length: 37\r\nExpect: 100-continue\r\n\r\n")
        first = wire.answer().status
        wire.send(str(uuid.uuid4()).encode() + b"\n")
        found = wire.answer()
        check("who asks first is told to go on", first == 100 and found.status == 201, (first, found))
    with Wire(bench.socket) as wire:
        wire.send(b"POST /v1/lists?name=..%2f..%2foutside%2fx" + HOST + b"Content-Length: 100\r\nExpect: 100-continue\r\n\r\n")
        check("… and refused at once where the name is", wire.answer().status in (100, 400))
    after = {name: sorted(os.listdir(place.path(name))) for name in before}
    check("nothing was written outside the spool", before["outside"] == after["outside"] and before["run"] == after["run"]
          and before[""] == after[""], (before, after))
    names = [name for folder in FOLDERS for name in os.listdir(place.spool(folder))]
    check("nor under another name in it", all(n.split(".")[0] in ("", "work", "asked", "bad", "none") for n in names), names)


# Crowds


def slow(bench):
    """A byte a second, of a request and of a list."""
    heads = [client(address, b"G") for address in (bench.socket, bench.port) for _ in range(100)]
    lists = [client(bench.socket, b"POST /v1/lists?name=slow" + HOST + b"Content-Length: 36000\r\n\r\n") for _ in range(50)]
    with bench.stage("250 clients that send a byte a second", 0):
        rest = b"ET /v1/status HTTP/1.1\r\nX: " + b"x" * 100
        begun = time.monotonic()
        for number in range(70 if bench.options.long else 3):
            for wire in heads + lists:
                wire and wire.send(rest[number:number + 1])
            time.sleep(1)
        if bench.options.long:
            ended = sum(1 for wire in heads if not wire or wire.ends_now())
            seconds = time.monotonic() - begun
            check(f"… {len(heads)} unfinished requests were ended within {seconds:.0f} s", ended == len(heads), ended)


def crowd(bench):
    """More connections than allowed: silent ones, and some with a request."""
    count = bench.options.connections
    with bench.stage(f"{count} connections", 1):
        for number in range(count):
            address = bench.port if number % 2 else bench.socket
            client(address, b"GET /healthz" + HOST + b"\r\n" if number % 3 == 0 else b"")
    bench.settle()


def stuck(bench):
    """Commands that never finish, in every possible place."""
    kinds = [("commands without a body", b"Content-Length: 9\r\n"), ("without chunks", b"Transfer-Encoding: chunked\r\n")]
    for what, data in kinds if bench.options.long else kinds[:1]:
        with bench.stage(f"{MOST + 100} {what}", 1):
            taken = 0
            for _ in range(MOST + 100):
                wire = client(bench.socket, b"POST /v1/pause" + HOST + data + b"Expect: 100-continue\r\n\r\n")
                with contextlib.suppress(OSError, AttributeError):
                    taken += wire.answer().status == 100
        check("… they had all places", taken > MOST, taken)
        bench.settle()
    with bench.stage("100 commands of 4 MiB without their last byte", 1):
        size = 4 * 1024 * 1024
        for _ in range(100):
            client(bench.socket, b"POST /v1/retry" + HOST + b"Content-Length: %d\r\n\r\n" % size + b" " * (size - 1))
    bench.settle()


def deaf(bench):
    """Clients that ask and never read: events, outcomes, and thousands of requests in a row."""
    with bench.stage("16 streams of events and 16 of outcomes that nobody reads", 200 if bench.options.long else 2):
        for number in range(16):
            for path in (b"/v1/events", b"/v1/outcomes?format=csv"):
                client(bench.port if number % 2 else bench.socket, b"GET " + path + HOST + b"\r\n", buffer=4096)
        if bench.options.long:
            check("… are let go", wait_for(lambda: bench.descriptors() < 64, 300, 1), bench.descriptors())
    bench.settle()
    with bench.stage("16 clients with 3,000 requests each that read no answer", 2):
        for number in range(16):
            client(bench.port if number % 2 else bench.socket, (b"GET /healthz" + HOST + b"\r\n") * 3_000, 2, 4096)
    bench.settle()
    with bench.stage("as many streams as there may be", 1):
        streams = [client(bench.socket, b"GET /v1/events" + HOST + b"\r\n") for _ in range(LONGEST)]
        check("128 streams", [w.answer(False).status for w in streams] == [200] * LONGEST)
        refused = client(bench.socket, b"GET /v1/events" + HOST + b"\r\n").answer()
        check("one more is refused, with a hint", (refused.status, refused.code) == (503, "unavailable")
              and b'"hint":"' in refused.body, refused)
    bench.settle()


def strangers(bench):
    place = bench.place
    for command in ("status", "pause", "lists"):
        reply = place.command(command, user=STRANGER, group=STRANGER, extra_groups=[])
        code = 4 if command == "status" else 77
        check(f"without permission, keyreg {command} ends with {code} and a hint",
              reply.returncode == code and "hint: " in reply.stderr and "Permission denied" in reply.stderr, reply)
    reply = place.command("status", user=STRANGER, group=STRANGER, extra_groups=[GROUP])
    check("a member of the group gets in", reply.returncode == 0, reply)


def main(options):
    most = options.connections + 2_000
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, max(hard, most)))
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < most:
        options.connections = hard - 2_000
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with SpoolPlace(BINARY) as place:
        port = free_port()
        place.config(f"spool:\n  settle: 200ms\ncontrol:\n  listen: 127.0.0.1:{port}\n")
        place.sandbox("--limit", "10/1s")
        random.seed(9)
        place.drop("work", "".join(f"{uuid.UUID(int=random.getrandbits(128), version=4)}\n" for _ in range(20_000)))
        daemon = place.running_daemon()
        wait_for(lambda: (place.status() or {"lists": {"incoming": 1}})["keys"]["total"] == 20_000, 120)
        bench = Bench(place, daemon, port, options)
        for part in (table, strangers, slow, crowd, stuck, deaf):
            part(bench)
        grown, peak = bench.memory("VmRSS") - bench.base, bench.memory("VmHWM")
        print(f"      the daemon had {bench.base} MiB, has {bench.base + grown}, and {peak} at its peak", flush=True)
        check("memory stays bounded", grown < GROWTH and peak < PEAK, (grown, peak))
        check("it is the same daemon", daemon.poll() is None and place.status()["pid"] == daemon.pid)
        check("nothing was paused or reloaded by accident", place.status()["state"] in ("working", "waiting"), place.status())
        daemon.terminate()
        code = daemon.wait(60)
        check("it stops in order", code == 0, (code, place.log()[-2000:]))
        place.started.remove(daemon)
        told = place.log()
        check("its log is printable", not [c for c in told if not c.isprintable() and c != "\n"])
    finish()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("connections", nargs="?", type=int, default=10_000)
    parser.add_argument("limit", nargs="?", type=float, default=0.05)
    parser.add_argument("--long", action="store_true")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("hostile_socket_check.py: must be root, to run the daemon and its clients as different users")
    folder = tempfile.mkdtemp(prefix="keyreg-check.", dir="/tmp")
    try:
        BINARY = usable_by_all(os.path.realpath(options.binary), folder)
        main(options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
