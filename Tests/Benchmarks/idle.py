"""Idle: wake-ups and processor time while there is nothing to do, beside beanstalkd (and chronyd, where it is installed) in the
same seconds."""

import os
import shutil
import subprocess
import time

from harness import Keyreg, free_port, processor_seconds, require
from peers import PATH
from standin import Nginx, end

CHRONY = "port 0\ncmdport 0\nbindcmdaddress {folder}/chronyd.sock\npidfile {folder}/chronyd.pid\ndriftfile {folder}/drift\n"


def measure(bench, report):
    seconds, settle = bench.size(30, 2), bench.size(20, 1)
    with Nginx(bench) as server, Keyreg(bench, server.url) as place:
        place.run()
        place.drop("list", "7c9e6679-7425-40de-944b-e07fc1f90ae7\n")  # Not one that has never done anything.
        place.wait_done(1)
        place.connection.close()
        others = start_others(bench)
        try:
            watched = {"keyreg": place.process.pid} | {name: process.pid for name, process in others.items()}
            time.sleep(settle)
            require(all(process.poll() is None for process in others.values()), f"the others: {others}")
            wakes, cpu = {name: [] for name in watched}, {name: [] for name in watched}
            for _ in range(bench.rounds):
                before = {name: (switches(pid), processor_seconds(pid)) for name, pid in watched.items()}
                time.sleep(seconds)
                for name, pid in watched.items():
                    wakes[name].append((switches(pid) - before[name][0]) / seconds)
                    cpu[name].append((processor_seconds(pid) - before[name][1]) / seconds * 100)
        finally:
            for process in others.values():
                end(process)
    for name in others:
        report.add("idle", f"wake-ups/s, {seconds} s", wakes["keyreg"], name, wakes[name], at_most=2)
        report.add("idle", "% of a core", cpu["keyreg"], name, cpu[name], at_most=0.05)


def start_others(bench):
    folder = bench.folder("idle")
    commands = {"beanstalkd": ["-l", "127.0.0.1", "-p", str(free_port()), "-b", folder]}
    if shutil.which("chronyd", path=PATH) and os.geteuid() == 0:
        with open(folder + "/chrony.conf", "w") as file:
            file.write(CHRONY.format(folder=folder))
        commands["chronyd"] = ["-d", "-x", "-u", "root", "-f", folder + "/chrony.conf"]  # -x: leaves the clock alone.
    return {
        name: subprocess.Popen([shutil.which(name, path=PATH), *flags], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for name, flags in commands.items()}


def switches(pid):
    """How often its threads went to sleep, which is how often they were woken."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status") as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt_switches"))
    return total
