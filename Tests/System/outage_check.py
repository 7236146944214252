#!/usr/bin/env python3
"""Hours of outage in seconds: nobody listening, a gateway's page, connections that are reset, then all is well.

    outage_check.py BINARY [KEYS [HOURS [RATE]]]      needs a C compiler; loopback only

The daemon's clocks, timers and waits run RATE (600) times faster while the outage lasts (`fast_clock.c`), so that six HOURS take 36 s.
None of the KEYS (100,000) may fail, nothing may be sent again after it was recorded, the hold must say why all the time, and probes
must be few.
"""

import csv
import os
import re
import sys
import time
import uuid
from datetime import datetime

import hostile_plays as plays
from fast_clock import FastClock
from hostile_server import HostileAPI
from support import Place, check, finish, interrupt, wait_for

BINARY = os.path.realpath(sys.argv[1])
KEYS = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
HOURS = float(sys.argv[3]) if len(sys.argv) > 3 else 6
RATE = float(sys.argv[4]) if len(sys.argv) > 4 else 600

# Probes in six hours.
PROBES = 450


def outage(place):
    clock = FastClock(place)
    server = HostileAPI()
    place.env["KEYREG_API_URL"] = server.url
    # Real moments are minutes on this clock.
    place.config("retry:\n  first_delay: 1s\napi:\n  timeout: 30m\n  connect_timeout: 10m\nspool:\n  settle: 0s\n")
    keys = [str(uuid.uuid4()) for _ in range(KEYS)]
    server.begin(plays.Play("", lambda c, k: c.send(plays.page("503 Service Unavailable")), keeps=True), KEYS // 10)
    place.drop("list", "\n".join(keys) + "\n")
    daemon = place.daemon()
    held = wait_for(lambda: (s := place.ask("/v1/status")) and s["hold"] == "outage" and s["keys"]["total"] == KEYS and s, 120)
    check("an outage in the middle is a hold", held, place.ask("/v1/status"))
    begun, before, real = clock.time(), held["requests"], time.monotonic()
    clock.run(RATE)
    untrue = []
    for name, begin, reason in [
            ("a gateway's page", lambda: None, "503 Service Unavailable"), ("nobody listens", server.stop, "Cannot connect"),
            ("every connection is reset", lambda: reset(server), "Connection lost")]:
        begin()
        end, seen = clock.time() + HOURS * 1_200, 0
        while clock.time() < end:
            status = place.ask("/v1/status")
            # The socket's own limits of seconds are milliseconds now: not every question is answered.
            if status and (status["hold"] != "outage" or status["keys"]["failed"]):
                untrue.append((name, status))
            seen += bool(status and re.search(reason, status["reason"] or ""))
            time.sleep(0.02)
        check(f"{name}: the status says so", seen > 0, place.ask("/v1/status"))
    check("it holds all the time, and nothing fails", not untrue, untrue[:2])
    after = wait_for(lambda: place.ask("/v1/status"), 30, 0.01)["requests"]
    probes = sum(after[kind] - before[kind] for kind in ("server_errors", "transport_errors", "client_errors"))
    check(f"at most {PROBES} probes in six hours", probes <= PROBES * HOURS / 6, probes)
    healed, confirmed = clock.time(), len(server.confirmed_at)
    server.heal()
    wait_for(lambda: len(server.confirmed_at) > confirmed, 60, 0.001)
    resumed = clock.time() - healed
    clock.run(1)
    print(f"      {(healed - begun) / 3600:.1f} hours of outage in {time.monotonic() - real:.0f} s, {probes} probes; "
          f"on again after {resumed:.0f} s")
    check("it goes on within a twentieth of the outage, two minutes at most", resumed < 130 + RATE, resumed)
    done = wait_for(lambda: os.path.exists(place.path("spool/results/list.csv")), 600)
    check("every key is done", done, place.ask("/v1/status"))
    check("the stop is in order", interrupt(daemon) == 0)
    with open(place.path("spool/results/list.csv"), newline="") as file:
        rows = {row["app_key_id"]: row for row in csv.DictReader(file)}
    check("every key is registered, none failed",
          rows.keys() == set(keys) and all(row["state"] == "registered" for row in rows.values()))
    check("… and was confirmed by the server", all(server.confirmed[key] for key in keys))
    # Failures between the last good answers are the keys' own: up to sixteen, one per worker.
    counted = [row for row in rows.values() if row["attempts"] != "1"]
    check("no attempt of the outage counted", len(counted) <= 16 and all(row["attempts"] == "2" for row in counted), counted[:3])
    again = sum(server.confirmed.values()) - KEYS
    check("at most a canary is confirmed again", again <= 1, again)
    # One canary when it begins, and one probe in eight: in case all the keys that are left are bad.
    check("few probes are of registered keys", server.repeated <= 2 + probes / 8, server.repeated)
    times = [(datetime.fromisoformat(row["first_attempt_at"]), datetime.fromisoformat(row["finished_at"])) for row in rows.values()]
    check("times are in order", all(first <= last for first, last in times))


def reset(server):
    server.heal()
    server.begin(plays.Play("", lambda c, k: c.reset(), at="accept"))


with Place(BINARY) as place:
    outage(place)
finish()
