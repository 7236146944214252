#!/usr/bin/env python3
"""The daemon and every way in which a network can fail, over HTTP/1.1, TLS, HTTP/2, a proxy and DNS.

    network_check.py BINARY [ROUNDS [SEED [PART…]]]      as root (a mount namespace for DNS); needs openssl and libnghttp2; loopback only

Each case drops a list, lets the server misbehave (`hostile_plays.py`, `http2.py`) from the first request on or in the middle, waits
until the status says that it holds and why, and heals it. Then every key must be registered by itself. After the cases come storms,
in which each request meets another play or none, and answers that are cut at every byte. The oracle compares the lists, what the
server confirmed, and the results: none failed, none registered that was not confirmed, none sent again after its outcome was recorded
(a canary aside). ROUNDS (1) repeats all of it, with other lists and another order each time; 0.3 plays a random share of the cases, once. The same SEED
(printed) chooses the same. PART names the parts to run, such as `http2-1`.
"""

import csv
import os
import random
import re
import socket
import sys
import threading
import time
from datetime import datetime
from functools import partial

import hostile_plays as plays
import http2
from hostile_server import Authority, HostileAPI, HostileProxy, Listener, answer, body
from oracle import judge_keys, judge_list
from support import Place, check, finish, wait_for

BINARY = os.path.realpath(sys.argv[1])
ROUNDS = float(sys.argv[2]) if len(sys.argv) > 2 else 1
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 32)

# Seconds within which the daemon goes on after a short outage: its longest wait between two probes. A request that is in
# flight just then may first have to time out, and a busy machine is slow.
RESUMES = 7.5
SLACK = 20
printing = threading.Lock()


class NetPlace(Place):
    def api(self, url, *more):
        self.env["KEYREG_API_URL"] = url
        self.config("\n".join(["retry:", "  first_delay: 50ms", "  max_delay: 1s", "api:", "  timeout: 700ms",
                               "  connect_timeout: 500ms", *more]) + "\n")

    def rows(self, name):
        with open(self.path(f"spool/results/{name}.csv"), newline="") as file:
            return list(csv.DictReader(file))


