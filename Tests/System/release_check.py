#!/usr/bin/env python3
"""Type-checks each module as the package's release build compiles it, after `swift build`: release_check.py

That build compiles a module as a whole and links Swift's runtime statically. It has warnings, so errors, that a debug build does not
have. It takes minutes; this takes seconds, as it uses what the debug build has left. The data of ICU that the package's program is
linked with is made, too: another version of Swift may have it in another form.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ROOT / "Sources"
# Options that a release build lacks, or that concern by-products: these take a value.
WITH_VALUE = {"-emit-module-path", "-emit-objc-header-path", "-output-file-map", "-index-store-path"}
ALONE = {"-emit-dependencies", "-emit-module", "-emit-objc-header", "-incremental", "-c", "-enable-batch-mode", "-serialize-diagnostics",
         "-parseable-output", "-DDEBUG", "-Onone", "-enable-testing"}


def compiler_call(plan, module):
    """What `swift build` calls to compile the module."""
    found = re.search(rf'"C\.{module}-[^"]*-debug\.module":(?:\n    .*)*?\n    args: (\[.*\])', plan)
    return json.loads(found[1]) if found else sys.exit(f"{module} is not in the plan of the build: run swift build")


def as_released(call):
    arguments = iter(call)
    for argument in arguments:
        if argument in WITH_VALUE:
            next(arguments)
        elif argument not in ALONE and not re.fullmatch(r"-j\d+", argument):
            yield argument
    yield from ["-typecheck", "-wmo", "-O", "-static-stdlib"]


def icu_data():
    """What is wrong with the reduced data of ICU, empty when nothing is."""
    library = pathlib.Path(shutil.which("swiftc")).resolve().parents[1] / "lib/swift_static/linux/lib_FoundationICU.a"
    with tempfile.NamedTemporaryFile(suffix=".o") as target:
        run = subprocess.run([ROOT / "systemd/package/icu-data", library, target.name], capture_output=True, text=True)
        size = pathlib.Path(target.name).stat().st_size
    if run.returncode or not re.fullmatch(r"icudt\w+_dat\n", run.stdout):
        return run.stdout + run.stderr
    return "" if 2_000_000 < size < 10_000_000 else f"{size} bytes"


def main():
    plan = (ROOT / ".build/debug.yaml").read_text()
    failures = []
    modules = [folder.name for folder in sorted(SOURCES.iterdir()) if not (folder / "module.modulemap").exists()]
    for module in modules:
        run = subprocess.run(list(as_released(compiler_call(plan, module))), cwd=ROOT, capture_output=True, text=True)
        print(f"{'FAIL' if run.returncode else 'ok  '}  {module}")
        if run.returncode:
            print(run.stdout + run.stderr)
            failures.append(module)
    wrong = icu_data()
    print(f"{'FAIL' if wrong else 'ok  '}  ICU's data {wrong}")
    failures += ["ICU's data"] if wrong else []
    print(f"{len(modules) + 1 - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


sys.exit(main())
