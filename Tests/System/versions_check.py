#!/usr/bin/env python3
"""Versions that meet: a queue of the first version, a queue of a later one, the answers of an older and of a newer daemon.

    versions_check.py BINARY [--record]

`v1/` has the answers that the daemon gave when they were recorded. A client of any later version must read them, and a
daemon of any later version must still give every member in them. `--record` rewrites them: only to add to them.
`queue-1.sql` is a queue of the first version.
"""

import argparse
import copy
import hashlib
import http.server
import json
import os
import shutil
import socket
import socketserver
import sqlite3
import subprocess
import threading

from hostile_requests import Wire
from support import Place, check, finish, interrupt, wait_for

HERE = os.path.dirname(os.path.realpath(__file__))
FIXTURES = os.path.join(HERE, "v1")
KEY = "00000000-0000-4000-8000-{:012d}"
# What was asked for each recorded answer: a name, the request, and its body.
ANSWERS = [
    ("receipt.json", "POST /v1/lists?name=posted", KEY.format(1) + "\nnone\n"),
    ("lists.json", "GET /v1/lists", None),
    ("list.json", "GET /v1/lists/failing", None),
    ("key.json", "GET /v1/keys/" + KEY.format(2), None),
    ("outcomes.jsonl", "GET /v1/outcomes", None),
    ("outcomes.csv", "GET /v1/outcomes?format=csv", None),
    ("pause.json", "POST /v1/pause", '{"reason":"maintenance"}'),
    ("status.json", "GET /v1/status", None),
    ("events", "GET /v1/events", None),
    ("retry.json", "POST /v1/retry?list=failing", ""),
    # Still paused: else the key that is tried again may be done before its list is cancelled.
    ("cancel.json", "POST /v1/lists/failing/cancel", ""),
    ("resume.json", "POST /v1/resume", ""),
    ("reload.json", "POST /v1/reload", ""),
    ("healthz.json", "GET /healthz", None),
    ("error.json", "GET /v1/lists/none", None),
]


# Answers


def exchange(place, request, body):
    """Status and body; the first event of a stream."""
    with Wire(place.env["KEYREG_SOCKET"], 30) as wire:
        length = "" if body is None else f"Content-Length: {len(body)}\r\n"
        wire.send(f"{request} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n{body or ''}".encode())
        if not request.endswith("/events"):
            answer = wire.answer()
            return answer.status, answer.body.decode()
        status = wire.answer(has_body=False).status
        while b"\n\n" not in wire.data and wire.fill():
            pass
        return status, wire.data.partition(b"\r\n")[2].decode().rpartition("\n\n")[0] + "\n\n"


def answers(place):
    """Those of a daemon of this version, by name."""
    place.sandbox("--limit", "100000/10s", "--faults", f"422:key={KEY.format(2)}")
    place.config("retry:\n  first_delay: 50ms\n")
    place.drop("failing", KEY.format(2) + "\n" + KEY.format(3) + "\n")
    daemon = place.daemon()
    wait_for(place.status)
    given = {}
    for name, request, body in ANSWERS:
        if name == "lists.json":
            wait_for(lambda: (s := place.status())["state"] == "idle" and s["keys"]["registered"] == 2, 60)
        given[name] = exchange(place, request, body)
    interrupt(daemon)
    return given


def missing(old, new, path=""):
    """The members of `old` that `new` lacks or has with another type; null may be anything."""
    if isinstance(old, dict):
        if not isinstance(new, dict):
            return [path] if new is not None else []
        gone = [f"{path}.{name}" for name in old if name not in new]
        return gone + [m for name in old if name in new for m in missing(old[name], new[name], f"{path}.{name}")]
    if isinstance(old, list):
        if not isinstance(new, list):
            return [path]
        return missing(old[0], new[0], path + "[]") if old and new else []
    if old is None or new is None or isinstance(old, (int, float)) and isinstance(new, (int, float)):
        return []
    return [] if type(old) is type(new) else [path]


def documents(text):
    """The JSON documents of an answer, whatever its form."""
    return [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith(("{", "data: {"))]


def recorded(name):
    with open(os.path.join(FIXTURES, name)) as file:
        status, _, text = file.read().partition("\n")
    return int(status), text


def record(given, place):
    os.makedirs(FIXTURES, exist_ok=True)
    for name, (status, text) in given.items():
        text = text.replace(place.env["KEYREG_API_URL"], "https://api.datadoghq.com")
        with open(os.path.join(FIXTURES, name), "w") as file:
            file.write(f"{status}\n{text}")