class Run:
    """One daemon, one server, and the cases that they go through."""

    def __init__(self, place, server, seed, command=()):
        self.place, self.server, self.random = place, server, random.Random(seed)
        self.lists, self.resumed, self.players = {}, [], {server}
        self.daemon = place.start(*command, BINARY, "run", "--config", place.path("keyreg.yaml"))
        assert wait_for(lambda: place.ask("/v1/status"), 60), place.log()

    def check(self, name, fine, detail=""):
        with printing:
            check(name, fine, detail)

    def drop(self, count):
        name = f"l{len(self.lists):05d}"
        self.lists[name] = [self.key() for _ in range(count)]
        self.place.drop(name, "\n".join(self.lists[name]) + "\n")
        return name

    def key(self):
        n = f"{self.random.getrandbits(128):032x}"
        return f"{n[:8]}-{n[8:12]}-{n[12:16]}-{n[16:20]}-{n[20:]}"

    def done(self, name, seconds=60):
        return wait_for(lambda: os.path.exists(self.place.path(f"spool/results/{name}.csv")), seconds, 0.02)

    def cases(self, table, who=None):
        """All of them, or a share, in any order."""
        for play in self.random.sample(table, max(1, round(len(table) * min(1, ROUNDS)))):
            self.case(play, who)

    def case(self, play, who=None):
        """`who` misbehaves; without it the server does."""
        who = who or self.server
        self.players.add(who)
        count = self.random.choice([1, 3, 20, 40])
        in_the_middle = play.at == "request" and count > 3 and self.random.random() < 0.5
        who.begin(play, self.random.randrange(1, count - 2) if in_the_middle else 0)
        if play.at != "request":
            self.server.hang_up()
        name = self.drop(count)
        if play.reason is None:
            self.check(f"{play.name}: registered", self.done(name), self.place.ask("/v1/status"))
            who.heal()
            return
        seen = wait_for(lambda: self.held(play), 30, 0.02)
        status = self.place.ask("/v1/status")
        self.check(f"{play.name}: holds, and says why", seen, (status["state"], status["hold"], status["reason"]))
        self.check(f"{play.name}: none failed", status["keys"]["failed"] == 0, status["keys"])
        self.heal(who)
        self.check(f"{play.name}: goes on by itself", self.done(name), self.place.ask("/v1/status"))

    def held(self, play):
        status = self.place.ask("/v1/status")
        if not status or status["hold"] != play.hold or (play.hold is None and status["state"] != "waiting"):
            return None
        return re.search(play.reason, status["reason"] or "") is not None

    def heal(self, who):
        before, healed = len(self.server.confirmed_at), time.monotonic()
        who.heal()
        if wait_for(lambda: len(self.server.confirmed_at) > before, 60, 0.005):
            self.resumed.append(self.server.confirmed_at[before] - healed)

    def refused(self):
        """Nothing listens."""
        self.server.stop()
        self.unreachable("refused", "Cannot connect")

    def dropped(self):
        """Connection requests go unanswered: the listener accepts none."""
        self.server.stop()
        with socket.socket() as hole:
            hole.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            hole.bind((self.server.host, self.server.port))
            hole.listen(0)
            waiting = [socket.socket() for _ in range(4)]
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(hole.getsockname())
            self.unreachable("a black hole", "Timed out", [hole, *waiting])

    def unreachable(self, name, reason, ends=()):
        dropped = self.drop(20)
        seen = wait_for(lambda: self.held(plays.Play("", None, reason)), 30, 0.02)
        self.check(f"{name}: holds, and says why", seen, self.place.ask("/v1/status"))
        for end in ends:
            end.close()
        self.heal(self.server)
        self.check(f"{name}: goes on by itself", self.done(dropped), self.place.ask("/v1/status"))

    def storm(self, table, count, share):
        """Each request meets any play with probability `share`, each key at most four: half of its attempts. So a good answer
        must arrive: its connection stays open, because closing one with unread data resets it, and the answer is lost."""
        table = [play for play in table if play.at == "request"]
        met, lock = {}, threading.Lock()

        class Storm:
            at, context, after, ends = "request", None, None, False
            name = "storm"

        def act(connection, key):
            with lock:
                play = self.random.choice(table) if self.random.random() < share and met.get(key, 0) < 4 else None
                if play is not None:
                    met[key] = met.get(key, 0) + 1
                else:
                    self.server.plays -= 1
            if play is not None:
                play.act(connection, key)
                if play.ends:
                    connection.close()
            elif getattr(connection, "stream", None):
                self.server.note_confirmed(key)
                connection.send(http2.good(connection.stream, key))
            else:
                self.server.note_confirmed(key)
                connection.send(answer(body(key)))

        storm = Storm()
        storm.act = act
        self.server.begin(storm)
        name = self.drop(count)
        self.check(f"a storm of {count} keys: all registered", self.done(name, 120), self.place.ask("/v1/status"))
        self.server.heal()
        return sum(met.values())

    def cuts(self, every):
        """A key's first answer is cut at one byte, another key's at the next, for three ways to mark its end."""
        cases, cut, lock = [], {}, threading.Lock()
        for number, form in enumerate([
                answer, lambda data: plays.chunks(data, b"%x" % len(data)) + b"0\r\n\r\n",
                lambda data: b"HTTP/1.1 201 Created\r\n\r\n" + data]):
            length = len(form(body(self.key())))
            cases += [(form, at, reset) for at in range(0, length, every) for reset in (False, True) if number < 2 or at < length]
        waiting = list(cases)

        class Cutting:
            at, context, after, ends = "request", None, None, False
            name = "cuts"

        def act(connection, key):
            with lock:
                # One request in three, so that they are not taken for an outage.
                case = waiting.pop() if waiting and key not in cut and self.random.random() < 0.34 else None
                cut.setdefault(key, case)
                self.server.plays -= case is None
            if case is None:
                self.server.note_confirmed(key)
                connection.send(answer(body(key)))
                return
            form, at, reset = case
            data = form(body(key))[:at]
            # The end of the last chunk may be missing.
            if body(key) in data or len(data) > 60 and b"chunked" in data and data.endswith((b"0", b"0\r", b"0\r\n", b"0\r\n\r")):
                self.server.arguable.add(key)
            connection.send(data)
            connection.reset() if reset else connection.close()

        cutting = Cutting()
        cutting.act = act
        self.server.begin(cutting)
        name = self.drop(4 * len(cases))
        self.check("answers cut at every byte: all registered", self.done(name, 120), self.place.ask("/v1/status"))
        self.server.heal()
        return len(cases) - len(waiting)

    def spoilers(self):
        return sum(who.plays for who in self.players)

    def judge(self, label):
        """Compares the lists, the server's record and the results."""
        requests = self.place.ask("/v1/status")["requests"]
        failures = sum(requests[kind] for kind in ("transport_errors", "server_errors", "client_errors", "throttled"))
        self.daemon.terminate()
        self.check(f"{label}: the stop is in order", self.daemon.wait(60) == 0, self.daemon.returncode)
        rows = {row["app_key_id"]: row for name, keys in self.lists.items() if keys for row in self.place.rows(name)}
        wanted = {key for keys in self.lists.values() for key in keys}
        findings = [text for name, keys in self.lists.items() for text in judge_list(self.place, name, "\n".join(keys) + "\n")]
        findings += judge_keys(self.place, wanted, self.server.confirmed.keys() | self.server.arguable)
        findings += [str(row) for row in rows.values() if row["state"] != "registered"]
        self.check(f"{label}: lists, receipts, queue, results and the server's record agree", not findings, findings[:5])
        finished = {key: datetime.fromisoformat(row["finished_at"]).timestamp() for key, row in rows.items()
                    if row["finished_at"]}
        # A result has milliseconds; what was on its way is not after it.
        late = [key for at, key in self.server.requests if at > finished.get(key, at) + 0.05]
        # Only canaries may be, and they are sent because of failures, one after the other.
        self.check(f"{label}: nothing is sent again after it was recorded", len(late) <= failures, len(late))
        again = sum(self.server.confirmed.values()) - len(wanted)
        longest = max(self.resumed, default=0)
        self.check(f"{label}: it goes on within {RESUMES} s and what a busy machine takes", longest < RESUMES + SLACK, longest)
        return (f"{label}: {len(self.lists)} lists, {len(wanted)} keys, {self.spoilers()} requests and connections spoilt, "
                f"{again} confirmed again, {len(late)} of them canaries with known keys; on again after {longest:.1f} s at most")


