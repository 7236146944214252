#!/usr/bin/env python3
"""Credentials that are revoked, expire and are restored in the middle, and lists with keys that are not ours.

    credentials_check.py BINARY [KEYS [SEED]]      needs a C compiler; loopback only

Each case drops a list of KEYS (400). While the daemon holds, its clock runs fast (`fast_clock.c`): probes are seconds apart. Exactly the
keys that are not ours may fail, with the API's reason; they cause no hold while others succeed, and no hold is permanent.
"""

import csv
import json
import os
import random
import sys
import time

import hostile_plays as plays
from fast_clock import FastClock
from hostile_server import HostileAPI, answer, body
from support import Place, check, finish, interrupt, wait_for

BINARY = os.path.realpath(sys.argv[1])
KEYS = int(sys.argv[2]) if len(sys.argv) > 2 else 400
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 32)
FAST = 60


def error(status, *words):
    return answer(json.dumps({"errors": list(words)}).encode(), status)


REFUSED = {
    401: error("401 Unauthorized", "Unauthorized"),
    403: error("403 Forbidden", "Forbidden"),
    404: error("404 Not Found", "app key not found"),
}


class Desk(HostileAPI):
    """Checks the credentials (against `valid`, unless it is None), then the key (`foreign`: status by key)."""

    def __init__(self):
        super().__init__()
        self.valid, self.foreign, self.down, self.denied = None, {}, None, 0
        self.begin(plays.Play("desk", self.decide, keeps=True))

    def decide(self, connection, key):
        down = self.down() if callable(self.down) else self.down
        if self.valid is not None and f"DD-API-KEY: {self.valid}".encode() not in connection.head:
            down = 403
        status = down or self.foreign.get(key)
        if status:
            self.denied += 1
            connection.send(REFUSED[status])
        else:
            self.note_confirmed(key)
            connection.send(answer(body(key)))


class Run:
    def __init__(self, place, seed):
        self.place, self.random = place, random.Random(seed)
        self.clock, self.desk, self.lists = FastClock(place), Desk(), {}
        for name in ("api-key", "app-key"):
            self.credential(name, "first-" + name)
            del place.env["DD_" + name.replace("-", "_").upper()]
        self.place.env["KEYREG_API_URL"] = self.desk.url
        place.config(f"api:\n  api_key_file: {place.path('api-key')}\n  app_key_file: {place.path('app-key')}\n"
                     "  timeout: 10m\n  connect_timeout: 5m\n")
        self.daemon = place.daemon()
        assert wait_for(lambda: place.ask("/v1/status"), 60), place.log()

    def credential(self, name, text, mode=0o600):
        path = self.place.path(name + ".new")
        with open(path, "w") as file:
            file.write(text + "\n")
        os.chmod(path, mode)
        os.rename(path, self.place.path(name))

    def drop(self, name, count=KEYS, share=0.0, status=403, first=False):
        """Drops a list with a share of foreign keys; with `first` they are its first lines."""
        made = [f"{self.random.getrandbits(32):08x}-0000-4000-8000-{self.random.getrandbits(48):012x}" for _ in range(count)]
        foreign = made[:int(count * share)] if first else self.random.sample(made, int(count * share))
        self.desk.foreign.update({key: status for key in foreign})
        self.lists[name] = made, {key: status for key in foreign}
        self.place.drop(name, "\n".join(made) + "\n")

    def held(self, hold, words):
        return wait_for(lambda: (s := self.place.ask("/v1/status")) and s["hold"] == hold and words in s["reason"] and s, 30, 0.02)

    def done(self, name, fast=FAST):
        """Whether the list is done in five minutes of the daemon's time."""
        self.clock.run(fast)
        end = self.clock.time() + 300
        found = wait_for(lambda: os.path.exists(self.place.path(f"spool/results/{name}.csv")) or self.clock.time() > end, 120, 0.02)
        self.clock.run(1)
        return found and os.path.exists(self.place.path(f"spool/results/{name}.csv"))

    def judge(self, name, what):
        done = self.done(name)
        check(f"{what}: the list is done", done, self.place.ask("/v1/status"))
        if not done:
            return
        made, foreign = self.lists[name]
        with open(self.place.path(f"spool/results/{name}.csv"), newline="") as file:
            rows = {row["app_key_id"]: row for row in csv.DictReader(file)}
        failed = {key: row for key, row in rows.items() if row["state"] == "failed"}
        check(f"{what}: all others are registered, as the server saw it",
              rows.keys() == set(made) and all(
                  rows[key]["state"] == "registered" and self.desk.confirmed[key] for key in made if key not in foreign),
              [row for key, row in rows.items() if row["state"] != "registered" and key not in foreign][:3])
        check(f"{what}: exactly those that are not ours failed", failed.keys() == foreign.keys(),
              (len(failed), len(foreign), sorted(failed.keys() ^ foreign.keys())[:3]))
        words = {403: "Forbidden", 404: "app key not found"}
        check(f"{what}: with their reason", all(
            row["http_status"] == str(foreign.get(key)) and words[foreign[key]] in row["error_title"] + row["error_detail"]
            for key, row in failed.items() if key in foreign), list(failed.values())[:2])
        again = [key for key in made if self.desk.confirmed[key] > 1]
        check(f"{what}: none is registered twice but canaries", len(again) <= self.desk.denied, again[:3])

    def holds(self):
        return self.place.log().count("holding: only probes are sent")


