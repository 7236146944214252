"""The start after kill -9 in the middle of work: to READY=1, to the first answer of the socket, and to the first request."""

import os
import shutil
import socket
import threading
import time

from harness import Keyreg, column, require


def measure(bench, report, stopped, count):
    """Works on a copy of the folder of a keyreg that was stopped and paused with `count` pending keys."""
    folder = bench.folder("restarts")
    shutil.copytree(stopped.path("spool"), folder + "/spool", dirs_exist_ok=True)
    shutil.copytree(stopped.path("state"), folder + "/state", dirs_exist_ok=True)
    with FirstRequest() as endpoint, Keyreg(bench, endpoint.url, folder=folder) as place:
        place.run()
        require(place.command("resume").returncode == 0, "keyreg resume")
        endpoint.wait()
        place.kill()
        samples = bench.in_turn({"start after kill -9": lambda: start(place, endpoint)})["start after kill -9"]
        report.add("start after kill -9, to READY", f"s, {count:,} keys", column(samples, "ready"), at_most=0.3)
        report.add("start after kill -9, to the first request", f"s, {count:,} keys", column(samples, "request"), at_most=0.5)


def start(place, endpoint):
    path = place.path("notify.sock")
    if os.path.exists(path):
        os.unlink(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(path)
        notify.settimeout(60)
        endpoint.again()
        place.env["NOTIFY_SOCKET"] = path
        begun = time.perf_counter()
        place.process = place.daemon()
        while b"READY=1" not in notify.recv(4096).split(b"\n"):
            pass
        ready = time.perf_counter() - begun
        request = endpoint.wait() - begun
        place.kill()
    del place.env["NOTIFY_SOCKET"]
    return {"ready": ready, "request": request}


class FirstRequest:
    """An endpoint that notes when the first request has come, and answers none of them."""

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.came, self.at = threading.Event(), 0
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def serve(self):
        kept = []  # Until the client is killed.
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            if connection.recv(1) and not self.came.is_set():
                self.at = time.perf_counter()
                self.came.set()
            kept.append(connection)
            del kept[:-128]

    def again(self):
        self.came.clear()

    def wait(self):
        require(self.came.wait(60), "the first request")
        return self.at
