"""The soak: lists that arrive all the time, 2,000 keys a second for half an hour. Memory, descriptors, log and threads stay flat."""

import os
import time

import svg
from harness import Keyreg, key_list, median, memory_mib, percentile, processor_seconds, require
from standin import Nginx

RATE = 2_000  # Keys, and a list of them, each second.


def measure(bench, report):
    seconds = int((bench.soak_minutes or bench.size(30, 0.25)) * 60)
    with Nginx(bench) as server, Keyreg(bench, server.url) as place:
        place.run()
        samples = soak(place, seconds)
        place.wait_done(seconds * RATE)
        behind = percentile([sample["behind"] for sample in samples], 0.99)
        place.stop()
    part = max(1, len(samples) // 5)
    early, late = samples[part:2 * part], samples[-part:]  # Not the first fifth: it warms up.
    unit = f"last fifth of {seconds} s at {RATE:,} keys/s"
    for key, what in (("memory", "memory, MiB"), ("descriptors", "descriptors"), ("log", "write-ahead log, MiB"),
                      ("threads", "threads"), ("cpu", "% of a core")):
        report.add("soak: " + what, unit, [median([s[key] for s in late])], "second fifth", [median([s[key] for s in early])])
    report.add("soak: keys not yet registered 0.9 s after they came, p99", unit, [behind])
    report.picture("soak", svg.picture(f"{seconds * RATE:,} keys at {RATE:,} a second", [
        {"title": title, "x": "minutes", "y": unit, "series": {title: [(s["at"] / 60, s[key]) for s in samples]}}
        for key, title, unit in (
            ("memory", "Resident memory", "MiB"), ("log", "Write-ahead log", "MiB"), ("descriptors", "Descriptors", "open"),
            ("threads", "Threads", "running"), ("cpu", "Processor", "% of a core"), ("behind", "Not registered after 0.9 s", "keys"))
    ]), samples)


def soak(place, seconds):
    pid, samples = place.process.pid, []
    begun, cpu = time.perf_counter(), processor_seconds(place.process.pid)
    for number in range(seconds):
        name = f"{number:06}"
        key_list(place.path("staged." + name), RATE)
        time.sleep(max(0, begun + number - time.perf_counter()))
        place.move_in(name)
        time.sleep(max(0, begun + number + 0.9 - time.perf_counter()))
        require(place.process.poll() is None, "a daemon that works")
        used = processor_seconds(pid)
        try:
            log = os.path.getsize(place.path("state/queue.sqlite-wal")) / (1 << 20)
        except FileNotFoundError:
            log = 0
        samples.append({
            "at": round(time.perf_counter() - begun, 2), "memory": round(memory_mib(pid), 2), "log": round(log, 2),
            "descriptors": len(os.listdir(f"/proc/{pid}/fd")), "threads": len(os.listdir(f"/proc/{pid}/task")),
            "cpu": round((used - cpu) * 100, 1),
            "behind": (number + 1) * RATE - place.document()["keys"]["registered"]})
        cpu = used
        if number % 60 == 59:
            print(f"   {samples[-1]}", flush=True)
    return samples
