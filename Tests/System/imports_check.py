#!/usr/bin/env python3
"""Every target declares the modules that it imports, and imports what it declares.

  imports_check.py

SwiftPM's --explicit-target-dependency-import-check says nothing with the toolchain that keyreg is built with, so the manifest and
the sources are compared here. Run it in the top folder of the repository.
"""

import json
import pathlib
import re
import subprocess
import sys

# Modules of the toolchain.
TOOLCHAIN = {"Dispatch", "Foundation", "FoundationEssentials", "Glibc", "Synchronization", "Testing"}
IMPORT = re.compile(
  r"^\s*(?:@\w+(?:\(\w+\))?\s+)*(?:public |package |internal )?import (?:struct |func |class |enum |protocol |var )?(\w+)",
  re.M)


def declared(target):
  """The names of the modules that a target may import."""
  names = set()
  for dependency in target["dependencies"]:
    (kind, value), = dependency.items()
    names.add(value[0])
  return names


def main():
  package = json.loads(subprocess.run(["swift", "package", "dump-package"], check=True, capture_output=True).stdout)
  # Tests run these; there is nothing to import.
  programs = {target["name"] for target in package["targets"] if target["type"] == "executable"}
  faults = []
  for target in package["targets"]:
    if target["type"] == "system":
      continue
    folder = target.get("path") or f"{'Tests' if target['type'] == 'test' else 'Sources'}/{target['name']}"
    imported = set()
    for file in pathlib.Path(folder).rglob("*.swift"):
      imported |= set(IMPORT.findall(file.read_text()))
    imported -= TOOLCHAIN | {target["name"]}
    for name in sorted(imported - declared(target)):
      faults.append(f"{target['name']} imports {name} and does not declare it")
    for name in sorted(declared(target) - imported - programs):
      faults.append(f"{target['name']} declares {name} and does not import it")
  print("\n".join(faults) or f"{len(package['targets'])} targets import what they declare, and nothing else")
  return 1 if faults else 0


if __name__ == "__main__":
  sys.exit(main())
