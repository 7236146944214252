#!/usr/bin/env python3
"""The metrics and the shipped alert rules as Prometheus reads them: metrics_check.py BINARY PROMTOOL

promtool is in Debian's package prometheus. It must find nothing to say about the metrics in the classic text format, Prometheus must
store every sample of the OpenMetrics text, both must have the same samples, and each metric of the rules and the dashboard must be there.
"""

import http.client
import json
import os
import pathlib
import re
import subprocess
import sys

from support import Place, check, finish, free_port, keys, wait_for

BINARY, PROMTOOL = os.path.realpath(sys.argv[1]), os.path.realpath(sys.argv[2])
MONITORING = pathlib.Path(__file__).resolve().parents[2] / "config/monitoring"
RULES, TESTS, DASHBOARD = (MONITORING / f"keyreg.{name}" for name in ("rules.yaml", "rules.test.yaml", "dashboard.json"))
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
# These change with each answer, or between two.
MOVING = re.compile(r"process_|keyreg_(rate_limit_(reset_seconds|reserved|remaining|ours)|wait_seconds_total|queue_bytes)")


def promtool(*arguments, text=None):
    """What it says, empty when it is content."""
    ran = subprocess.run([PROMTOOL, *arguments], input=text, capture_output=True, text=True)
    return ran.stdout + ran.stderr if ran.returncode or text is not None else ""


def metrics(port, accept):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/metrics", headers={"Accept": accept})
    reply = connection.getresponse()
    return reply.getheader("Content-Type"), reply.read().decode()


def samples(text):
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def stored(place, text):
    """The samples in a database that Prometheus makes of this text; each needs a time for that."""
    timed = [line if line.startswith("#") or not line else f"{line} 1700000000" for line in text.splitlines()]
    with open(place.path("metrics"), "w") as file:
        file.write("\n".join(timed) + "\n")
    said = promtool("tsdb", "create-blocks-from", "openmetrics", place.path("metrics"), place.path("blocks"))
    if said:
        return said
    # It also looks for a log that such a database does not have.
    os.makedirs(place.path("blocks/wal"), exist_ok=True)
    dumped = subprocess.run([PROMTOOL, "tsdb", "dump", place.path("blocks")], capture_output=True, text=True)
    return dumped.stdout.splitlines() if dumped.returncode == 0 else dumped.stderr


def wanted():
    """The names of metrics in the rules and the dashboard."""
    queries = re.findall(r'"expr": *"((?:[^"\\]|\\.)*)"', DASHBOARD.read_text()) + re.findall(r"expr: (.*(?:\n {10}.*)*)", RULES.read_text())
    return {name for query in queries for name in re.findall(r"\b(?:keyreg|process)_\w+", query)}


def read(place, port):
    for accept, kind in (("text/plain", "text/plain"), (OPENMETRICS, "application/openmetrics-text")):
        content_type, text = metrics(port, accept)
        check(f"{kind} is sent to whoever asks for it", content_type.startswith(kind), content_type)
        if kind == "text/plain":
            said = promtool("check", "metrics", text=text)
            check("… and promtool has nothing to say", not said, said)
            classic = text
        else:
            found = stored(place, text)
            check("… and Prometheus stores every sample", len(found) == len(samples(text)), found)
            still = [[line for line in samples(each) if not MOVING.match(line)] for each in (classic, text)]
            check("… which are the same", sorted(still[0]) == sorted(still[1]), set(still[0]) ^ set(still[1]))
    return {re.match(r"\w+", line)[0] for line in samples(classic)}


check("promtool accepts the rules", not (said := promtool("check", "rules", str(RULES))), said)
check("… and their tests pass", not (said := promtool("test", "rules", str(TESTS))), said)
json.loads(DASHBOARD.read_text())
with Place(BINARY) as place:
    port = free_port()
    place.config(f"spool:\n  settle: 100ms\ncontrol:\n  listen: 127.0.0.1:{port}\n")
    place.sandbox("--limit", "100000/1h", "--faults", "422:20%")
    place.drop("team", "".join(k + "\n" for k in keys(5000)))
    place.drop("rejected", "no key\n")
    daemon = place.daemon()
    wait_for(lambda: (s := place.status()) and s["keys"]["registered"] and s["keys"]["failed"])
    place.command("pause")
    still = wait_for(lambda: (s := place.status()) and s["state"] == "paused" and s["keys"]["pending"] and not s["keys"]["in_flight"])
    check("a list is in work, and the daemon paused", still, place.log()[-2000:])
    names = read(place, port)
    check("what the rules and the dashboard ask for is there", wanted() <= names, wanted() - names)
finish()
