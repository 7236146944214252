"""Rate-limiting servers from Debian that answer as the register endpoint does, for the checks that need third-party
servers. Each writes a line "seconds status" for each request."""

import http.client
import os
import socket

from support import wait_for

NGINX = """
daemon off; user root; error_log {folder}/error.log; pid {folder}/nginx.pid; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  log_format times '$msec $status'; access_log {folder}/times times;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  limit_req_zone $http_dd_api_key zone=keys:1m rate={rate}r/s; limit_req_status 429;
  server {{
    listen 127.0.0.1:{port}{ssl}; server_name localhost; default_type application/json; {certificate}
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

# One thread: with more, HAProxy drops a line of its log where two threads write at once.
HAPROXY = """
global
  nbthread 1
  log stdout format raw local0
defaults
  mode http
  log global
  log-format "%Ts.%ms %ST"
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend api
  bind 127.0.0.1:{port}
  stick-table type string len 64 size 10 expire 10m store http_req_rate({period}s)
  http-request track-sc0 req.hdr(DD-API-KEY)
  http-request deny deny_status 429 hdr Retry-After 1 if {{ sc_http_req_rate(0) gt {limit} }}
  http-request return status 201 content-type application/json lf-string \
'{{"data":{{"id":"%[path,field(6,/)]","type":"app_key_registration"}}}}'
"""

VARNISH = '''
vcl 4.1;
import vsthrottle;
import vtc;
backend none none;
sub vcl_recv {{
  if (req.url !~ "^/api/") {{ return (synth(404)); }}
  if (vsthrottle.is_denied("organisation", {limit}, {period}s)) {{ return (synth(429)); }}
  vtc.sleep({latency}s);
  return (synth(201));
}}
sub vcl_synth {{
  set resp.http.Content-Type = "application/json";
  if (resp.status == 201) {{
    set resp.body = {{"{{"data":{{"type":"app_key_registration","id":""}} + regsub(req.url, ".*/", "") + """"}}}}""";
  }} else {{
    set resp.body = {{"{{"errors":["Too many requests"]}}"}};
  }}
  return (deliver);
}}
'''


def nginx(place, port, rate, burst, tls=False):
    """A leaky bucket, without headers. With `tls` the place has server.pem and server.key."""
    certificate = f"ssl_certificate {place.path('server.pem')}; ssl_certificate_key {place.path('server.key')};"
    with open(place.path("nginx.conf"), "w") as file:
        file.write(NGINX.format(folder=place.folder, port=port, rate=rate, burst=burst, ssl=" ssl" if tls else "",
                                certificate=certificate if tls else ""))
    server = place.start("nginx", "-c", place.path("nginx.conf"), "-p", place.folder)
    wait_for(lambda: os.path.exists(place.path("nginx.pid")))
    return server


def haproxy(place, port, limit, period):
    """A stick table, which counts what it refuses too; always Retry-After: 1."""
    with open(place.path("haproxy.cfg"), "w") as file:
        file.write(HAPROXY.format(port=port, limit=limit, period=period))
    return place.start("haproxy", "-db", "-f", place.path("haproxy.cfg"))


def varnish(place, port, limit, period, latency):
    """A token bucket (vmod_vsthrottle), without headers. Returns once its log is being written: the log has a few 404s
    first."""
    with open(place.path("throttle.vcl"), "w") as file:
        file.write(VARNISH.format(limit=limit, period=period, latency=latency))
    folder = place.path("varnish")
    place.start("varnishd", "-j", "none", "-F", "-a", f"127.0.0.1:{port}", "-f", place.path("throttle.vcl"), "-n", folder,
                "-s", "malloc,16m")
    wait_for(lambda: listens(port))
    place.start("varnishncsa", "-n", folder, "-w", place.path("times"), "-F", "%{VSL:Timestamp:Process[1]}x %s")
    wait_for(lambda: status(port) == 404 and times(place))


def status(port):
    """The status of a reply that costs nothing."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    finally:
        connection.close()


def listens(port):
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def times(place, log="times"):
    """(seconds, status) of each request in a log, in its order; other lines are skipped."""
    if not os.path.exists(place.path(log)):
        return []
    with open(place.path(log)) as file:
        pairs = [line.split() for line in file]
    return [(float(at), int(status)) for at, status in (pair for pair in pairs if len(pair) == 2 and pair[1].isdigit())]
