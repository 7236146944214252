"""Registrations a second and processor time a key, from the list in the spool to the committed outcome, on nginx without a limit.

Beside keyreg: `curl --parallel` on the same URLs, which records nothing; a bare loop of libcurl easy handles, for the processor
time; the vendor's Python client with 8 threads, which inserts each outcome into SQLite. Each but the last also with answers that
tell a wide limit in a full set of headers: to a server that tells none, keyreg sends only few requests at a time.
"""

import os
import shutil
import time

from harness import LIMIT, Keyreg, column, key_list, memory_mib, processor_seconds, require, run, tell, wait_for
from standin import API, Nginx

WORKERS = 32
HEADERS = ["Accept: application/json", "DD-API-KEY: check-api-key", "DD-APPLICATION-KEY: check-app-key", "Content-Length: 0"]


def measure(bench, report):
    count, few = bench.size(100_000, 2_000, 300_000), bench.size(4_000, 200)
    folder = bench.folder("end-to-end")
    source, short = key_list(folder + "/list", count), key_list(folder + "/short", few)
    with Nginx(bench) as server:
        samples = bench.in_turn({
            "keyreg": lambda: keyreg(bench, server.url, source, count),
            "curl": lambda: curl(folder, server.url, source, count),
            "bare loop": lambda: bare_loop(bench, server.url, source, count),
            "vendor's client": lambda: vendor(bench, folder, server.url, short, few),
            "keyreg, limit told": lambda: keyreg(bench, server.limited, source, count),
            "curl, limit told": lambda: curl(folder, server.limited, source, count),
            "bare loop, limit told": lambda: bare_loop(bench, server.limited, source, count),
        })
    ours, curls = samples["keyreg"], samples["curl"]
    unit = f"keys/s, {count:,} keys, {WORKERS} workers"
    for told in ("", ", limit told"):
        report.add("registrations" + told, unit, column(samples["keyreg" + told], "rate"), f"curl --parallel-max {WORKERS}",
                   column(samples["curl" + told], "rate"), ratio=("at_least", 0.75))
        report.add("processor time" + told, "µs a key", column(samples["keyreg" + told], "cpu_us"), "bare loop of libcurl",
                   column(samples["bare loop" + told], "cpu_us"), ratio=("at_most", 2))
    report.add("registrations", unit, column(ours, "rate"), f"vendor's client, 8 threads, SQLite, {few:,} keys",
               column(samples["vendor's client"], "rate"), ratio=("at_least", 12))
    report.add("until the results file is written", "keys/s", column(ours, "rate_to_results"))
    report.add("peak memory", "MiB", column(ours, "peak_mib"), "curl", column(curls, "peak_mib"))
    shutil.rmtree(folder)


def keyreg(bench, url, source, count):
    with Keyreg(bench, url, WORKERS) as place:
        place.run()
        place.stage("list", source)
        cpu, begun = processor_seconds(place.process.pid), time.perf_counter()
        place.move_in("list")
        place.wait_done(count)
        seconds = time.perf_counter() - begun
        cpu = processor_seconds(place.process.pid) - cpu
        require(wait_for(lambda: os.path.exists(place.path("spool/results/list.csv")), LIMIT, 0.01), "the results")
        to_results = time.perf_counter() - begun
        require(place.document()["keys"]["registered"] == count, "every key registered")
        peak = memory_mib(place.process.pid, "VmHWM")
        place.stop()
    return {"rate": count / seconds, "cpu_us": cpu / count * 1e6, "rate_to_results": count / to_results, "peak_mib": peak}


def curl(folder, url, source, count):
    """One curl that reads all URLs from a file; bodies go to /dev/null, without a file that is opened for each."""
    configuration = f"{folder}/curl.{url[-5:]}"  # One for each port.
    if not os.path.exists(configuration):
        with open(source) as keys, open(configuration, "w") as file:
            file.writelines(f'url = "{url}{API}{key.strip()}"\n' for key in keys)
    command = ["curl", "--silent", "--no-progress-meter", "--fail", "--globoff", "--parallel", "--parallel-max", str(WORKERS), "--request", "PUT"]
    for header in HEADERS:
        command += ["--header", header]
    return rates(run([*command, "--config", configuration]), count)


def bare_loop(bench, url, source, count):
    program = bench.peers.program("bare_loop", "-lcurl")
    with open(source) as keys:
        return rates(tell([program, url + API, str(WORKERS)], stdin=keys), count)


def vendor(bench, folder, url, source, count):
    database = folder + "/vendor.db"
    for suffix in ("", "-wal", "-shm"):
        if os.path.exists(database + suffix):
            os.unlink(database + suffix)
    return rates(tell([*bench.peers.script("vendor_client"), url, source, "8", database]), count)


def rates(sample, count):
    return sample | {"rate": count / sample["seconds"], "cpu_us": sample["cpu"] / count * 1e6}
