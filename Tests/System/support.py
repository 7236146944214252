"""Shared by the Python checks: a place to work in, the programs that they start, and how they report."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid

passed = failed = 0


def check(name, fine, detail=""):
    global passed, failed
    passed, failed = passed + bool(fine), failed + (not fine)
    print(("ok    " if fine else "FAIL  ") + name + (f": {detail}" if detail and not fine else ""), flush=True)


def finish():
    print(f"{passed} passed, {failed} failed")
    raise SystemExit(1 if failed else 0)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def keys(count):
    return [str(uuid.uuid4()) for _ in range(count)]


def wait_for(what, seconds=60, every=0.1):
    """The first true value of what(); None when the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(every)
    return None


class Place:
    """A folder with a spool, a state directory and a socket, and everything that was started for it."""

    def __init__(self, binary, folder=None):
        self.binary = binary
        self.folder = folder or tempfile.mkdtemp(prefix="keyreg-check.", dir="/tmp")
        self.started = []
        self.env = dict(
            PATH=os.environ["PATH"], DD_API_KEY="check-api-key", DD_APP_KEY="check-app-key",
            KEYREG_SPOOL=self.path("spool"), KEYREG_STATE=self.path("state"), KEYREG_SOCKET=self.path("c.sock"))
        self.config("retry:\n  first_delay: 50ms\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.started):
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def config(self, text):
        with open(self.path("keyreg.yaml"), "w") as file:
            file.write(text)

    def start(self, *command, **options):
        log = open(self.path(os.path.basename(command[0]) + ".log"), "a")
        process = subprocess.Popen(command, env=self.env, stdout=log, stderr=log, **options)
        self.started.append(process)
        return process

    def sandbox(self, *flags, env=None):
        process = subprocess.Popen(
            [self.binary, "sandbox", "--journal", self.path("journal"), *flags], stdout=subprocess.PIPE, text=True, env=env)
        self.started.append(process)
        self.env["KEYREG_API_URL"] = process.stdout.readline().split()[-1]
        return process

    def daemon(self, *flags):
        return self.start(self.binary, "run", "--config", self.path("keyreg.yaml"), *flags)

    def until_done(self, seconds):
        daemon = self.daemon("--until-done")
        try:
            return daemon.wait(seconds)
        except subprocess.TimeoutExpired:
            daemon.kill()
            return None

    def command(self, *arguments, **options):
        return subprocess.run([self.binary, *arguments], env=self.env, capture_output=True, text=True, **options)

    def status(self):
        reply = self.command("status", "--json")
        return json.loads(reply.stdout) if reply.returncode == 0 else None

    def request(self, method, path, body=None, timeout=10):
        """Status and body of one exchange on the control socket; (None, b"") when there is no answer."""
        connection = UnixConnection(self.env["KEYREG_SOCKET"], timeout)
        try:
            connection.request(method, path, body)
            reply = connection.getresponse()
            return reply.status, reply.read()
        except (OSError, http.client.HTTPException):
            return None, b""
        finally:
            connection.close()

    def ask(self, path):
        """The daemon's answer as JSON, a list of documents when it is JSON lines; None when there is none."""
        status, body = self.request("GET", path)
        if status != 200:
            return None
        return [json.loads(line) for line in body.splitlines()] if "jsonl" in path else json.loads(body)

    def preload(self, source, name):
        """Compiles a C file beside this one; every program that is started from now on has the library."""
        library = self.path(name)
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), source)
        compiler = shutil.which("cc") or "clang"
        subprocess.run([compiler, "-Wall", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        self.env["LD_PRELOAD"] = library

    def drop(self, name, text):
        os.makedirs(self.path("spool/incoming"), exist_ok=True)
        with open(self.path("spool/incoming/." + name), "w") as file:
            file.write(text)
        os.rename(self.path("spool/incoming/." + name), self.path("spool/incoming/" + name))

    def results(self, name):
        with open(self.path(f"spool/results/{name}.csv")) as file:
            return [line.split(",") for line in file.read().splitlines()[1:]]

    def journal(self):
        with open(self.path("journal")) as file:
            return [json.loads(line) for line in file]

    def log(self):
        with open(self.path(os.path.basename(self.binary) + ".log")) as file:
            return file.read()


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=10):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def interrupt(process, number=signal.SIGTERM):
    process.send_signal(number)
    return process.wait(60)