def http(place, seed):
    server = HostileAPI()
    other = HostileAPI(host="127.0.0.2")
    place.api(server.url)
    run = Run(place, server, seed)
    return run, plays.HTTP + plays.elsewhere(f"127.0.0.2:{other.port}"), other


def over_http(place, seed, number, count):
    run, table, other = http(place, seed)
    run.cases(table[number::count])
    if number == 0:
        run.refused()
        run.dropped()
    run.check("no redirect was followed", other.accepted == 0, other.accepted)
    return run, f"HTTP/1.1, part {number + 1}"


def storms(place, seed):
    run, table, other = http(place, seed)
    cut = run.cuts(1 if ROUNDS >= 1 else 4)
    met = run.storm(table, 150 if ROUNDS >= 1 else 60, 0.3)
    run.check("no redirect was followed", other.accepted == 0, other.accepted)
    run.case(plays.THROTTLE)
    return run, f"HTTP/1.1, {cut} answers cut, {met} plays at random"


def tls(place, seed):
    authority = Authority(place.folder)
    server = HostileAPI(tls=authority.context("good"))
    place.api(server.url, f"  ca_file: {authority.path('ca.pem')}")
    run = Run(place, server, seed)
    run.cases(plays.tls(authority))
    return run, "TLS"


def over_http2(place, seed, number, count):
    authority = Authority(place.folder)
    server = HostileAPI(tls=authority.context("good", "h2", "http/1.1"))
    place.api(server.url, f"  ca_file: {authority.path('ca.pem')}")
    run = Run(place, server, seed)
    run.cases(http2.HTTP2[number::count])
    if number == 0:
        run.storm(http2.HTTP2, 60, 0.3)
    return run, f"HTTP/2, part {number + 1}"


