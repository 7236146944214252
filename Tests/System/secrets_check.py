#!/usr/bin/env python3
"""No secret leaves the daemon, and no foreign text reaches a terminal, a log, a CSV file or a page as it came.

    secrets_check.py BINARY [SEED]      as root (the daemon is `nobody`); needs openssl; loopback only

Two daemons at the debug level, one with secrets of the usual forms and a text log, one with secrets of no form and a JSON log. The API,
a proxy and the lists repeat the secrets in every way, and send escape sequences, line ends, direction marks, formulas and tags. Then
everything that the daemon wrote, shows, answers or prints is searched for secrets and halves of them.
"""

import csv
import io
import json
import os
import pty
import random
import subprocess
import sys
import threading
import time
import unicodedata
import urllib.request

import hostile_plays as plays
import hostile_words as words
from hostile_server import Authority, HostileAPI, HostileProxy, answer
from hostile_words import ESCAPES, FORMULAS, TAGS, Secrets
from spool_place import DAEMON, GROUP, SpoolPlace, usable_by_all
from support import check, finish, free_port, interrupt, wait_for

BINARY = os.path.realpath(sys.argv[1])
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)

class Run:
    def __init__(self, place, usual, seed):
        self.place, self.usual = place, usual
        self.label = "secrets of the usual forms" if usual else "secrets of no form"
        self.random = random.Random(seed)
        self.secrets = secrets = Secrets(self.random, usual)
        authority = Authority(place.folder)
        self.server, self.proxy = HostileAPI(tls=authority.context("good")), HostileProxy()
        for name, text in [("api-key", secrets.api), ("app-key", secrets.app)]:
            with open(place.path(name), "w") as file:
                file.write(text + "\n")
            os.chown(place.path(name), DAEMON, -1)
            os.chmod(place.path(name), 0o400)
            del place.env["DD_" + name.replace("-", "_").upper()]
        self.page = f"127.0.0.1:{free_port()}"
        place.env["KEYREG_API_URL"] = self.server.url
        self.settings = "\n".join([
            "api:", f"  api_key_file: {place.path('api-key')}", f"  app_key_file: {place.path('app-key')}",
            f"  ca_file: {authority.path('ca.pem')}", f"  proxy: http://{secrets.proxy}@127.0.0.1:{self.proxy.port}",
            "retry:", "  first_delay: 50ms", "  max_attempts: 50", "spool:", "  settle: 200ms", "control:", f"  listen: {self.page}",
            "log:", "  level: debug", f"  format: {'text' if usual else 'json'}", ""])
        place.config(self.settings)
        self.daemon = place.running_daemon()
        self.texts = {}  # by name, what is searched

    def check(self, name, fine, detail=""):
        check(f"{self.label}: {name}", fine, detail)

    # What the API says

    def say(self, waiting):
        """Each key gets one of these answers once, then a good one."""
        waiting, met, lock = list(waiting), set(), threading.Lock()

        def act(connection, key):
            with lock:
                data = None if key in met or not waiting else waiting.pop()
                met.add(key)
            if data is None:
                self.server.note_confirmed(key)
                data = words.confirmed(self.secrets, key)
            connection.send(data)

        self.server.begin(plays.Play("echo", act, keeps=True))

    # What is searched

    def gather(self, when, everything=False):
        """Collects what can be seen now: the socket and the pages always, every command only with `everything`."""
        place = self.place
        commands = []
        if everything:
            commands = [
                ["status"], ["status", "--json"], ["lists"], ["lists", "--json"], ["outcomes"], ["outcomes", "--format", "csv"],
                ["outcomes", "--format", "jsonl"], ["check", "--config", place.path("keyreg.yaml")], ["key", self.keys[0]],
                ["key", self.keys[0], "--json"], ["key", self.keys[60]], ["reload"]]
        for arguments in commands:
            ended = place.command(*arguments, user=DAEMON)
            self.texts[f"{when}: keyreg {' '.join(arguments)}"] = (ended.stdout + ended.stderr).encode()
        for path in ["/v1/status", "/v1/lists", "/v1/outcomes", "/v1/outcomes?format=csv", "/v1/outcomes?format=jsonl", "/v1/history",
                     "/metrics", "/healthz", "/", "/v1/openapi.json", f"/v1/keys/{self.keys[0]}"]:
            self.texts[f"{when}: socket {path}"] = place.request("GET", path)[1]
        for path in ["/", "/metrics", "/v1/status", "/v1/lists", "/v1/outcomes", *[f"/lists/{name}" for name in self.names]]:
            try:
                with urllib.request.urlopen(f"http://{self.page}{path}", timeout=10) as reply:
                    self.texts[f"{when}: page {path}"] = reply.read()
            except OSError:
                pass  # A page that there is not yet.
        for name in ("cmdline", "environ", "comm"):
            with open(f"/proc/{self.daemon.pid}/{name}", "rb") as file:
                self.texts[f"{when}: /proc/PID/{name}"] = file.read()
        if everything:
            self.texts[f"{when}: terminal"] = b"".join(
                self.on_terminal(*arguments) for arguments in (["status"], ["outcomes"]))

    def on_terminal(self, *arguments):
        ours, theirs = pty.openpty()
        process = subprocess.Popen([self.place.binary, *arguments], env=dict(self.place.env, TERM="xterm"), stdin=theirs,
                                   stdout=theirs, stderr=theirs, user=DAEMON)
        os.close(theirs)
        text = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:
                break
            if not piece:
                break
            text += piece
        process.wait()
        os.close(ours)
        return text

    def files(self):
        """Everything on disk, but the lists as they were dropped."""
        place = self.place
        for top in ("state", "spool", "run"):
            for folder, _, names in os.walk(place.path(top)):
                for name in names:
                    path = os.path.join(folder, name)
                    as_dropped = os.path.basename(folder) in ("incoming", "done", "rejected") and not name.endswith(
                        (".receipt.json", ".reason.txt"))
                    if os.path.isfile(path) and not as_dropped:
                        with open(path, "rb") as file:
                            self.texts[f"file {os.path.relpath(path, place.folder)}"] = file.read()
        self.texts["log"] = place.log().encode()

    # The run

    def drop(self, name, lines):
        path = self.place.incoming("." + name)
        with open(path, "wb") as file:
            file.write("\n".join(lines).encode() + b"\n")
        os.chown(path, DAEMON, -1)
        os.rename(os.fsencode(path), os.path.join(os.fsencode(self.place.spool("incoming")), name.encode()))

    def made(self, count):
        return [f"{self.random.getrandbits(32):08x}-0000-4000-8000-{self.random.getrandbits(48):012x}" for _ in range(count)]

    def go(self):
        s, place = self.secrets, self.place
        self.keys, self.names = self.made(200), ["list", "bad"]
        first, second = "one", "two"
        lines = [*s.listed, f"DD_API_KEY={s.assigned[0]}", f"export DD_APP_KEY='{s.assigned[1]}'", f"https://{s.proxy}@proxy.example/",
                 *[f"{word} {word}" for word in s.listed], ESCAPES.replace("\n", " ").replace("\x00", "") + " x", TAGS, *FORMULAS]
        self.say([])
        self.drop("list", [*self.keys[:20], *lines])
        self.drop("bad", lines)
        # Names are foreign text, too.
        self.drop("=PWN\x1b[31mPWN\n\u202e<script>PWN.csv", self.keys[20:22])
        self.drop("@PWN", self.keys[22:24])
        wait_for(lambda: os.path.exists(place.spool("results/list.csv")), 30)
        # Every answer, one key each.
        self.say(words.echoes(s))
        self.drop(first, self.keys[24:100])
        self.names.append(first)
        done = wait_for(lambda: os.path.exists(place.spool("results/one.csv")), 60)
        self.check("every answer is met", done, place.ask("/v1/status"))
        self.gather("after the answers")
        # What is said while it holds. The list of each hold has keys of its own.
        for number, (what, data, hold) in enumerate([
                ("a 503", answer(f"{s.api} {s.app} {ESCAPES}".encode(), f"503 {s.api}"), "outage"),
                ("a 401", answer(json.dumps({"errors": [f"{s.api} {ESCAPES}"]}).encode(), "401 Unauthorized"), "credentials"),
                ("a redirect", answer(b"", "302 Found", f"Location: https://{s.api}@x.example/{s.app}"), "outage"),
                ("a 422", answer(json.dumps({"errors": [f"{s.api} {TAGS}{ESCAPES}"]}).encode(), "422 X"), None)]):
            self.server.begin(plays.Play("held", plays.saying(data), keeps=True))
            name = f"held{number}"
            self.names.append(name)
            self.drop(name, self.keys[100 + 4 * number:104 + 4 * number])
            if hold:
                held = wait_for(lambda: (t := place.ask("/v1/status")) and t["hold"] == hold and t, 30)
                self.check(f"{what} is a hold", held, place.ask("/v1/status"))
            self.gather("held for " + what)
            self.say([])
            place.command("reload", user=DAEMON)
            wait_for(lambda: os.path.exists(place.spool(f"results/{name}.csv")), 60)
        # The proxy repeats everything.
        page = answer(f"{s.proxy} {s.sent} {s.api}".encode(), f"407 {s.proxy}",
                      f'Proxy-Authenticate: Basic realm="{s.password}"')
        self.proxy.begin(plays.Play("407", lambda c, k: c.send(page), at="connect"))
        self.server.hang_up()
        self.drop(second, self.keys[120:124])
        self.names.append(second)
        held = wait_for(lambda: (t := place.ask("/v1/status")) and t["hold"] == "outage" and t, 30)
        self.check("the proxy's 407 is a hold", held, place.ask("/v1/status"))
        self.gather("the proxy's 407")
        self.proxy.heal()
        wait_for(lambda: os.path.exists(place.spool("results/two.csv")), 60)
        self.mistakes()
        self.dumps()
        self.check("the stop is in order", interrupt(self.daemon) == 0)
        self.files()
        self.judge()

    def mistakes(self):
        """Commands and settings with a secret in the wrong place."""
        s, place = self.secrets, self.place
        path = place.path("mistake.yaml")
        for number, (name, text) in enumerate([
                ("an unknown setting", f"api:\n  api_key: {s.api}\n"), ("a proxy that is none", f"api:\n  proxy: ftp://{s.proxy}@x:y\n"),
                ("no YAML", f"api: [{s.api}\n"), ("a key for a file", f"api:\n  api_key_file: {s.api}\n"),
                ("a user in the URL", f"api:\n  url: https://{s.proxy}@api.example\n"),
                # A secret of no form is not recognised in the wrong place.
                ("a key for a site", f"site: {s.listed[1]}\n")]):
            with open(path, "w") as file:
                file.write(text)
            os.chmod(path, 0o644)
            env = {key: value for key, value in place.env.items() if key != "KEYREG_API_URL"}
            for command in ("check",) if number else ("check", "run"):
                ended = subprocess.run([place.binary, command, "--config", path], env=dict(
                    env, KEYREG_STATE=place.path("outside/s"), KEYREG_SPOOL=place.path("outside/p"),
                    KEYREG_SOCKET=place.path("outside/c")), capture_output=True, user=DAEMON, timeout=20)
                self.check(f"{command} refuses {name}", ended.returncode not in (0, 70), ended)
                self.texts[f"{command} with {name}"] = ended.stdout + ended.stderr
        for name, content in [("posted", "\n".join(s.listed)), (s.listed[0], self.keys[150]), ("DD_API_KEY=" + s.assigned[0], "x")]:
            self.texts[f"a post of {name}"] = place.request("POST", "/v1/lists?name=" + name, content)[1]
        with open(place.path("typed"), "w") as file:
            file.write("\n".join([*s.listed, f"DD_API_KEY={s.assigned[0]}"]))
        os.chmod(place.path("typed"), 0o644)
        ended = place.command("submit", place.path("typed"), user=DAEMON)
        self.texts["submit of secrets"] = (ended.stdout + ended.stderr).encode()
        ended = place.command("pause", "--reason", f"{s.listed[1]} {ESCAPES}".replace("\x00", ""), user=DAEMON)
        self.texts["pause with a secret"] = (ended.stdout + ended.stderr).encode()
        self.gather("paused", everything=True)
        place.command("resume", user=DAEMON)

    def dumps(self):
        """Another process of the same user sees nothing of the memory, and there is no core."""
        pid = self.daemon.pid
        # Root owns the files of undumpable processes.
        self.check("the process is not dumpable", os.stat(f"/proc/{pid}/environ").st_uid == 0)
        for name in ("environ", "mem", "maps", "auxv"):
            # Opening the memory is enough; its first page is unmapped.
            count = "0" if name == "mem" else "1"
            read = subprocess.run(["head", "-c", count, f"/proc/{pid}/{name}"], user=DAEMON, group=GROUP, extra_groups=[GROUP],
                                  capture_output=True)
            self.check(f"its own user cannot read /proc/PID/{name}", read.returncode != 0, read)
        with open(f"/proc/{pid}/limits") as file:
            core = next(line for line in file if line.startswith("Max core file size")).split()[4:6]
        self.check("there is no core file", core == ["0", "0"], core)

    # The judgement

    def judge(self):
        self.check("the search finds what is there", self.secrets.found(self.dropped("list")) and self.secrets.found(self.dropped("bad", "rejected")))
        self.check("the daemon was told the secrets", b"(redacted)" in b"".join(self.texts.values()))
        for name, text in self.texts.items():
            for secret, place in self.secrets.found(text):
                self.check(f"no {secret} in {name}", False, text[max(0, place - 150):place + 60])
        self.check(f"no secret in {len(self.texts)} texts, {sum(map(len, self.texts.values()))} bytes", True)
        for name, text in self.texts.items():
            if "terminal" in name:
                raw = [piece for piece in (b"\x1b[31mPWN", b"\x1b]0;PWN", b"\x07", "\x9b".encode(), "\u202e".encode()) if piece in text]
                self.check(f"no foreign sequence on the {name}", not raw, raw)
            elif not name.startswith("file state/") and "/proc/" not in name:
                self.raw(name, text)
            # The others are not HTML.
            if "page /lists/" in name or name.endswith((" page /", " socket /")):
                self.check(f"no foreign tag on {name}", b"<script>PWN" not in text and b"<img src=PWN" not in text, text[:300])
        for name, text in self.texts.items():
            if name.endswith(("csv", ".csv")) and not name.startswith("file state"):
                rows = list(csv.reader(io.StringIO(text.decode())))
                formulas = [field for row in rows for field in row if field.lstrip()[:1] in tuple("=+-@\uff1d") and field.strip()]
                self.check(f"no formula in {name}", not formulas, formulas[:3])
        shown = b"".join(self.texts.values())
        missing = [piece for piece in (b"1+1|PWN", b"<script>PWN", b"\\u{1b}[31mPWN") if piece not in shown]
        self.check("formulas, tags and escapes were among what is shown", not missing, missing)

    def raw(self, name, text):
        """No control character but the line feed (and JSON's own white space), no mark that changes a line's direction."""
        bad = {letter for letter in text.decode(errors="surrogateescape")
               if letter not in "\n" and unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp", "Co", "Cs")}
        if bad:
            self.check(f"nothing raw in {name}", False, (sorted(map(ascii, bad)), ascii(text.decode(errors="replace"))[:400]))

    def dropped(self, name, folder="done"):
        with open(self.place.spool(f"{folder}/{name}"), "rb") as file:
            return file.read()


def one(usual):
    with SpoolPlace(BINARY) as place:
        place.binary = usable_by_all(BINARY, place.folder)
        try:
            Run(place, usual, SEED).go()
        except Exception as error:  # A thread's own end would go unnoticed.
            check(f"the run with {usual} runs", False, repr(error) + place.log()[-1000:])
            raise


print(f"      seed {SEED}")
begun = time.monotonic()
threads = [threading.Thread(target=one, args=(usual,)) for usual in (True, False)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(f"      {time.monotonic() - begun:.0f} s")
finish()
