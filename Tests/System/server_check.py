#!/usr/bin/env python3
"""The daemon against servers that nobody here wrote: nginx and HAProxy from Debian, with rate limiting that answers 429,
TLS from a private authority, and a server that goes away in the middle.

    server_check.py BINARY      needs nginx, haproxy and openssl; loopback only; under two minutes
"""

import os
import subprocess
import sys

from support import Place, check, finish, free_port, interrupt, keys, wait_for

BINARY = os.path.realpath(sys.argv[1])

NGINX = """
daemon off; user root; error_log {folder}/error.log; pid {folder}/nginx.pid; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log {folder}/access.log; client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2;
  fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  limit_req_zone $http_dd_api_key zone=keys:1m rate={rate}r/s; limit_req_status 429;
  server {{
    listen 127.0.0.1:{port} ssl; server_name localhost;
    ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;
    location / {{ limit_req zone=keys burst={burst} nodelay; proxy_pass http://unix:{folder}/inner.sock; }}
  }}
  server {{
    listen unix:{folder}/inner.sock; access_log off; default_type application/json;
    location ~ ^/api/v2/actions/app_key_registrations/(?<key>[-0-9a-f]+)$ {{
      return 201 '{{"data":{{"id":"$key","type":"app_key_registration"}}}}';
    }}
  }}
}}
"""

HAPROXY = """
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend api
  bind 127.0.0.1:{port}
  stick-table type string len 64 size 10 expire 1m store http_req_rate({period}s)
  http-request track-sc0 req.hdr(DD-API-KEY)
  http-request deny deny_status 429 hdr Retry-After 1 if {{ sc_http_req_rate(0) gt {limit} }}
  http-request return status 201 content-type application/json lf-string \
'{{"data":{{"id":"%[path,field(6,/)]","type":"app_key_registration"}}}}'
"""


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


def nginx(place, port, rate=200, burst=20):
    with open(place.path("nginx.conf"), "w") as file:
        file.write(NGINX.format(folder=place.folder, port=port, rate=rate, burst=burst))
    server = place.start("nginx", "-c", place.path("nginx.conf"), "-p", place.folder)
    wait_for(lambda: os.path.exists(place.path("nginx.pid")))
    return server


def requests(place):
    with open(place.path("access.log")) as file:
        return [int(line.split('" ')[1].split()[0]) for line in file]


def tls():
    with Place(BINARY) as place:
        authority(place)
        port = free_port()
        nginx(place, port)
        place.env["KEYREG_API_URL"] = f"https://localhost:{port}"
        wanted = keys(1500)
        place.drop("list", "\n".join(wanted))

        daemon = place.daemon()
        held = wait_for(lambda: (s := place.status()) and s["hold"] == "outage" and s)
        check("an unknown authority is refused and held", held and "TLS" in held["reason"], held)
        check("nothing was sent to it", requests(place) == [])
        check("no key failed for it", held and held["keys"]["failed"] == 0)
        place.config(f"api:\n  ca_file: {place.path('ca.pem')}\n")
        check("SIGTERM ends a hold in order", interrupt(daemon) == 0)

        place.env["HTTP_PROXY"] = place.env["http_proxy"] = "http://127.0.0.1:1"
        check("with ca_file every key is registered", place.until_done(120) == 0)
        check("nginx's limit was met and obeyed", 0 < requests(place).count(429) < 150, requests(place).count(429))
        check("every key was registered once", requests(place).count(201) == 1500, requests(place).count(201))
        check("a 429 cost no attempt", all(row[1] == "registered" and row[3] == "1" for row in place.results("list")))


def gone():
    with Place(BINARY) as place:
        authority(place)
        port = free_port()
        server = nginx(place, port, rate=100, burst=50)
        place.env["KEYREG_API_URL"] = f"https://localhost:{port}"
        place.config(f"api:\n  ca_file: {place.path('ca.pem')}\n")
        place.drop("list", "\n".join(keys(600)))
        daemon = place.daemon()
        wait_for(lambda: (s := place.status()) and s["keys"]["registered"] > 50)
        server.terminate()
        server.wait()
        held = wait_for(lambda: (s := place.status()) and s["hold"] == "outage" and s)
        check("a server that went away is an outage", held and held["keys"]["failed"] == 0, held)
        nginx(place, port, rate=1000, burst=500)
        done = wait_for(lambda: (s := place.status()) and s["keys"]["registered"] == 600, 90)
        check("it ends when the server is back", done, place.status())
        check("the stop is in order", interrupt(daemon) == 0)


def haproxy():
    with Place(BINARY) as place:
        port = free_port()
        with open(place.path("haproxy.cfg"), "w") as file:
            file.write(HAPROXY.format(port=port, period=5, limit=100))
        place.start("haproxy", "-db", "-f", place.path("haproxy.cfg"))
        place.env["KEYREG_API_URL"] = f"http://127.0.0.1:{port}"
        place.drop("list", "\n".join(keys(500)))
        check("HAProxy's limit with Retry-After: every key registered", place.until_done(180) == 0)
        check("none of them needed a second attempt", all(row[3] == "1" for row in place.results("list")))


tls()
gone()
haproxy()
finish()
