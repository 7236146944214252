"""The programs that keyreg is measured beside: installed when they are missing, and their versions."""

import os
import shutil
import subprocess
import sys

PROGRAMS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "programs")
# Which measures need what: a program and its Debian package.
PACKAGES = {
    "nginx": ("nginx-light", {"end-to-end", "growth", "workers", "lists", "soak", "idle", "imports"}),
    "curl": ("curl", {"end-to-end"}),
    "curl-config": ("libcurl4-openssl-dev", {"end-to-end", "workers"}),
    "cc": ("gcc", {"end-to-end", "workers"}),
    "sqlite3": ("sqlite3", {"imports", "growth"}),
    "beanstalkd": ("beanstalkd", {"idle"}),
}
PYTHON = ["datadog-api-client", "huey", "litequeue", "persist-queue"]
NEED_PYTHON = {"end-to-end", "queue"}


class Peers:
    def __init__(self, bench, measures):
        self.bench = bench
        missing = [
            package for program, (package, users) in PACKAGES.items()
            if users & set(measures) and not shutil.which(program, path=PATH)]
        if missing:
            environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
            for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *missing]):
                subprocess.run(["apt-get", *command], check=True, stdout=subprocess.DEVNULL, env=environment)
        self.python = self.installed_python() if NEED_PYTHON & set(measures) else None

    def installed_python(self):
        folder = self.bench.folder("venv")
        python = os.path.join(folder, "bin/python")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", *PYTHON], check=True)
        return python

    def program(self, name, *libraries):
        """Compiles programs/NAME.c once; its path."""
        path = os.path.join(self.bench.scratch, name)
        if not os.path.exists(path):
            source = os.path.join(PROGRAMS, name + ".c")
            subprocess.run(["cc", "-O2", "-Wall", "-Werror", "-pthread", "-o", path, source, *libraries], check=True)
        return path

    def script(self, name):
        """The command that runs programs/NAME.py with the packages from PyPI."""
        return [self.python, os.path.join(PROGRAMS, name + ".py")]

    def versions(self):
        asked = {
            "keyreg": [self.bench.binary, "--version"], "nginx": ["nginx", "-v"], "curl": ["curl", "--version"],
            "sqlite3": ["sqlite3", "--version"], "beanstalkd": ["beanstalkd", "-v"], "chronyd": ["chronyd", "-v"],
            "cc": ["cc", "--version"], "git": ["git", "-C", self.bench.root, "describe", "--always", "--dirty"],
        }
        found = {"python": sys.version.split()[0]}
        for name, command in asked.items():
            program = shutil.which(command[0], path=PATH)
            if program:
                reply = subprocess.run([program, *command[1:]], capture_output=True, text=True)
                found[name] = ((reply.stdout or reply.stderr).splitlines() or [""])[0]
        if self.python:
            listed = subprocess.run([self.python, "-m", "pip", "freeze"], capture_output=True, text=True).stdout.split()
            found |= dict(line.split("==") for line in listed if "==" in line and line.split("==")[0] in PYTHON)
        return found


# Debian has some of them where only root looks.
PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"
