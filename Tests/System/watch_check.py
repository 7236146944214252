#!/usr/bin/env python3
"""What people look at while the daemon works, stops and comes back: watch_check.py BINARY

With pyte and quickjs from PyPI: `status --watch` and `lists --watch` draw on a terminal that pyte emulates, and the page's own script
runs with a document of a few lines.
"""

import fcntl
import os
import pathlib
import pty
import select
import signal
import struct
import sys
import termios
import time

import pyte
import quickjs

from support import Place, check, finish, interrupt, keys, wait_for

BINARY = os.path.realpath(sys.argv[1])
SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "Sources/ControlAPI/Page/page.js"


class Terminal:
    """A command on a terminal, and what its screen shows."""

    def __init__(self, place, columns, *command):
        self.screen = pyte.Screen(columns, 24)
        self.stream = pyte.ByteStream(self.screen)
        self.process, self.side = pty.fork()
        if self.process == 0:
            # Ignored where the check itself runs in the background.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execvpe(BINARY, [BINARY, *command], {**place.env, "TERM": "xterm", "LANG": "C.UTF-8"})
        self.resize(columns)

    def resize(self, columns):
        fcntl.ioctl(self.side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.screen.resize(24, columns)

    def lines(self):
        return [line.rstrip() for line in self.screen.display if line.strip()]

    def shows(self, what, seconds=20):
        """Reads until what(lines) is true of the screen; false when the time is over."""
        end = time.monotonic() + seconds
        while not what(self.lines()):
            if not select.select([self.side], [], [], max(0, end - time.monotonic()))[0]:
                return False
            # A terminal newline returns the carriage, as the line discipline adds.
            self.stream.feed(os.read(self.side, 65536))
        return True

    def end(self):
        os.kill(self.process, signal.SIGINT)
        os.waitpid(self.process, 0)
        os.close(self.side)


def has(*texts):
    """Each of these is on one line and no more: nothing remains of the block drawn before."""
    return lambda lines: all(sum(text in line for line in lines) == 1 for text in texts)


def frames(place):
    daemon = place.daemon()
    place.drop("team", "".join(k + "\n" for k in keys(100)))
    wait_for(lambda: (s := place.status()) and s["keys"]["registered"])
    watch = Terminal(place, 80, "status", "--watch")
    block = (" %  ", "100 keys", "rate  ", "40 in 1 h")
    check("status --watch draws one block", watch.shows(has(*block, "waiting")), watch.lines())
    place.command("pause", "--reason", "lunch")
    check("… over the last one when something changes", watch.shows(has(*block, "paused", "lunch")), watch.lines())
    for columns in (50, 200):
        watch.resize(columns)
        place.command("resume" if columns == 50 else "pause")
        state = "waiting" if columns == 50 else "paused"
        check(f"… within {columns} columns after a resize", watch.shows(has(*block, state)), watch.lines())
    watch.resize(80)
    interrupt(daemon)
    check("a daemon that stops is told below it", watch.shows(has(*block, "keyreg: the daemon has stopped")), watch.lines())
    daemon = place.daemon()
    check("… until it is back", watch.shows(lambda lines: has("paused", "100 keys")(lines) and not any("stopped" in l for l in lines)),
          watch.lines())
    watch.end()
    lists = Terminal(place, 80, "lists", "--watch")
    check("lists --watch has a line for the open list", lists.shows(has("team", "paused")), lists.lines())
    lists.end()
    interrupt(daemon)


# As much of a browser as the script asks for. Timers and events are fired by the check.
BROWSER = """
const made = [], timers = [], fetched = [], classes = new Set();
const elements = { reason: { id: "reason", textContent: "" } };
const main = { before(note) { elements[note.id] = note; note.remove = () => { delete elements[note.id]; }; } };
const document = {
  body: { classList: { toggle(name, on) { on ? classes.add(name) : classes.delete(name); } } },
  getElementById: (id) => elements[id] ?? null,
  querySelector: (query) => query === "main" ? main : null,
  querySelectorAll: () => [],
  createElement: () => ({ setAttribute(name, value) { this[name] = value; } }),
};
const Intl = { DateTimeFormat: class {} };
const location = { href: "/" };
const performance = { now: () => 0 };
const setTimeout = (body, after) => timers.push([after, body]);
const setInterval = () => {};
const fetch = (url) => { fetched.push(url); return Promise.reject("refused"); };
class EventSource {
  constructor(url) { this.url = url; this.isOpen = true; made.push(this); }
  addEventListener(name, body) { this[name] = body; }
  close() { this.isOpen = false; }
}
const fire = (after) => { const due = timers.filter((t) => t[0] === after); timers.splice(0, timers.length, ...timers.filter((t) => t[0] !== after)); due.forEach((t) => t[1]()); };
"""


def page():
    """The page's script follows the daemon over a restart, as its states."""
    script = quickjs.Context()
    script.eval(BROWSER + SCRIPT.read_text())
    gone = 'elements.gone?.textContent.slice(0, 27) ?? ""'
    check("the page follows the daemon", script.eval('made.length === 1 && made[0].url === "/v1/events"'))
    script.eval("made[0].onerror()")
    check("a daemon that is gone is told in a note", script.eval(gone) == "The daemon has not answered", script.eval(gone))
    check("… as an alert, and the page is marked", script.eval('elements.gone.role === "alert" && classes.has("stale") && !made[0].isOpen'))
    script.eval("elements.gone.isFirst = true; fire(2000); made[1].onerror(); fire(2000)")
    check("… once, however often it is tried again", script.eval("elements.gone.isFirst && made.length === 3 && made[2].isOpen"))
    script.eval("""made[2].status({ data: '{"reason": "rate limit used up"}' })""")
    check("the note goes when the daemon is back", script.eval('elements.gone === undefined && !classes.has("stale")'))
    check("… and the page goes on", script.eval('elements.reason.textContent === "rate limit used up"'))
    script.eval("fire(0)")
    while script.execute_pending_job():
        pass
    check("… and is read again", script.eval('fetched.length === 1 && fetched[0] === "/"'))


page()
with Place(BINARY) as place:
    place.config("spool:\n  settle: 100ms\n")
    place.sandbox("--limit", "40/1h")
    frames(place)
finish()