def nothing_is_gone():
    with Place(BINARY) as place:
        given = answers(place)
        if options.record:
            record(given, place)
    for name, _, _ in ANSWERS:
        status, text = recorded(name)
        if name.endswith(".csv"):
            gone = [] if given[name][1].splitlines()[0].startswith(text.splitlines()[0]) else ["the header"]
        else:
            old, new = documents(text), documents(given[name][1])
            gone = missing(old[0], new[0]) if new else ["everything"]
        check(f"{name} still has every member", status == given[name][0] and not gone, (status, given[name][0], gone))


# A daemon of another version


class OtherDaemon(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Gives the recorded answers, each changed by `change`."""
    daemon_threads = True

    def __init__(self, path, change=lambda document: document):
        self.change = change
        super().__init__(path, Handler)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()
        os.unlink(self.server_address)

    def handle_error(self, *_):
        """A client may hang up early."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        names = {r.split()[1].partition("?")[0]: n for n, r, _ in ANSWERS if r.split()[0] == self.command and n != "outcomes.csv"}
        name = "outcomes.csv" if "format=csv" in query else names.get(path, "error.json")
        status, text = recorded(name)
        if not name.endswith(".csv"):
            for document in documents(text):
                old = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
                text = text.replace(old, json.dumps(self.server.change(copy.deepcopy(document)), separators=(",", ":")))
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass

    def address_string(self):
        return ""


COMMANDS = [
    (["status"], 0), (["status", "--json"], 0), (["status", "failing", "--wait"], 1), (["lists"], 0),
    (["lists", "--json"], 0), (["lists", "--active"], 0), (["key", KEY.format(2)], 0), (["outcomes"], 0),
    (["outcomes", "--format", "csv"], 0), (["outcomes", "--format", "jsonl"], 0), (["pause", "--reason", "x"], 0),
    (["resume"], 0),
    (["retry", "--list", "failing"], 0), (["cancel", "failing"], 0), (["reload"], 0), (["status", "none", "--wait"], 66)]


def said(place):
    """Exit code and output of every command with the daemon that runs."""
    found = {}
    for command, _ in COMMANDS:
        reply = place.command(*command, timeout=60)
        found[" ".join(command)] = reply.returncode, reply.stdout, reply.stderr
    return found


def with_news(document):
    """Adds unknown members at every depth."""
    if isinstance(document, list):
        return [with_news(element) for element in document]
    if not isinstance(document, dict):
        return document
    return {"a_news": {"of": ["a", "later", "version"]}, **{n: with_news(v) for n, v in document.items()}, "z_news": None}


def clients():
    with Place(BINARY) as place:
        os.makedirs(place.path("spool/incoming"))
        with OtherDaemon(place.env["KEYREG_SOCKET"]):
            old = said(place)
            for command, code in COMMANDS:
                reply = old[" ".join(command)]
                check(f"keyreg {' '.join(command)} reads an answer of then", reply[0] == code, reply)
            check("… and shows it", "failing" in old["lists"][1] and "no Actions API access" in old["outcomes"][1]
                  and "paused" in old["status"][1], (old["lists"], old["outcomes"], old["status"]))
        with OtherDaemon(place.env["KEYREG_SOCKET"], with_news):
            new = said(place)
            # Those that pass an answer on show all of it.
            plain = [" ".join(c) for c, _ in COMMANDS if "--json" not in c and "jsonl" not in c]
            other = [c for c in plain if new[c] != old[c]]
            check("members of a later version change nothing", not other, [(c, new[c], old[c]) for c in other[:2]])
            failed = [c for c in new if new[c][0] != old[c][0]]
            check("… in JSON either", not failed, failed)
        with OtherDaemon(place.env["KEYREG_SOCKET"], with_other_words):
            new = said(place)
            failed = [c for c in new if new[c][0] != old[c][0]]
            check("words of a later version end no command", not failed, [(c, new[c]) for c in failed[:2]])
            check("… and are shown", "dreaming" in new["status"][1] and "dreaming" in new["status --json"][1]
                  and "dreaming" in new["outcomes"][1], (new["status"], new["outcomes"]))


def with_other_words(document):
    """With unknown states and holds."""
    if isinstance(document, list):
        return [with_other_words(element) for element in document]
    if not isinstance(document, dict):
        return document
    return {n: "dreaming" if n in ("state", "hold") and isinstance(v, str) else with_other_words(v) for n, v in document.items()}


def newer_client():
    """Unknown requests are refused with a reason; unknown members of bodies are ignored."""
    with Place(BINARY) as place:
        place.sandbox("--limit", "100000/10s")
        daemon = place.daemon()
        wait_for(place.status)
        for request, body, wanted, words in [
                ("GET /v1/lists?a-news=1", None, 400, "a-news"), ("GET /v1/outcomes?state=skipped", None, 400, "it is one of"),
                ("GET /v1/a-news", None, 404, "nothing at this address"),
                ("GET /v2/status", None, 404, "nothing at this address"),
                ("POST /v1/lists/x/a-news", "", 404, "nothing at this address"), ("PATCH /v1/lists/x", "{}", 405, "accepts only"),
                ("POST /v1/pause", '{"reason":"x","until":"2030-01-01T00:00:00Z"}', 200, "paused"),
                ("POST /v1/resume", '{"why":1}', 200, "idle")]:
            status, text = exchange(place, request, body)
            check(f"{request} is {wanted}", status == wanted and words in text, (status, text))
        interrupt(daemon)


# Queues


def old_queue(place):
    """A state directory and a spool as the first version left them."""
    os.makedirs(place.path("state"))
    for name in ("incoming", "reading", "done", "rejected", "results"):
        os.makedirs(place.path("spool/" + name))
    text = "".join(KEY.format(n) + "\n" for n in range(1, 9)).encode()
    digest = hashlib.sha256(text).hexdigest()
    with open(place.path("spool/done/old"), "wb") as file:
        file.write(text)
    with open(place.path("spool/done/old.receipt.json"), "w") as file:
        json.dump({"list": "old", "id": 1, "sha256": digest, "bytes": len(text), "imported_at": "2025-11-24T16:00:00.100Z",
                   "keys": {"accepted": 8, "already_known": 0, "duplicate_in_list": 0, "invalid": 0}, "invalid": [],
                   "invalid_truncated": False, "duplicate_of": None, "format": "text"}, file)
    with open(os.path.join(HERE, "queue-1.sql")) as file:
        script = file.read().replace(":sha256", f"'{digest}'").replace(":bytes", str(len(text)))
    database = sqlite3.connect(place.path("state/queue.sqlite"))
    database.execute("PRAGMA journal_mode = WAL")
    database.executescript(script)
    database.close()


def rows(path, sql):
    database = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    try:
        return database.execute(sql).fetchall()
    finally:
        database.close()


def queues():
    with Place(BINARY) as place:
        old_queue(place)
        queue, copied = place.path("state/queue.sqlite"), place.path("state/queue.sqlite.schema-1")
        before = rows(queue, "SELECT * FROM key")
        place.sandbox("--limit", "100000/10s")
        code = place.until_done(60)
        sent = sorted(int(line["path"][-12:]) for line in place.journal())
        check("a queue of the first version is worked on", code == 1 and sent == [5, 6, 7, 8], (code, sent, place.log()))
        states = {row[0]: row[1] for row in rows(queue, "SELECT id, state FROM key")}
        check("… and keeps what it knew", states == {1: 2, 2: 2, 3: 3, 4: 4, 5: 2, 6: 2, 7: 2, 8: 2}, states)
        check("… with results of its list", [row[1] for row in place.results("old")] == [
            "registered", "registered", "failed", "cancelled"] + ["registered"] * 4)
        check("a copy of it is kept, as it was", os.path.exists(copied) and rows(copied, "SELECT * FROM key") == before
              and rows(copied, "SELECT identifier FROM grdb_migrations") == [("1",)])
        check("… and the journal says where", copied in place.log(), place.log())
        place.until_done(60)
        check("only once", sorted(n for n in os.listdir(place.path("state")) if "schema" in n) == ["queue.sqlite.schema-1"])
        restored = place.command("restore", copied)
        check("one can go back to it", restored.returncode == 0 and rows(queue, "SELECT * FROM key") == before, restored)
        check("… and forward again", place.until_done(60) == 1 and len(place.journal()) == 8, len(place.journal()))

        # A later version has been here.
        database = sqlite3.connect(queue)
        version = database.execute("PRAGMA user_version").fetchone()[0]
        database.execute("INSERT INTO grdb_migrations VALUES ('of-a-later-version')")
        database.commit()
        database.execute(f"PRAGMA user_version = {version}")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        files = {n: open(place.path("state/" + n), "rb").read() for n in ("queue.sqlite", "queue.sqlite.mark")}
        daemon = place.daemon("--until-done")
        check("a queue of a later version is refused", daemon.wait(60) == 78, place.log())
        check("… in words, with what helps", "was written by a later version of keyreg" in place.log()
              and "hint: run that version" in place.log() and "keyreg restore" in place.log(), place.log())
        check("… and is left as it was", all(open(place.path("state/" + n), "rb").read() == data for n, data in files.items()))
        backup = place.path("later")
        shutil.copy(queue, backup)
        refused = place.command("restore", backup)
        check("restore refuses it too", refused.returncode == 78 and "later version" in refused.stderr, refused)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    BINARY = os.path.realpath(options.binary)
    nothing_is_gone()
    clients()
    newer_client()
    queues()
    finish()
