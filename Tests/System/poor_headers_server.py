"""The register endpoint behind windows that begin with a first request, with few headers, for pacing_check.py.

    poor_headers_server.py PORT LIMIT PERIOD TELLS LATENCY TIMES

TELLS is `count` (Limit and Remaining only) or `odd` (Reset too, and one reply says a day). TIMES gets a line "seconds
status" for each request.
"""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

port, limit, period, tells, latency, times = sys.argv[1:]
LIMIT, PERIOD, LATENCY = int(limit), float(period), float(latency)
ODD_REPLY, ODD_RESET = 30, 86_400
lock = threading.Lock()


class Window:
    begun, used, replies = -PERIOD, 0, 0


def count():
    """The status, what is left, and the seconds to the end of the window, or an odd number of them."""
    with lock:
        now = time.monotonic()
        if now >= Window.begun + PERIOD:
            Window.begun, Window.used = now, 0
        passed = Window.used < LIMIT
        Window.used += passed
        Window.replies += 1
        status, reset = (201 if passed else 429), int(Window.begun + PERIOD - now) + 1
        log.write(f"{time.time():.6f} {status}\n")
        return status, LIMIT - Window.used, ODD_RESET if Window.replies == ODD_REPLY else reset


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_PUT(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, left, reset = count()
        time.sleep(LATENCY)
        key = self.path.rsplit("/", 1)[1]
        registration = {"data": {"id": key, "type": "app_key_registration"}}
        body = json.dumps(registration if status == 201 else {"errors": ["Too many requests"]}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-RateLimit-Limit", str(LIMIT))
        self.send_header("X-RateLimit-Remaining", str(left))
        if tells == "odd":
            self.send_header("X-RateLimit-Reset", str(reset))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


server = Server(("127.0.0.1", int(port)), Handler)
log = open(times, "a", buffering=1)
server.serve_forever()
