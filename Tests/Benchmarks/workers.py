"""The pool: registrations a second with 1 … 64 workers, at latencies of 0, 20, 100 and 500 ms. Nobody can do better than
workers / latency. The servers tell a wide limit: to one that tells none, keyreg sends few requests at a time."""

import shutil
import time

import svg
from harness import Keyreg, key_list, require, tell
from standin import API, Nginx, SlowServer

WORKERS = [1, 2, 4, 8, 16, 32, 64]
LATENCIES = [0, 20, 100, 500]  # Milliseconds.


def measure(bench, report):
    curves = {}
    for latency in bench.size(LATENCIES, [0, 100]):
        line = []
        for workers in bench.size(WORKERS, [1, 64]):
            with Nginx(bench) if latency == 0 else SlowServer(bench, latency) as server:
                line.append((workers, rate(bench, server.limited, workers, latency)))
            print(f"   {latency} ms, {workers} workers: {line[-1][1]:,.0f}/s", flush=True)
        curves[latency] = line
    for latency, line in curves.items():
        workers, reached = line[-1]
        if latency:
            possible = workers / latency * 1000
            report.add(f"{workers} workers at {latency} ms", f"keys/s, {possible:,.0f} are possible", [reached],
                       "bare loop of libcurl", [bare_loop(bench, workers, latency)],
                       at_least=0.95 * possible if latency == 100 else None)
    report.picture("workers", svg.picture("Registrations a second by workers", [{
        "title": "with answers after 0 (nginx), 20, 100, 500 ms", "x": "workers", "y": "keys/s", "log": "xy",
        "series": {f"{latency} ms": line for latency, line in curves.items()}}]), curves)


def bare_loop(bench, workers, latency):
    """What the same server gives to a loop that does nothing else."""
    count = int(workers / latency * 1000 * bench.size(8, 2))
    folder = bench.folder("loop")
    with SlowServer(bench, latency) as server, open(key_list(folder + "/list", count)) as keys:
        seconds = tell([bench.peers.program("bare_loop", "-lcurl"), server.limited + API, str(workers)], stdin=keys)["seconds"]
    shutil.rmtree(folder)
    return count / seconds


def rate(bench, url, workers, latency):
    """Keys a second over some seconds in the middle of a long list."""
    warm, seconds = bench.size(2, 0.5), bench.size(8, 2)
    fastest = min(40_000, 12_000 * workers) if latency == 0 else workers / latency * 1000
    count = int(fastest * (warm + seconds) * 1.2) + 100
    with Keyreg(bench, url, workers) as place:
        source = key_list(place.path("keys"), count)
        place.run()
        require(place.command("pause").returncode == 0, "keyreg pause")
        place.import_list(source, count)
        require(place.command("resume").returncode == 0, "keyreg resume")
        time.sleep(warm)
        before, begun = place.document()["keys"]["registered"], time.perf_counter()
        time.sleep(seconds)
        after, passed = place.document()["keys"]["registered"], time.perf_counter() - begun
        place.kill()  # Nothing here is needed any more.
    require(after < count, "keys to the end")
    return (after - before) / passed
