"""Many small lists: 20,000 lists of one key each, moved in at once, to the last receipt and to the last registered key."""

import os
import time

from harness import LIMIT, Keyreg, column, key_list, processor_seconds, require, wait_for
from standin import Nginx


def measure(bench, report):
    count = bench.size(20_000, 300)
    with Nginx(bench) as server:
        samples = bench.in_turn({"keyreg": lambda: keyreg(bench, server.url, count)})["keyreg"]
    report.add("one-key lists to the last receipt", f"lists/s, {count:,} lists", column(samples, "rate"), at_least=1_000)
    report.add("one-key lists to the last outcome", f"lists/s, {count:,} lists", column(samples, "rate_to_outcomes"))
    report.add("one-key lists, processor time", "µs a list", column(samples, "cpu_us"))


def keyreg(bench, url, count):
    with Keyreg(bench, url) as place:
        place.run()
        with open(key_list(place.path("keys"), count)) as keys:
            for number, key in enumerate(keys):
                with open(place.path(f"staged.{number:06}"), "w") as file:
                    file.write(key)
        cpu, begun = processor_seconds(place.process.pid), time.perf_counter()
        for number in range(count):
            place.move_in(f"{number:06}")
        require(wait_for(lambda: has_all_receipts(place, count), LIMIT, 0.02), "the receipts")
        seconds = time.perf_counter() - begun
        place.wait_done(count)
        to_outcomes = time.perf_counter() - begun
        cpu = processor_seconds(place.process.pid) - cpu
        place.stop()
    return {"rate": count / seconds, "rate_to_outcomes": count / to_outcomes, "cpu_us": cpu / count * 1e6}


def has_all_receipts(place, count):
    """Listing the folder takes its time: only once the last list, which is read last, has its receipt."""
    done = place.path("spool/done")
    if not os.path.exists(f"{done}/{count - 1:06}.receipt.json"):
        return False
    return sum(entry.name.endswith(".receipt.json") for entry in os.scandir(done)) == count
