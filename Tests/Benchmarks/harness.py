"""What the measures share: sizes, rounds in turn, clocks, and keyreg in a folder of its own."""

import http.client
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.append(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "System"))
from support import Place, free_port, wait_for  # noqa: E402, F401 (for the measures)

LIMIT = 3600  # Seconds after which anything that is waited for counts as stuck,
STALL = 60  # and after which keyreg does when not one more key is registered.


class Bench:
    """How to measure: the binary, the sizes, the number of rounds."""

    def __init__(self, binary, driver, scratch, root, options):
        self.binary, self.driver, self.scratch, self.root = binary, driver, scratch, root
        self.rounds = 1 if options.quick else max(1, options.rounds)
        self.quick, self.full = options.quick, options.full
        self.soak_minutes = options.soak
        self.peers = None

    def size(self, usual, quick, full=None):
        return quick if self.quick else full if self.full and full is not None else usual

    def folder(self, name):
        return tempfile.mkdtemp(prefix=name + ".", dir=self.scratch)

    def in_turn(self, sides):
        """Runs each side once a round, A B A B …; what each run returned, by side."""
        samples = {name: [] for name in sides}
        for number in range(1, self.rounds + 1):
            for name, run in sides.items():
                sample = run()
                samples[name].append(sample)
                told = ", ".join(f"{key} {value:,.4g}" for key, value in sample.items())
                print(f"   {number}/{self.rounds} {name}: {told}", flush=True)
        return samples

    def facts(self, load):
        """The machine, its load before the measures, and the settings, for the JSON."""
        with open("/proc/cpuinfo") as file:
            models = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
        filesystem = subprocess.run(["stat", "-f", "-c", "%T", self.scratch], capture_output=True, text=True)
        return {
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "machine": {
                "cores": os.cpu_count(), "processor": models[0] if models else None, "kernel": platform.release(),
                "file_system": filesystem.stdout.strip(), "load_before": load,
                "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
            },
            "rounds": self.rounds, "size": "quick" if self.quick else "full" if self.full else "usual",
        }


def column(samples, key):
    return [sample[key] for sample in samples]


def median(values):
    values = sorted(values)
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def key_list(path, count):
    """Writes `count` random version 4 UUIDs, one a line; returns the path."""
    with open(path, "w") as file:
        left = count
        while left:
            part = min(left, 10_000)
            digits = os.urandom(16 * part).hex()
            file.write("".join(
                f"{digits[i:i+8]}-{digits[i+8:i+12]}-4{digits[i+13:i+16]}-a{digits[i+17:i+20]}-{digits[i+20:i+32]}\n"
                for i in range(0, 32 * part, 32)))
            left -= part
    return path


def require(value, what):
    """What was waited for; an error when it did not come in time."""
    if not value:
        raise RuntimeError(f"in vain: {what}")
    return value


def run(command, output=subprocess.DEVNULL, **options):
    """Runs a program to its end: seconds of wall clock, of processor time, and peak memory in MiB."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=output, **options)
    watchdog = threading.Timer(LIMIT, process.kill)
    watchdog.start()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    watchdog.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}")
    return {"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime, "peak_mib": usage.ru_maxrss / 1024}


def tell(command, **options):
    """Runs a program that prints its own figures as one JSON object."""
    reply = subprocess.run(command, stdout=subprocess.PIPE, timeout=LIMIT, check=True, **options)
    return json.loads(reply.stdout)


def processor_seconds(pid):
    """Processor time of a process and of all its threads so far, those that have ended too."""
    return time.clock_gettime((~pid << 3) | 2)  # What clock_getcpuclockid(3) returns.


def memory_mib(pid, field="VmRSS"):
    """VmRSS: resident. VmHWM: its peak. RssAnon: of it, what is not a file's, such as the program itself."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field + ":")) / 1024


class UnixConnection(http.client.HTTPConnection):
    """HTTP over the control socket, kept alive."""

    def __init__(self, path):
        super().__init__("keyreg", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Keyreg(Place):
    """keyreg in a folder of its own, which goes with it."""

    def __init__(self, bench, url, workers=32, folder=None):
        super().__init__(bench.binary, folder or bench.folder("keyreg"))
        self.env["KEYREG_API_URL"] = url
        self.config(f"workers: {workers}\n")
        self.connection = UnixConnection(self.env["KEYREG_SOCKET"])
        self.process = None

    def run(self):
        """Starts the daemon and waits until its socket answers."""
        os.makedirs(self.path("spool/incoming"), exist_ok=True)
        self.connection.close()
        self.process = self.daemon()
        require(wait_for(self.answers, 60, 0.01), "the daemon's socket; " + self.path("keyreg.log"))
        return self

    def answers(self):
        try:
            return bool(self.document())
        except OSError:
            self.connection.close()
            return False

    def document(self, path="/v1/status"):
        try:
            self.connection.request("GET", path)
            reply = self.connection.getresponse()
        except ConnectionError:  # The daemon closes a connection that was not used for a while.
            self.connection.close()
            self.connection.request("GET", path)
            reply = self.connection.getresponse()
        return json.loads(reply.read())

    def stop(self):
        self.process.terminate()
        require(self.process.wait(60) == 0, "an orderly stop")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stage(self, name, source):
        """Brings a list onto the spool's file system, so that moving it in is a rename."""
        shutil.copyfile(source, self.path("staged." + name))

    def move_in(self, name):
        os.rename(self.path("staged." + name), self.path("spool/incoming/" + name))

    def wait_done(self, count, watch=None):
        """Waits until `count` keys are registered, which is told after they are committed."""
        last, since = -1, 0
        while True:
            keys = self.document()["keys"]
            if keys["registered"] >= count:
                return
            if keys["registered"] > last:
                last, since = keys["registered"], time.perf_counter()
            require(keys["failed"] == 0 and time.perf_counter() - since < STALL, f"the keys to be registered: {keys}")
            if watch:
                watch()
            time.sleep(0.02)

    def import_list(self, source, count):
        """Moves a list in and waits until its keys are committed and its receipt is written: seconds, processor, peak."""
        self.stage("list", source)
        cpu, begun, peak = processor_seconds(self.process.pid), time.perf_counter(), 0
        self.move_in("list")
        while not os.path.exists(self.path("spool/done/list.receipt.json")):
            require(self.process.poll() is None and time.perf_counter() - begun < LIMIT, "the import")
            peak = max(peak, memory_mib(self.process.pid))
            time.sleep(0.005)
        seconds = time.perf_counter() - begun
        require(self.document()["keys"]["total"] == count, "every key of the list")
        return {"seconds": seconds, "cpu": processor_seconds(self.process.pid) - cpu, "peak_mib": peak}