def through_a_proxy(place, seed):
    authority = Authority(place.folder)
    server = HostileAPI(tls=authority.context("good"))
    proxy = HostileProxy()
    place.api(server.url, f"  ca_file: {authority.path('ca.pem')}", f"  proxy: http://who:hidden@127.0.0.1:{proxy.port}")
    run = Run(place, server, seed)
    run.cases(plays.proxy(), proxy)
    name = run.drop(20)
    run.done(name)
    proxy.stop()
    run.server.hang_up()
    name = run.drop(20)
    seen = wait_for(lambda: run.held(plays.Play("", None, "Proxy|Cannot connect|Connection lost")), 30, 0.02)
    run.check("a proxy that is gone: holds, and says why", seen, place.ask("/v1/status"))
    run.heal(proxy)
    run.check("a proxy that is gone: goes on by itself", run.done(name), place.ask("/v1/status"))
    run.check("the proxy's password is not told", "hidden" not in place.log() + str(place.ask("/v1/status")))
    return run, "a proxy"


def names(place, seed):
    """A name that is not resolved, and then is."""
    server = HostileAPI()
    # http:// is for loopback addresses only, so the name is that of an https server.
    authority = Authority(place.folder)
    server.tls = authority.context("good")
    for name, text in [("hosts", ""), ("nsswitch", "hosts: files\n"), ("resolv", "nameserver 127.0.0.1\n")]:
        with open(place.path(name), "w") as file:
            file.write(text)
    authority.issue("named", "DNS:api.keyreg.example")
    server.tls = authority.context("named")
    place.api(f"https://api.keyreg.example:{server.port}", f"  ca_file: {authority.path('ca.pem')}")
    script = "".join(f"mount --bind {place.path(name)} {target} && " for name, target in [
        ("hosts", "/etc/hosts"), ("nsswitch", "/etc/nsswitch.conf"), ("resolv", "/etc/resolv.conf")])
    run = Run(place, server, seed, command=("unshare", "-m", "sh", "-c", script + 'exec "$@"', "sh"))
    name = run.drop(20)
    seen = wait_for(lambda: run.held(plays.Play("", None, "Cannot connect.*resolve host")), 30, 0.02)
    run.check("no such name: holds, and says why", seen, place.ask("/v1/status"))
    before, healed = len(server.confirmed_at), time.monotonic()
    with open(place.path("hosts"), "w") as file:
        file.write("127.0.0.1 api.keyreg.example\n")
    run.check("no such name: goes on by itself", run.done(name), place.ask("/v1/status"))
    run.resumed.append(server.confirmed_at[before] - healed if len(server.confirmed_at) > before else 999)
    return run, "DNS"


def one(name, what, seed):
    with NetPlace(BINARY) as place:
        try:
            run, label = what(place, seed)
            text = run.judge(label)
            with printing:
                print("      " + text, flush=True)
        except Exception as error:  # A thread's own end would go unnoticed.
            with printing:
                check(f"{name} runs", False, repr(error) + place.log()[-2000:])


def main():
    print(f"      seed {SEED}")
    begun, share = time.monotonic(), 4
    parts = {f"http{n + 1}": partial(over_http, number=n, count=share) for n in range(share)}
    parts |= {f"http2-{n + 1}": partial(over_http2, number=n, count=2) for n in range(2)}
    parts |= {"storms": storms, "tls": tls, "proxy": through_a_proxy, "names": names}
    chosen = sys.argv[4:] or parts
    for number in range(max(1, int(ROUNDS))):
        threads = [threading.Thread(target=one, args=(name, parts[name], SEED + number)) for name in chosen]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    print(f"      {time.monotonic() - begun:.0f} s")
    finish()


main()
