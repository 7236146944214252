"""Growth: what one key costs with 10³ … 10⁷ keys in the queue: import, work, memory, status; and at the largest size the start
after a kill, status under full load, and the export of all outcomes.

The usual largest size is 10⁶; --full goes to 10⁷, which the levels are for. Small sizes are run several times.
"""

import os
import time

import restarts
import svg
from harness import Keyreg, column, key_list, median, memory_mib, percentile, processor_seconds, require, run
from standin import Nginx

SMALL = 10_000  # What the largest is compared with.
COLUMNS = """SELECT lower(hex(uuid)), state, http_status, attempts, first_attempt_at, key.finished_at, error_title, error_detail,
  list.name FROM key JOIN list ON list.id = key.list_id ORDER BY key.id"""


def measure(bench, report):
    powers = bench.size(range(3, 7), range(3, 5), range(3, 8))
    points = {}
    with Nginx(bench) as server:
        for count in (10**power for power in powers):
            largest = count == 10 ** powers[-1]
            times = 1 if largest or count > 100_000 else bench.rounds
            samples = [at_size(bench, report, server.url, count, largest and number == 0) for number in range(times)]
            points[count] = {key: median(column(samples, key)) for key in samples[0]}
            print(f"   {count:,}: " + ", ".join(f"{k} {v:,.3g}" for k, v in points[count].items()), flush=True)
    small, large, unit = points[SMALL], points[count], f"with {count:,} keys"
    beside = f"with {SMALL:,}"
    for key, what in (("import_us", "import, µs a key"), ("work_us", "work, µs of wall clock a key"),
                      ("work_cpu_us", "work, µs of processor a key")):
        report.add(what, unit, [large[key]], beside, [small[key]], ratio=("at_most", 1.25))
    report.add("memory while working, MiB", unit, [large["work_mib"]], beside, [small["work_mib"]], ratio=("at_most", 1.25),
               at_most=64)
    report.add("of it, not of files, MiB", unit, [large["work_anonymous_mib"]], beside, [small["work_anonymous_mib"]])
    report.add("memory while importing, MiB", unit, [large["import_mib"]], beside, [small["import_mib"]])
    report.add("GET /v1/status under full load, p99, ms", unit, [large["status_p99_ms"]], at_most=5)
    report.add("database", f"bytes a key {unit}", [large["bytes"]])
    sizes = sorted(points)
    report.picture("growth", svg.picture("What a key costs as the queue grows", [
        panel("Time a key", "µs", points, sizes, {"import": "import_us", "work": "work_us", "work, processor": "work_cpu_us"}),
        panel("Memory", "MiB", points, sizes, {"importing": "import_mib", "working": "work_mib", "working, no files": "work_anonymous_mib"}),
        panel("GET /v1/status while working", "ms", points, sizes, {"p50": "status_p50_ms", "p99": "status_p99_ms"}),
    ]), {str(size): points[size] for size in sizes})


def panel(title, unit, points, sizes, lines):
    series = {name: [(size, points[size][key]) for size in sizes] for name, key in lines.items()}
    return {"title": title, "x": "keys", "y": unit, "log": "x", "series": series}


def at_size(bench, report, url, count, is_largest):
    with Keyreg(bench, url) as place:
        source = key_list(place.path("keys"), count)
        place.run()
        require(place.command("pause").returncode == 0, "keyreg pause")
        imported = place.import_list(source, count)
        os.unlink(source)
        if is_largest:
            place.stop()
            restarts.measure(bench, report, place, count)
            place.run()
        memory, anonymous, asked = [], [], []

        def watch():
            memory.append(memory_mib(place.process.pid))
            anonymous.append(memory_mib(place.process.pid, "RssAnon"))
            begun = time.perf_counter()
            place.document()
            asked.append((time.perf_counter() - begun) * 1000)

        watch()
        require(place.command("resume").returncode == 0, "keyreg resume")
        cpu, begun = processor_seconds(place.process.pid), time.perf_counter()
        place.wait_done(count, watch)
        seconds = time.perf_counter() - begun
        cpu = processor_seconds(place.process.pid) - cpu
        if is_largest:
            export(bench, report, place, count)
        place.stop()
        state = place.path("state")
        size = sum(os.path.getsize(os.path.join(state, name)) for name in os.listdir(state))
    return {
        "import_us": imported["seconds"] / count * 1e6, "import_cpu_us": imported["cpu"] / count * 1e6,
        "import_mib": imported["peak_mib"], "work_us": seconds / count * 1e6, "work_cpu_us": cpu / count * 1e6,
        "work_mib": max(memory), "work_anonymous_mib": max(anonymous), "status_p50_ms": percentile(asked, 0.5), "status_p99_ms": percentile(asked, 0.99),
        "bytes": size / count}


def export(bench, report, place, count):
    """All outcomes as CSV, beside sqlite3 reading the same columns of the same file, which the daemon has open meanwhile."""
    database = place.path("state/queue.sqlite")
    samples = bench.in_turn({
        "keyreg outcomes": lambda: run([bench.binary, "outcomes", "--format", "csv"], env=place.env),
        "sqlite3": lambda: run(["sqlite3", "-readonly", "-csv", "-header", database, COLUMNS]),
    })
    report.add("outcomes --format csv", f"keys/s, {count:,} keys", [count / s["seconds"] for s in samples["keyreg outcomes"]],
               "sqlite3 -csv", [count / s["seconds"] for s in samples["sqlite3"]], ratio=("at_least", 0.5))