def revoked(run):
    for status, words in [(401, "401 Unauthorized"), (403, "403 Forbidden")]:
        name, desk = f"revoked-{status}", run.desk
        before = len(desk.confirmed_at)
        # In the middle: after a quarter of the list.
        desk.down = lambda: status if len(desk.confirmed_at) > before + KEYS // 4 else None
        run.drop(name)
        held = run.held("credentials", words + " since")
        check(f"{status} for all: holds, and says why", held, run.place.ask("/v1/status"))
        check(f"{status} for all: none failed", held and held["keys"]["failed"] == 0, held)
        denied = desk.denied
        run.clock.run(FAST)
        begun = run.clock.time()
        wait_for(lambda: run.clock.time() > begun + 45, 30)
        run.clock.run(1)
        check(f"{status} for all: few are asked meanwhile", desk.denied - denied <= 8, desk.denied - denied)
        desk.down = None
        run.judge(name, f"{status} for all, then well again")


def replaced(run):
    """New credentials; at first they cannot be used."""
    run.desk.valid = "second-api-key"
    run.drop("replaced")
    check("expired credentials: holds", run.held("credentials", "403 Forbidden since"), run.place.ask("/v1/status"))
    for text, mode, what in [("", 0o600, "an empty file"), ("second-api-key", 0o644, "a file that others can read")]:
        run.credential("api-key", text, mode)
        reload = run.place.command("reload")
        check(f"{what} is refused", reload.returncode != 0 and "hint: " in reload.stderr, reload)
        check(f"{what} changes nothing", run.place.ask("/v1/status")["hold"] == "credentials")
    run.credential("api-key", "second-api-key")
    check("new credentials are taken", run.place.command("reload").returncode == 0)
    check("new credentials: goes on at once", wait_for(
        lambda: os.path.exists(run.place.path("spool/results/replaced.csv")), 30, 0.02), run.place.ask("/v1/status"))
    run.judge("replaced", "new credentials")


def not_ours(run):
    before = run.holds()
    run.drop("not-ours", share=0.05)
    run.judge("not-ours", "5 % are not ours")
    check("5 % are not ours: no hold", run.holds() == before, run.place.log()[-2000:])
    run.drop("unknown", share=0.05, status=404)
    run.judge("unknown", "5 % are not known")
    check("5 % are not known: no hold", run.holds() == before, run.place.log()[-2000:])
    run.drop("first", share=0.05, first=True)
    run.judge("first", "the first 5 % are not ours")
    check("the first 5 % are not ours: no hold", run.holds() == before, run.place.log()[-2000:])


def both(run):
    """Revoked while 5 % are foreign; then one of two servers does not know the credentials yet."""
    desk, before = run.desk, len(run.desk.confirmed_at)
    desk.down = lambda: 401 if len(desk.confirmed_at) > before + KEYS // 4 else None
    run.drop("both", share=0.05)
    check("revoked with 5 % not ours: holds", run.held("credentials", "401 Unauthorized since"), run.place.ask("/v1/status"))
    desk.down = lambda: 401 if run.random.random() < 0.5 else None
    run.clock.run(FAST)
    begun = run.clock.time()
    wait_for(lambda: run.clock.time() > begun + 60, 30)
    desk.down = None
    run.judge("both", "revoked with 5 % not ours, then half restored, then well")


def fresh(place, seed):
    """A queue without any success, whose list begins with foreign keys."""
    run = Run(place, seed)
    run.drop("fresh", share=0.05, first=True)
    run.judge("fresh", "a new queue, the first 5 % not ours")
    check("the stop is in order", interrupt(run.daemon) == 0)


print(f"      seed {SEED}")
begun = time.monotonic()
with Place(BINARY) as place:
    run = Run(place, SEED)
    for what in (revoked, replaced, not_ours, both):
        what(run)
    check("the stop is in order", interrupt(run.daemon) == 0)
with Place(BINARY) as place:
    fresh(place, SEED)
print(f"      {time.monotonic() - begun:.0f} s")
finish()
