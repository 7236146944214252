#!/usr/bin/env python3
"""Notifications to operators: a web server gets the POSTs of notify.url, and a program runs as notify.command.

    notify_check.py BINARY
"""

import http.server
import json
import os
import sys
import threading

from support import Place, check, finish, free_port, interrupt, keys, wait_for

BINARY = os.path.realpath(sys.argv[1])


class Inbox(http.server.ThreadingHTTPServer):
    """Keeps what is posted. Answers with the next of `statuses`, then with 204; with 0, the connection is cut."""

    def __init__(self, statuses=(), port=0):
        super().__init__(("127.0.0.1", port), Post)
        self.statuses, self.got = list(statuses), []
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/hooks/secret-path?token=x"

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def told(self, event):
        return [json.loads(body) for _, _, body, status in self.got if status == 204 and json.loads(body)["event"] == event]


class Post(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.statuses.pop(0) if self.server.statuses else 204
        self.server.got.append((self.path, dict(self.headers), body, status))
        if status == 0:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def settings(url, more=""):
    return f"spool:\n  settle: 100ms\nnotify:\n  url: {url}\n{more}"


def lists_and_holds():
    with Place(BINARY) as place, Inbox() as inbox:
        sandbox = place.sandbox("--limit", "100000/10s")
        place.config(settings(inbox.url, "  hold_after: 1s\n"))
        daemon = place.daemon()
        wait_for(place.status)
        place.drop("team.txt", "".join(k + "\n" for k in keys(3)))
        done = wait_for(lambda: inbox.told("list_done"))
        path, headers, body, _ = inbox.got[0] if inbox.got else ("", {}, b"", 0)
        check("a list that is done is posted once, to the whole URL",
              done and len(inbox.got) == 1 and path == "/hooks/secret-path?token=x", inbox.got)
        check("… as JSON with a sentence, the counts and the results",
              headers.get("Content-Type") == "application/json" and done and done[0]["list"] == "team.txt"
              and done[0]["keys"]["registered"] == 3 and done[0]["text"] == "list team.txt is done: 3 registered"
              and done[0]["results"] == "results/team.txt.csv", (headers, body))
        check("… without credentials", not any(secret in str(inbox.got) for secret in ("check-api-key", "check-app-key")), inbox.got)
        place.drop("bad.txt", "no key\n")
        rejected = wait_for(lambda: inbox.told("list_rejected"))
        check("a rejected list is posted with the reason and what helps",
              rejected and rejected[0]["list"] == "bad.txt" and rejected[0]["reason"] and rejected[0]["hint"], inbox.got)
        sandbox.terminate()
        sandbox.wait()
        place.drop("later.txt", "".join(k + "\n" for k in keys(20)))
        held = wait_for(lambda: inbox.told("hold"), 120)
        check("a hold that lasts is posted", held and held[0]["since"] and held[0]["reason"], (inbox.got, place.status()))
        interrupt(daemon)
        check("the path of the URL is in no log", "secret-path" not in place.log())


def failures():
    with Place(BINARY) as place, Inbox([500, 0]) as inbox:
        place.sandbox("--limit", "100000/10s")
        place.config(settings(inbox.url))
        place.drop("a", keys(1)[0] + "\n")
        daemon = place.daemon()
        wait_for(lambda: inbox.told("list_done"), 60)
        check("what fails is posted again until it is taken", [status for *_, status in inbox.got] == [500, 0, 204], inbox.got)
        check("… each time the same", len({body for _, _, body, _ in inbox.got}) == 1, inbox.got)
        interrupt(daemon)
    with Place(BINARY) as place, Inbox([500] * 9) as inbox:
        place.sandbox("--limit", "100000/10s")
        place.config(settings(inbox.url))
        place.drop("a", keys(1)[0] + "\n")
        code = place.until_done(60)
        check("a server that fails delays the end little and is logged",
              code == 0 and len(inbox.got) >= 2 and "the server answered 500" in place.log(), (code, inbox.got, place.log()))


def not_yet_there():
    port = free_port()
    with Place(BINARY) as place:
        place.sandbox("--limit", "100000/10s")
        place.config(settings(f"http://127.0.0.1:{port}/"))
        place.drop("a", keys(1)[0] + "\n")
        daemon = place.daemon()
        wait_for(lambda: os.path.exists(place.path("spool/results/a.csv")))
        with Inbox(port=port) as inbox:
            check("a server that comes a little later is told", wait_for(lambda: inbox.told("list_done"), 60), place.log())
        interrupt(daemon)


def kills():
    with Place(BINARY) as place, Inbox([500] * 9) as inbox:
        place.sandbox("--limit", "100000/10s")
        place.config(settings(inbox.url))
        daemon = place.daemon()
        wait_for(place.status)
        place.drop("bad.txt", "no key\n")
        place.drop("good.txt", keys(1)[0] + "\n")
        wait_for(lambda: os.path.exists(place.path("spool/results/good.txt.csv")) and inbox.got and place.status()["lists"]["active"] == 0)
        daemon.kill()
        daemon.wait()
        check("nothing was delivered before the kill", not any(status == 204 for *_, status in inbox.got), inbox.got)
        inbox.statuses.clear()
        daemon = place.daemon()
        told = wait_for(lambda: inbox.told("list_rejected") and inbox.told("list_done"))
        check("what was due at a kill is delivered after the next start", told, inbox.got)
        interrupt(daemon)
        count = len(inbox.got)
        check("… and then no more", place.until_done(60) == 0 and len(inbox.got) == count, inbox.got)
    with Place(BINARY) as place, Inbox([500] * 9) as inbox:
        place.sandbox("--limit", "100000/10s")
        place.config(settings(inbox.url))
        place.drop("a", keys(1)[0] + "\n")
        code = place.until_done(60)
        inbox.statuses.clear()
        check("what failed at the end of a run is delivered by the next",
              code == 0 and place.until_done(60) == 0 and len(inbox.told("list_done")) == 1, (code, inbox.got))


lists_and_holds()
failures()
kills()
not_yet_there()
finish()
