#!/usr/bin/env python3
"""Prints the commands of the README or of a manual page, each followed by a NUL byte.

manual.py FILE HEADING [N]: those of all examples below a heading, or of its Nth example, as a reader would type them.
"""

import re
import sys


def examples(text):
    """Each example with its heading: fenced blocks marked sh in Markdown, .EX … .EE in a manual page."""
    heading, block = None, None
    for line in text.splitlines():
        if block is not None:
            if line in ("```", ".EE"):
                yield heading, block
                block = None
            else:
                block.append(line)
        elif line in ("```sh", ".EX"):
            block = []
        elif found := re.match(r"(?:#+|\.S[HS]) (.*)", line):
            heading = found[1]


def commands(lines, is_page):
    """A command ends with its line, unless that ends in a backslash or a pipe."""
    command = []
    for line in lines:
        command.append(line.replace(r"\e", "\\").replace(r"\-", "-") if is_page else line)
        if not command[-1].rstrip().endswith(("\\", "|")):
            yield "\n".join(command)
            command = []


def main():
    file, wanted = sys.argv[1], sys.argv[2]
    with open(file, encoding="utf-8") as page:
        found = [lines for heading, lines in examples(page.read()) if heading == wanted]
    if len(sys.argv) > 3:
        found = found[int(sys.argv[3]) - 1 : int(sys.argv[3])]
    if not found:
        sys.exit(f"{file} has no such example below “{wanted}”")
    for lines in found:
        for command in commands(lines, not file.endswith(".md")):
            sys.stdout.write(command + "\0")


main()
