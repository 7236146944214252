"""One small run of the daemon under one fault, and what is wrong with it afterwards."""

import os
import re
import signal
import subprocess
import threading
import time
from collections import Counter

import faults
import oracle
from support import Place, keys, wait_for

# The daemon's first start; one that continues with a queue and a spool after a kill; a client that puts a list into the spool.
SCENARIOS = ["first start", "restart", "submit"]
# A lasting fault is watched until so many operations have failed, or for so many seconds.
FAILURES, WATCHED = 8, 4
# Seconds after which the daemon should have finished, on a busy machine.
PATIENCE = 60
# How Swift ends a program that gets no memory, and GRDB one whose transaction cannot be rolled back for lack of it.
ENDS_OF_SWIFT = {-signal.SIGABRT, -signal.SIGILL, -signal.SIGTRAP, -signal.SIGSEGV}
# Errors that end a daemon: I/O, try again, permission, configuration.
ENDINGS = {74, 75, 77, 78}
TIME = re.compile(r"^\S+Z +")


class Run(Place):
    def __init__(self, hub, scenario, fault):
        super().__init__(hub.binary)
        self.library = hub.path(faults.LIBRARY)
        self.env["KEYREG_API_URL"] = hub.env["KEYREG_API_URL"]
        self.config("retry:\n  first_delay: 50ms\n  max_delay: 200ms\nspool:\n  settle: 100ms\nstop_timeout: 10s\n")
        self.journal = oracle.JournalReader(hub.path("journal"))
        # Requests of earlier cases do not count.
        self.journal.read()
        self.scenario, self.fault = scenario, fault
        self.lists = {name: "\n".join(keys(count)) + "\n" for name, count in
                      [("early", 5), ("dropped", 3), ("posted", 4)]}
        self.grown = keys(1)[0] + "\n"
        self.recorded, self.confirmed = set(), set()
        self.findings = []
        self.has_struck = self.has_ended = False
        self.repeated = 0
        self.calls, self.first, self.text = {}, "", ""

    @property
    def wanted(self):
        return {key for text in self.lists.values() for key in text.split()}

    def go(self):
        os.makedirs(self.path("spool/incoming"))
        if self.scenario == "submit":
            return self.submit()
        if self.scenario == "restart":
            self.prepare()
        self.drop("early", self.lists["early"])
        self.under_fault()
        self.account()
        self.finish()

    def submit(self):
        """A list that was accepted is there; one that was not can be submitted again."""
        self.lists = {"submitted": "\n".join(keys(3)) + "\n"}
        with open(self.path("list"), "w") as file:
            file.write(self.lists["submitted"])
        command = ["submit", self.path("list"), "--name", "submitted"]
        plain = dict(self.env)
        self.env.update(self.fault.environment(self))
        done = self.command(*command, timeout=PATIENCE)
        self.env = plain
        self.calls, failed, self.first = faults.read_report(self)
        self.has_struck, self.has_ended, self.text = failed > 0, done.returncode != 0, done.stderr
        there = [name for name in os.listdir(self.path("spool/incoming")) if name[0] != "."]
        if done.returncode == 0:
            if there != ["submitted"]:
                self.findings.append(f"submit ends with 0, and incoming/ has {there}")
        else:
            self.judge_end(done.returncode, done.stderr)
            if self.command(*command, timeout=PATIENCE).returncode != 0:
                self.findings.append("it cannot be submitted again")
        self.settle()

    def prepare(self):
        """A run that is killed once it has worked, so that the next one finds a log to continue with."""
        self.lists["before"] = "\n".join(keys(3)) + "\n"
        self.drop("before", self.lists["before"])
        daemon = self.daemon()
        if not wait_for(lambda: os.path.exists(self.path("spool/results/before.csv")), PATIENCE, 0.01):
            self.findings.append("the run before was not done")
        daemon.kill()
        daemon.wait()
        self.account()

    # Under the fault

    def under_fault(self):
        plain = dict(self.env)
        self.env.update(self.fault.environment(self))
        daemon = self.daemon()
        self.env = plain
        try:
            self.work(daemon)
        finally:
            self.calls, failed, self.first = faults.read_report(self)
            self.has_struck = failed > 0
            self.text = self.log()
        self.judge_log()

    def work(self, daemon):
        if not wait_for(lambda: daemon.poll() is not None or self.ask("/v1/status") or self.is_watched(), PATIENCE, 0.01):
            self.findings.append("it neither answers nor ends")
        poster = threading.Thread(target=self.post)
        poster.start()
        self.drop("dropped", self.lists["dropped"])
        self.drop("bad", "none\n")
        if self.fault.lasts:
            wait_for(lambda: self.is_done(daemon) or self.is_watched(), WATCHED, 0.05)
        faults.cure(self)
        poster.join()
        if self.posted != 201:
            self.drop("posted", self.lists["posted"])
        if not wait_for(lambda: self.is_done(daemon), PATIENCE, 0.02):
            self.findings.append(f"it does not go on: {self.ask('/v1/status')}")
        elif daemon.poll() is None:
            self.grow()
            # Where the system allows no events, filed lists are compared once a minute.
            if not wait_for(lambda: self.is_done(daemon), 2 * PATIENCE, 0.02):
                self.findings.append(f"it does not go on with a list that grows: {self.ask('/v1/status')}")
        self.end(daemon)

    def post(self):
        """Posts a list. If this fails, the list is dropped later."""
        self.posted, _ = self.request("POST", "/v1/lists?name=posted", self.lists["posted"], timeout=PATIENCE)

    def grow(self):
        with open(self.path("spool/done/early"), "a") as file:
            file.write(self.grown)
        self.lists["early"] += self.grown

    def is_watched(self):
        """Whether enough have failed."""
        return faults.read_report(self)[1] >= FAILURES

    def is_done(self, daemon):
        """Whether the daemon has ended, or everything given to it is in its place."""
        if daemon.poll() is not None:
            return True
        status = self.ask("/v1/status")
        return status and status["state"] == "idle" and all(
            status["lists"][what] == 0 for what in ("incoming", "active", "finishing")) and self.is_filed()

    def is_filed(self):
        try:
            return os.path.exists(self.path("spool/rejected/bad")) and all(
                os.path.exists(self.path(f"spool/done/{name}")) and len(self.results(name)) == len(set(text.split()))
                for name, text in self.lists.items())
        except FileNotFoundError:
            return False

    def end(self, daemon):
        self.has_ended = daemon.poll() is not None
        if not self.has_ended:
            daemon.terminate()
        try:
            code = daemon.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
            self.findings.append("it does not stop")
            return
        if code != 0 or self.has_ended:
            self.judge_end(code, self.log())

    def judge_end(self, code, text):
        if self.fault.kind == "memory" and code in ENDS_OF_SWIFT:
            return
        if code not in ENDINGS or "keyreg: error: " not in text:
            self.findings.append(f"it ends with {code} and says {text[-300:]!r}")

    def judge_log(self):
        # Without what Swift prints when it ends a program.
        lines = Counter(TIME.sub("", line) for line in self.text.splitlines() if TIME.match(line))
        self.repeated = max([count for line, count in lines.items() if not line.startswith(("notice", "info"))], default=0)
        if self.repeated > 3:
            line, count = lines.most_common(1)[0]
            self.findings.append(f"the log says {count} times: {line[:300]}")

    # Afterwards

    def account(self):
        for key, status in self.journal.read():
            if key in self.recorded:
                self.findings.append(f"{key} was sent again after its outcome was recorded")
            if status == 201:
                self.confirmed.add(key)
        self.recorded |= oracle.recorded(self)

    def finish(self):
        """The next start finishes, and everything agrees."""
        if self.grown not in self.lists["early"]:
            # It has ended before.
            code = self.until_done(PATIENCE)
            if os.path.exists(self.path("spool/done/early")):
                self.grow()
        self.settle()
        if not os.path.exists(self.path("spool/rejected/bad.reason.txt")):
            self.findings.append("the list of no use has no reason")

    def settle(self):
        code = self.until_done(PATIENCE)
        if code not in (0, 65):
            self.findings.append(f"the next start ends with {code}: {self.log()[-300:]!r}")
            return
        self.account()
        self.findings += oracle.judge_keys(self, self.wanted, self.confirmed)
        for name, text in self.lists.items():
            self.findings += oracle.judge_list(self, name, text)
        for folder in ("incoming", "reading"):
            left = [name for name in os.listdir(self.path(f"spool/{folder}")) if not name.startswith(".keyreg-")]
            if left:
                self.findings.append(f"{folder}/ still has {left}")
