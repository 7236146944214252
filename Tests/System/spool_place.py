"""A place whose daemon is an ordinary user, with lists that come from other users of its group, as under systemd."""

import ctypes
import json
import os
import shutil
import struct
import subprocess

from support import Place, wait_for

# The daemon is `nobody`; the writer is a user without a name, which works as well. Root is the third.
DAEMON, WRITER, GROUP = 65534, 61001, 61000
FOLDERS = ["incoming", "reading", "done", "rejected", "results"]


def usable_by_all(binary, folder):
    """`binary`, or a copy of it in `folder` when an ordinary user may not reach it."""
    try:
        if subprocess.run([binary, "--version"], user=DAEMON, capture_output=True).returncode == 0:
            return binary
    except PermissionError:
        pass
    os.chmod(folder, 0o755)
    return shutil.copy(binary, os.path.join(folder, "keyreg"))


class SpoolPlace(Place):
    """`api` is the address of a sandbox that others use too; without one the place has its own (`sandbox`)."""

    def __init__(self, binary, settle="200ms", api=None):
        super().__init__(binary)
        os.chmod(self.folder, 0o755)
        for name, mode in [("state", 0o750), ("run", 0o755), ("spool", 0o2750), ("outside", 0o2770)]:
            self.give(self.path(name), mode)
        for name in FOLDERS:
            self.give(self.spool(name), 0o2770 if name == "incoming" else 0o2750)
        self.env["KEYREG_SOCKET"] = self.path("run/c.sock")
        if api:
            self.env["KEYREG_API_URL"] = api
        self.config(f"retry:\n  first_delay: 50ms\nspool:\n  settle: {settle}\n")

    # Whether the folder is kept at the end.
    keep_if = staticmethod(lambda: False)

    def __exit__(self, *reason):
        if not self.keep_if():
            return super().__exit__(*reason)
        kept = self.folder
        self.folder = os.devnull
        super().__exit__(*reason)
        print(f"      kept: {kept}", flush=True)

    @staticmethod
    def give(path, mode):
        os.mkdir(path)
        os.chown(path, DAEMON, GROUP)
        os.chmod(path, mode)

    def spool(self, name):
        return self.path("spool/" + name)

    def incoming(self, name):
        return self.path("spool/incoming/" + name)

    def daemon(self, *flags):
        return self.start(
            self.binary, "run", "--config", self.path("keyreg.yaml"), *flags,
            user=DAEMON, group=GROUP, extra_groups=[GROUP], umask=0o027)

    def running_daemon(self):
        daemon = self.daemon()
        assert wait_for(lambda: (s := self.ask("/v1/status")) and s["pid"] == daemon.pid, 60, 0.01), self.log()
        return daemon

    def files(self, folder):
        """The regular files in a folder of the spool, by name."""
        with os.scandir(self.spool(folder)) as entries:
            return sorted(entry.name for entry in entries if entry.is_file(follow_symlinks=False))

    def receipt(self, name):
        with open(self.spool(f"done/{name}.receipt.json")) as file:
            return json.load(file)

    def queue(self):
        """Every key in the queue."""
        return {row["app_key_id"] for row in self.ask("/v1/outcomes?format=jsonl") or []}


class FolderEvents:
    """inotify(7) on some folders. `read` returns (folder, mask, name) of what has happened since, without waiting."""

    MODIFY, CLOSE_WRITE, MOVED_FROM, MOVED_TO, CREATE, DELETE = 0x2, 0x8, 0x40, 0x80, 0x100, 0x200
    NAMES = {
        MODIFY: "written", CLOSE_WRITE: "closed", MOVED_FROM: "moved away", MOVED_TO: "moved here", CREATE: "made",
        DELETE: "removed"}

    def __init__(self, folders, mask=MOVED_FROM | MOVED_TO | CREATE | DELETE):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.number = self.libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert self.number >= 0, os.strerror(ctypes.get_errno())
        self.folders = {}
        for folder in folders:
            watch = self.libc.inotify_add_watch(self.number, folder.encode(), mask)
            assert watch >= 0, os.strerror(ctypes.get_errno())
            self.folders[watch] = os.path.basename(folder)

    def read(self):
        try:
            data = os.read(self.number, 1 << 16)
        except BlockingIOError:
            return []
        events, offset = [], 0
        while offset < len(data):
            watch, mask, _, length = struct.unpack_from("iIII", data, offset)
            name = data[offset + 16:offset + 16 + length].rstrip(b"\0").decode(errors="replace")
            events.append((self.folders.get(watch, "?"), mask, name))
            offset += 16 + length
        return events

    def close(self):
        os.close(self.number)
