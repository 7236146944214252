"""Which operations are made to fail (fault.c), with which errors, and what a run under a fault has left behind."""

import errno
import os
import struct
from dataclasses import dataclass, replace

LIBRARY = "fault.so"

# Errors that may come, by kind of operation.
ERRORS = {
    "open": "EIO ENOSPC EMFILE EINTR EDQUOT EROFS ENOMEM",
    "read": "EIO EINTR ENOMEM",
    "write": "EIO ENOSPC EDQUOT EINTR",
    "fsync": "EIO ENOSPC EDQUOT EINTR",
    "rename": "EIO ENOSPC EDQUOT EROFS ENOMEM",
    "mkdir": "EIO ENOSPC EDQUOT EROFS ENOMEM",
    "unlink": "EIO EROFS ENOMEM",
    "truncate": "EIO ENOSPC EINTR",
    "stat": "EIO ENOMEM",
    "list": "EIO EMFILE ENOMEM",
    "lock": "EINTR ENOLCK EIO",
    "mode": "EIO EROFS ENOMEM",
    "mmap": "ENOMEM EMFILE",
    "accept": "EMFILE ENFILE ENOMEM EINTR ECONNABORTED",
    "socket": "EMFILE ENFILE ENOMEM",
    "inotify": "EMFILE ENOSPC ENOMEM",
    "log": "EIO ENOSPC EINTR",
    "poll": "EINTR ENOMEM",
    "memory": "ENOMEM",
}
# An interruption is over when the call returns.
PASSING = {"EINTR", "ECONNABORTED"}

REPORT = struct.Struct("=" + "16sQ" * 32 + "Q504s")


@dataclass(frozen=True)
class Fault:
    """The call `number` of `kind` fails with `error`: once, or from then on until it is cured."""

    kind: str
    error: str
    number: int
    lasts: bool = False
    library: str = ""

    def __str__(self):
        of = f" of {self.library}" if self.library else ""
        return f"{self.kind}{of} {self.error} {self.number}{' and all that follow' if self.lasts else ''}"

    def environment(self, place):
        """For the daemon; the library is in `place`."""
        with open(place.path("report"), "wb") as file:
            file.write(bytes(REPORT.size))
        values = dict(
            LD_PRELOAD=place.library, FAULT_REPORT=place.path("report"), FAULT_FOLDER=place.folder, FAULT_KIND=self.kind,
            FAULT_ERROR=str(getattr(errno, self.error, 0)), FAULT_NUMBER=str(self.number),
            SWIFT_BACKTRACE="enable=no")
        if self.lasts:
            values["FAULT_CURED"] = place.path("cured")
        if self.library:
            values["FAULT_LIBRARY"] = self.library
        return values

    def at(self, number):
        return replace(self, number=number)


NONE = Fault("", "", 0)


def read_report(place):
    """Calls by kind, how many failed, and the first one that did."""
    with open(place.path("report"), "rb") as file:
        values = REPORT.unpack(file.read())
    calls = {values[i].rstrip(b"\0").decode(): values[i + 1] for i in range(0, 64, 2) if values[i].rstrip(b"\0")}
    return calls, values[64], values[65].rstrip(b"\0").decode(errors="replace")


def cure(place):
    """Ends the fault."""
    with open(place.path("cured"), "w"):
        pass
    assert os.path.exists(place.path("cured"))
