"""One round of the property test: plays a plan against the real daemon, and judges what is left once everything has settled."""

import json
import os
import select
import signal
import time
from dataclasses import dataclass, field
from datetime import datetime

import spool_writers
from spool_oracle import Finding, Oracle, Put, read, sent_again
from spool_place import FOLDERS, FolderEvents, SpoolPlace
from spool_plan import SETTLE

# How long a spool must be unchanged before it counts as settled, in seconds.
STILL = 1.5 * SETTLE
# How long a round may last, in seconds, even if something still moves.
LONGEST = 120


@dataclass
class Outcome:
    plan: object
    findings: list
    story: list = field(default_factory=list)

    @property
    def loses(self):
        return any(finding.loss for finding in self.findings)


class Round:
    """`api`: a sandbox's address, whose journal is the file `journal`.

    `patience`: seconds without any change after which all must be right.
    """

    def __init__(self, plan, binary, api, journal, patience):
        self.plan, self.journal, self.patience = plan, journal, patience
        self.place = SpoolPlace(binary, f"{SETTLE * 1000:.0f}ms", api)
        self.events = FolderEvents([self.place.spool(name) for name in FOLDERS])
        self.journal_start = os.path.getsize(journal) if os.path.exists(journal) else 0
        self.reading, self.pipe = os.pipe()
        os.set_blocking(self.reading, False)
        self.rest = b""
        self.writers, self.busy, self.stops, self.daemon = [], len(plan.writers), list(plan.stops), None
        self.puts, self.strange, self.promised, self.findings, self.story = {}, [], set(), [], []
        self.seen = {name: 0 for name in FOLDERS} | {"stall": 0}
        self.ends, self.restart = [], None
        self.epoch = time.time() - time.monotonic()

    def play(self):
        with self.place:
            try:
                if self.plan.start < 0:
                    self.daemon = self.place.running_daemon()
                self.born = time.monotonic()
                self.go = self.born + 0.02
                if self.plan.start >= 0:
                    self.restart = self.go + self.plan.start
                for number, writer in enumerate(self.plan.writers):
                    self.writers.append(spool_writers.begin(self.place, number, writer, self.go, self.pipe))
                self.follow()
                if self.daemon:
                    self.judge_journal()
                    self.end()
            finally:
                for writer in self.writers:
                    os.kill(writer, signal.SIGKILL)
                    os.waitpid(writer, 0)
                self.tell_log()
                self.events.close()
                os.close(self.reading)
                os.close(self.pipe)
        return Outcome(self.plan, self.findings, sorted(self.story, key=lambda line: line[0]))

    def note(self, who, text, moment=None):
        self.story.append((moment or time.monotonic(), who, text))

    def fault(self, text):
        self.findings.append(Finding(False, text))

    # The course of the round

    def follow(self):
        """Ends when everything has settled and is right, or stays wrong for too long."""
        looked, last, since = 0, None, 0
        while True:
            select.select([self.reading, self.events.number], [], [], 0.02)
            self.take_news()
            now = time.monotonic()
            if self.daemon and self.daemon.poll() is not None:
                self.note("daemon", f"ended by itself with {self.daemon.returncode}")
                self.fault(f"the daemon ended by itself with {self.daemon.returncode}")
                self.daemon = None
                return
            if self.restart and now >= self.restart:
                self.begin_daemon(now)
            self.stop_if_due(now)
            if self.busy or self.restart or any(self.is_coming(stop) for stop in self.stops):
                last = None
                continue
            if now - looked < 0.1:
                continue
            looked, state = now, self.state()
            if state != last:
                last, since = state, now
            overdue = now - since > self.patience or now - self.go > LONGEST
            if now - since >= STILL and self.is_quiet() or overdue:
                try:
                    findings = Oracle(self.place, self.puts, self.strange, self.promised, self.plan.ids).judge()
                except FileNotFoundError as error:  # It was not still after all.
                    findings = [Finding(False, f"{error.filename} went away while it was looked at")]
                if not findings and not overdue:
                    return
                if overdue:
                    if not findings:
                        findings = [Finding(False, "the daemon does not settle")]
                    self.findings += findings
                    return

    def state(self):
        """Every file of the spool and the progress of the keys; it changes while the daemon has something to do."""
        status = self.place.ask("/v1/status")
        files = [status and status["keys"]["registered"]]
        for folder in FOLDERS:
            with os.scandir(self.place.spool(folder)) as entries:
                for entry in entries:
                    try:
                        status = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue
                    files.append((folder, entry.name, status.st_ino, status.st_size, status.st_mtime_ns))
        return files[:1] + sorted(files[1:])

    def is_quiet(self):
        status = self.place.ask("/v1/status")
        return status and status["state"] == "idle" and status["lists"]["active"] == 0

    def take_news(self):
        for folder, mask, name in self.events.read():
            if not name.startswith(".keyreg-"):
                self.note("spool", f"{folder}/{name} {FolderEvents.NAMES.get(mask & 0xfff, mask)}")
            if folder in self.seen:
                self.seen[folder] += 1
        try:
            self.rest += os.read(self.reading, 1 << 16)
        except BlockingIOError:
            pass
        *lines, self.rest = self.rest.split(b"\n")
        for line in lines:
            self.take_tale(json.loads(line))

    def take_tale(self, tale):
        writer = self.plan.writers[tale["writer"]]
        self.note(f"writer {tale['writer']} ({writer.kind}, {writer.user})", tale["what"], tale["t"])
        if "fault" in tale:
            self.findings.append(Finding(True, tale["fault"]))
        if "inode" in tale:
            self.puts.setdefault(tale["inode"], Put()).take(tale)
        if tale.get("gone"):
            self.puts.setdefault(tale["gone"], Put()).gone = True
        if "strange" in tale:
            self.strange.append(tale["strange"])
        if tale.get("promised"):
            self.promised |= {id_ for step in writer.steps if step[0] == "submit" for id_ in read(step[1], step[2]).ids}
        self.seen["stall"] += "stall" in tale
        self.busy -= "end" in tale

    def is_coming(self, stop):
        """Whether this end of the daemon is certain to come: what it waits for may not happen."""
        return stop.when[0] == "at" or stop.when[0] == "stall" and self.seen["stall"] >= stop.when[1]

    def begin_daemon(self, now):
        self.restart = None
        if self.daemon:
            self.daemon.send_signal(signal.SIGCONT)
            return self.note("daemon", "goes on")
        self.daemon, self.born = self.place.daemon(), now
        self.note("daemon", f"starts as process {self.daemon.pid}")

    def stop_if_due(self, now):
        if self.restart or not self.daemon:
            return
        for stop in self.stops:
            if now - self.born < stop.age:
                continue
            what, *rest = stop.when
            if what == "at" and now >= self.go + rest[0] or what == "stall" and self.seen["stall"] >= rest[0] \
                    or what == "event" and self.seen[rest[0]] >= rest[1]:
                self.stops.remove(stop)
                if stop.how == "STOP":
                    self.daemon.send_signal(signal.SIGSTOP)
                    self.note("daemon", f"is frozen {stop.when}")
                else:
                    self.end_daemon(getattr(signal, "SIG" + stop.how), stop.when)
                self.restart = time.monotonic() + stop.down
                return

    def end_daemon(self, number, why):
        self.note("daemon", f"gets {signal.Signals(number).name} {why}")
        self.daemon.send_signal(number)
        code = self.daemon.wait(30)
        self.ends.append(time.time())
        self.note("daemon", f"ended with {code}")
        if number == signal.SIGTERM and code not in (0, -signal.SIGTERM):
            self.fault(f"the daemon ended with {code} after SIGTERM")
        self.daemon = None

    # The end

    def judge_journal(self):
        """Each key was registered, and once."""
        requests = {}
        with open(self.journal) as file:
            file.seek(self.journal_start)
            for line in file:
                if not line.endswith("\n"):
                    break
                request = json.loads(line)
                id_ = request["path"][-36:]
                if request["method"] == "PUT" and request["status"] in (200, 201) and id_ in self.plan.ids:
                    requests.setdefault(id_, []).append(datetime.fromisoformat(request["time"]).timestamp())
        self.findings += sent_again(requests, self.ends)
        for id_ in sorted(self.place.queue() - set(requests)):
            self.fault(f"{id_} is in the queue and was never registered")

    def end(self):
        """An orderly stop; in some of the rounds one more start with --until-done."""
        self.end_daemon(signal.SIGTERM, "at the end")
        if self.plan.seed % 4 or self.findings:
            return
        code = self.place.until_done(self.patience)
        wanted = {0}
        if self.place.files("rejected"):
            wanted.add(65)
        if any("cannot be read" in text for _, _, text in self.story) or any(w.kind == "unreadable" for w in self.plan.writers):
            wanted.add(77)
        if code not in wanted:
            self.fault(f"--until-done ends with {code}, not {sorted(wanted)}")

    def tell_log(self):
        try:
            lines = self.place.log().splitlines()
        except FileNotFoundError:
            return
        for line in lines:
            stamp, _, text = line.partition(" ")
            try:
                self.note("log", text, datetime.fromisoformat(stamp).timestamp() - self.epoch)
            except ValueError:
                self.note("log", line)
