#!/usr/bin/env python3
"""The daemon against servers that nobody here wrote: nginx and HAProxy from Debian, with rate limiting that answers 429,
TLS from a private authority, and a server that goes away in the middle.

    server_check.py BINARY      needs nginx, haproxy and openssl; loopback only; under two minutes
"""

import os
import subprocess
import sys

import servers
from support import Place, check, finish, free_port, interrupt, keys, wait_for

BINARY = os.path.realpath(sys.argv[1])

def authority(place):
    """A private authority and a certificate of it for localhost."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=place.folder, check=True, capture_output=True)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=private authority",
            "-keyout", "ca.key", "-out", "ca.pem")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr")
    with open(place.path("names"), "w") as file:
        file.write("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", "names", "-out", "server.pem")


def statuses(place):
    return [status for _, status in servers.times(place)]


def tls():
    with Place(BINARY) as place:
        authority(place)
        port = free_port()
        servers.nginx(place, port, rate=200, burst=20, tls=True)
        place.env["KEYREG_API_URL"] = f"https://localhost:{port}"
        wanted = keys(1500)
        place.drop("list", "\n".join(wanted))

        daemon = place.daemon()
        held = wait_for(lambda: (s := place.status()) and s["hold"] == "outage" and s)
        check("an unknown authority is refused and held", held and "TLS" in held["reason"], held)
        check("nothing was sent to it", statuses(place) == [])
        check("no key failed for it", held and held["keys"]["failed"] == 0)
        place.config(f"api:\n  ca_file: {place.path('ca.pem')}\n")
        check("SIGTERM ends a hold in order", interrupt(daemon) == 0)

        place.env["HTTP_PROXY"] = place.env["http_proxy"] = "http://127.0.0.1:1"
        check("with ca_file every key is registered", place.until_done(120) == 0)
        check("nginx's limit was met and obeyed", 0 < statuses(place).count(429) < 150, statuses(place).count(429))
        check("every key was registered once", statuses(place).count(201) == 1500, statuses(place).count(201))
        check("a 429 cost no attempt", all(row[1] == "registered" and row[3] == "1" for row in place.results("list")))


def gone():
    with Place(BINARY) as place:
        authority(place)
        port = free_port()
        server = servers.nginx(place, port, rate=100, burst=50, tls=True)
        place.env["KEYREG_API_URL"] = f"https://localhost:{port}"
        place.config(f"api:\n  ca_file: {place.path('ca.pem')}\n")
        place.drop("list", "\n".join(keys(600)))
        daemon = place.daemon()
        wait_for(lambda: (s := place.status()) and s["keys"]["registered"] > 50)
        server.terminate()
        server.wait()
        held = wait_for(lambda: (s := place.status()) and s["hold"] == "outage" and s)
        check("a server that went away is an outage", held and held["keys"]["failed"] == 0, held)
        servers.nginx(place, port, rate=1000, burst=500, tls=True)
        done = wait_for(lambda: (s := place.status()) and s["keys"]["registered"] == 600, 90)
        check("it ends when the server is back", done, place.status())
        check("the stop is in order", interrupt(daemon) == 0)


def haproxy():
    with Place(BINARY) as place:
        port = free_port()
        servers.haproxy(place, port, limit=100, period=5)
        place.env["KEYREG_API_URL"] = f"http://127.0.0.1:{port}"
        place.drop("list", "\n".join(keys(500)))
        check("HAProxy's limit with Retry-After: every key registered", place.until_done(180) == 0)
        check("none of them needed a second attempt", all(row[3] == "1" for row in place.results("list")))


tls()
gone()
haproxy()
finish()
