"""Runs of a daemon, and of others who write lists, that are recorded for power_check.py."""

import fcntl
import os
import random
import subprocess
import sys
import time

import power_disk
from power_oracle import KEY
from support import Place, check, interrupt, wait_for

# As a careful operator writes: under a temporary name, and synced; and as `cp` and `>>` write.
WRITERS = {
    "sync": """
import os, sys
folder, name, text = sys.argv[1:]
with open(folder + "/." + name, "w") as file:
    file.write(text)
    file.flush()
    os.fsync(file.fileno())
os.rename(folder + "/." + name, folder + "/" + name)
number = os.open(folder, os.O_RDONLY)
os.fsync(number)
""",
    "copy": """
import sys
folder, name, text = sys.argv[1:]
with open(folder + "/" + name, "w") as file:
    file.write(text)
""",
    "append": """
import os, sys
folder, name, text = sys.argv[1:]
file = os.open(folder + "/" + name, os.O_WRONLY | os.O_APPEND)
os.write(file, text.encode())
""",
}


class Recording:
    """A run that is recorded: its place, its lists, its calls."""

    def __init__(self, binary, seed):
        self.random = random.Random(seed)
        self.place = place = Place(binary)
        os.makedirs(place.path("disk"))
        place.env.update(KEYREG_SPOOL=place.path("disk/spool"), KEYREG_STATE=place.path("disk/state"))
        place.config("retry:\n  first_delay: 50ms\nspool:\n  settle: 100ms\n")
        self.refused = self.key()
        place.sandbox("--limit", "100000/10s", "--faults", f"422:key={self.refused}")
        place.preload("power_record.c", "power_record.so")
        place.env.update(POWER_LOG=place.path("calls"), POWER_ROOT=place.path("disk"))
        self.lists, self.accepted = {}, {}  # what is in each list now, and what was in it when it was accepted

    def key(self):
        n = f"{self.random.getrandbits(128):032x}"
        return f"{n[:8]}-{n[8:12]}-{n[12:16]}-{n[16:20]}-{n[20:]}"

    def text(self, count, *more):
        return "".join(f"{line}\n" for line in [*(self.key() for _ in range(count)), *more])

    # What happens

    def start(self):
        self.daemon = self.place.daemon()
        ready = wait_for(lambda: (s := self.place.ask("/v1/status")) and s["pid"] == self.daemon.pid, 60, 0.01)
        assert ready, self.place.log()

    def write(self, how, name, text, folder="incoming"):
        """Another process writes a list."""
        self.lists[name] = self.lists.get(name, b"") + text.encode()
        self.accepted.setdefault(name, self.lists[name])
        if how in ("submit", "force"):
            force = ["--force"] * (how == "force")
            code = self.place.command("submit", "-", "--name", name, *force, input=text).returncode
        elif how == "post":
            code = self.place.request("POST", "/v1/lists?name=" + name, text, 60)[0] - 201
        else:
            code = subprocess.run(
                [sys.executable, "-c", WRITERS[how], self.place.path("disk/spool/" + folder), name, text],
                env=self.place.env).returncode
        assert code == 0, (how, name, code)
        if how in ("sync", "submit", "force"):
            self.mark("accepted " + name)

    def order(self, command):
        assert self.place.request("POST", "/v1/" + command, timeout=60)[0] == 200, command

    def mark(self, text):
        with open(self.place.path("calls"), "ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(power_disk.mark(text.encode()))

    def settled(self, rejected=0):
        """Everything that was written is done."""
        count = len(self.keys())

        def is_settled():
            status = self.place.ask("/v1/status")
            return status and sum(status["keys"][name] for name in ("registered", "failed", "cancelled")) == count and \
                status["lists"]["rejected"] == rejected and \
                not any(status["lists"][name] for name in ("incoming", "active", "finishing"))

        # Asked often: what status says must be true after a cut.
        assert wait_for(is_settled, 120, 0.005), (self.place.ask("/v1/status"), self.place.log()[-3000:])

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        self.place.__exit__(*reason)

    def kill(self):
        self.daemon.kill()
        self.daemon.wait()

    def end(self):
        """The calls, after proof that none was missed."""
        self.calls = power_disk.recorded(self.place.path("calls"))
        disk = self.disk()
        for call in self.calls:
            disk.take(call)
        wrong = disk.tree(disk.everything()).differences(power_disk.Tree.read(self.place.path("disk")))
        check("the recording has everything that is on the disk", not wrong, wrong)
        return self

    def disk(self):
        return power_disk.Disk(self.place.path("disk"))

    def keys(self):
        return {key for text in self.lists.values() for key in KEY.findall(text)}


def short_run(binary):
    """Every path a list can take."""
    run = Recording(binary, 1)
    run.start()
    run.write("sync", "a", run.text(3, run.refused, "no key"))
    run.settled()
    run.write("submit", "b", run.text(2) + run.lists["a"].decode().splitlines()[0] + "\n")
    run.write("post", "c", run.text(1))
    run.write("copy", "d", run.text(2))
    run.write("sync", "bad", "no key\n")
    run.settled(rejected=1)
    run.write("append", "a", run.text(1), "done")
    run.write("append", "bad", run.text(1), "rejected")
    run.settled()
    assert interrupt(run.daemon) == 0
    # Accepted before anybody reads them.
    run.write("submit", "e", run.text(2))
    run.write("sync", "f", run.text(1))
    run.start()
    run.settled()
    run.kill()
    run.start()
    run.write("post", "g", run.text(1))
    run.settled()
    run.order("pause")
    run.mark("paused")
    run.write("sync", "h", run.text(2))
    assert wait_for(lambda: (s := run.place.ask("/v1/status")) and s["keys"]["pending"] == 2, 60, 0.005)
    run.order("lists/h/cancel")
    run.settled()
    run.mark("resuming")
    run.order("resume")
    assert interrupt(run.daemon) == 0
    run.write("force", "forced", run.lists["c"].decode())
    run.start()
    receipt = run.place.path("disk/spool/results/forced.csv")
    assert wait_for(lambda: os.path.exists(receipt), 60, 0.005), run.place.log()[-3000:]
    run.settled()
    run.kill()
    return run.end()


def long_run(binary, seed):
    """Larger lists, more of them, and daemons that are killed at work."""
    run = Recording(binary, seed)
    run.start()
    for number in range(16):
        how = run.random.choice(["sync", "submit", "post", "copy", "append"])
        count, = run.random.choices([1, 5, 50, 300, 2_500], [8, 8, 8, 4, 1])
        filed = [name for name in run.lists if os.path.exists(run.place.path(f"disk/spool/done/{name}"))]
        if how == "append" and filed:
            run.write(how, run.random.choice(filed), run.text(min(count, 50)), "done")
        else:
            bad = ["no key"] * run.random.randrange(2)
            run.write("copy" if how == "append" else how, f"l{number}", run.text(count, *bad))
        ending = run.random.random()
        if ending < 0.3:
            time.sleep(0.2 * run.random.random())
            run.kill()
            run.start()
        elif ending < 0.4:
            assert interrupt(run.daemon) == 0
            run.write("submit", f"m{number}", run.text(5))
            run.start()
        elif ending < 0.8:
            run.settled()
    run.settled()
    run.kill()
    return run.end()
