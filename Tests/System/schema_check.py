#!/usr/bin/env python3
"""The control interface against its own description: Schemathesis asks whatever /v1/openapi.json allows, and what it does not.

    schema_check.py BINARY SCHEMATHESIS [EXAMPLES [SEED]]      such as v/bin/st of a virtual environment with schemathesis 4

No answer may be a 5xx, or of a status, type or form that the description does not have. Everything is asked over the control
socket, the read-only part over TCP too. The stream of events, which has no end, is left out.
"""

import os
import random
import re
import socket
import subprocess
import sys
import threading

from support import Place, check, finish, free_port, keys, wait_for

BINARY, TOOL = os.path.realpath(sys.argv[1]), os.path.abspath(sys.argv[2])
EXAMPLES = sys.argv[3] if len(sys.argv) > 3 else "10"
SEED = sys.argv[4] if len(sys.argv) > 4 else str(random.randrange(1 << 32))
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def carry(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def bridge(path):
    """A TCP port of this machine that leads to the control socket: the tool speaks TCP only."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            client, _ = listener.accept()
            daemon = socket.socket(socket.AF_UNIX)
            daemon.connect(path)
            for pair in ((client, daemon), (daemon, client)):
                threading.Thread(target=carry, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def ask(port, *options):
    """What is wrong, empty when nothing is."""
    ran = subprocess.run(
        [TOOL, "run", f"http://127.0.0.1:{port}/v1/openapi.json", "--checks", CHECKS, "--exclude-path", "/v1/events",
         "--max-examples", EXAMPLES, "--seed", SEED, "--request-timeout", "10", *options],
        capture_output=True, text=True, cwd=place.folder)
    cases = re.search(r"(\d+) generated", ran.stdout)
    print(f"      {cases[1] if cases else 'no'} requests")
    found = ran.stdout.partition("== FAILURES ==")[2] or ran.stdout + ran.stderr
    return found[:4000] if ran.returncode or not cases else ""


print(f"      seed {SEED}")
with Place(BINARY) as place:
    place.sandbox("--limit", "100000/10s", "--faults", "422:20%")
    port = free_port()
    place.config(f"spool:\n  settle: 100ms\ncontrol:\n  listen: 127.0.0.1:{port}\n")
    place.drop("team", "".join(k + "\n" for k in keys(50)))
    place.drop("rejected", "no key\n")
    daemon = place.daemon()
    wait_for(lambda: (s := place.status()) and s["keys"]["total"] == 50)
    wrong = ask(port, "--include-method", "GET")
    check("what can be read over TCP is as described", not wrong, wrong)
    wrong = ask(bridge(place.env["KEYREG_SOCKET"]))
    check("everything over the control socket is as described", not wrong, wrong)
    check("… and the daemon works on", daemon.poll() is None and place.status(), place.log()[-2000:])
finish()
