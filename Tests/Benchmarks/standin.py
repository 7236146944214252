"""Stand-ins for the API that are no bottleneck: nginx, and a small server in C that answers after a fixed time."""

import os
import shutil
import subprocess

from harness import free_port, require, wait_for
from peers import PATH

API = "/api/v2/actions/app_key_registrations/"
NGINX_WORKERS = 1
# Like a server with a wide limit that tells it in every answer.
LIMIT_HEADERS = "".join(
    f" add_header {name} {value} always;" for name, value in {
        "X-RateLimit-Limit": 1_000_000, "X-RateLimit-Period": 10, "X-RateLimit-Remaining": 999_999,
        "X-RateLimit-Reset": 10, "X-RateLimit-Name": "app_key_registrations"}.items())
CONFIGURATION = """
daemon off; error_log {folder}/error.log; pid {folder}/nginx.pid; worker_processes {workers}; {user}
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 1h; tcp_nodelay on;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{plain} backlog=1024; {answer} }}
  server {{ listen 127.0.0.1:{limited} backlog=1024; {headers} {answer} }}
}}
"""
ANSWER = """default_type application/json; location ~ ^/api/v2/actions/app_key_registrations/(?<key>[-0-9a-f]+)$ {
      return 201 '{"data":{"id":"$key","type":"app_key_registration"}}'; }"""


class Nginx:
    """nginx on loopback: 201 for every PUT, without headers at `url`, with a full set of limit headers at `limited`."""

    def __init__(self, bench):
        self.folder = bench.folder("nginx")
        ports = free_port(), free_port()
        self.url, self.limited = (f"http://127.0.0.1:{port}" for port in ports)
        with open(self.folder + "/nginx.conf", "w") as file:
            file.write(CONFIGURATION.format(
                folder=self.folder, workers=NGINX_WORKERS, plain=ports[0], limited=ports[1], answer=ANSWER,
                headers=LIMIT_HEADERS, user="user root;" if os.geteuid() == 0 else ""))

    def __enter__(self):
        program = shutil.which("nginx", path=PATH)
        self.process = subprocess.Popen([program, "-c", self.folder + "/nginx.conf", "-p", self.folder], stderr=subprocess.DEVNULL)
        require(wait_for(lambda: os.path.exists(self.folder + "/nginx.pid"), 10, 0.01), "nginx")
        return self

    def __exit__(self, *_):
        end(self.process)


class SlowServer:
    """Answers each request 201 after `milliseconds`, with a full set of limit headers; many connections, one thread."""

    def __init__(self, bench, milliseconds):
        self.command = [bench.peers.program("slow_server"), str(milliseconds)]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        self.limited = "http://127.0.0.1:" + require(self.process.stdout.readline().strip(), "the slow server")
        return self

    def __exit__(self, *_):
        end(self.process)


def end(process):
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
