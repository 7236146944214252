"""A newcomer's first commands, in a fresh clone: debug build, tests, release build, and the size of the program. Once each."""

import os
import shutil
import subprocess
import time


def measure(bench, report):
    folder = bench.folder("clone")
    subprocess.run(["git", "clone", "--quiet", bench.root, folder], check=True)
    for what, command in (
        ("resolve packages", ["package", "resolve"]), ("first debug build", ["build"]), ("first swift test", ["test"]),
        ("first release build", ["build", "-c", "release", "--product", "keyreg", "--static-swift-stdlib"]),
    ):
        begun = time.perf_counter()
        subprocess.run(["swift", *command], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        report.add(what, "s", [time.perf_counter() - begun])
    program = os.path.join(folder, ".build/release/keyreg")
    report.add("release program", "MiB", [os.path.getsize(program) / (1 << 20)])
    stripped = subprocess.run(["strip", "-o", program + ".stripped", program], check=False)
    if stripped.returncode == 0:
        report.add("release program, stripped", "MiB", [os.path.getsize(program + ".stripped") / (1 << 20)])
    shutil.rmtree(folder)
