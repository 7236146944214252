"""Import: from the list moved into the spool to its receipt, beside `.import` of the same file by sqlite3.

keyreg is paused, so that nothing else is done. sqlite3 gets a table with one unique key, keyreg's journal mode and durability, a
page cache 16 times as large, and one transaction, as `.import` does it; it checks, sorts and counts nothing.
"""

import os
import shutil

from harness import Keyreg, column, key_list, require, run
from standin import Nginx

SCRIPT = """PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;
CREATE TABLE key (uuid TEXT NOT NULL UNIQUE);
"""


def measure(bench, report):
    for count in bench.size([2_000_000], [20_000], [2_000_000, 10_000_000]):
        folder = bench.folder("imports")
        source = key_list(folder + "/list", count)
        with Nginx(bench) as server:
            samples = bench.in_turn({
                "keyreg": lambda: keyreg(bench, server.url, source, count),
                "sqlite3": lambda: sqlite(folder, source, count),
            })
        ours, theirs = samples["keyreg"], samples["sqlite3"]
        for sample in ours + theirs:
            sample["rate"] = count / sample["seconds"]
        report.add("import", f"keys/s, {count:,} keys", column(ours, "rate"), "sqlite3 .import", column(theirs, "rate"),
                   ratio=("at_least", 0.7))
        report.add("import, memory", f"MiB, {count:,} keys", column(ours, "peak_mib"), "sqlite3", column(theirs, "peak_mib"))
        report.add("import, database", f"bytes a key, {count:,} keys", [s["bytes"] / count for s in ours], "sqlite3",
                   [s["bytes"] / count for s in theirs])
        shutil.rmtree(folder)


def keyreg(bench, url, source, count):
    with Keyreg(bench, url) as place:
        place.run()
        require(place.command("pause").returncode == 0, "keyreg pause")
        sample = place.import_list(source, count)
        place.stop()
        state = place.path("state")
        return sample | {"bytes": sum(os.path.getsize(os.path.join(state, name)) for name in os.listdir(state))}


def sqlite(folder, source, count):
    database = folder + "/sqlite.db"
    for suffix in ("", "-wal", "-shm"):
        if os.path.exists(database + suffix):
            os.unlink(database + suffix)
    sample = run(["sqlite3", database, SCRIPT, f".import {source} key"])
    return sample | {"bytes": os.path.getsize(database)}
