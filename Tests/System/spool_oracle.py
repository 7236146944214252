"""What must be true of a spool that has settled: section 3 of the interface, checked from the files and the API."""

import csv
import hashlib
import io
import json
import os
import re
from dataclasses import dataclass, field

from spool_place import DAEMON

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LEFT_ALONE_ENDINGS = (
    ".tmp", ".part", ".partial", ".filepart", ".crdownload", ".download", ".opdownload", ".aria2", ".!ut", ".gstmp",
    ".uploading", ".inprogress", ".incomplete", ".swp", ".swo", ".swx", "~")


def is_left_alone(name):
    return (
        name.startswith((".", "~$")) or name.lower().endswith(LEFT_ALONE_ENDINGS)
        or (len(name) > 1 and name[0] == name[-1] == "#") or name in ("4913", "Thumbs.db", "desktop.ini"))


@dataclass
class Entries:
    """The entries of a list, read by code other than the daemon's."""
    ids: list = field(default_factory=list)
    invalid: int = 0
    # The last record has no line end; and it is not a key.
    is_open: bool = False
    ends_badly: bool = False

    def take(self, text):
        text = text.strip().removeprefix("- ").rstrip(",;").strip("\"'").strip().lower() if isinstance(text, str) else ""
        self.ends_badly = not UUID.fullmatch(text)
        if self.ends_badly:
            self.invalid += 1
        else:
            self.ids.append(text)


def read(name, data):
    """The entries of the list `name`, whose form follows from its name."""
    entries = Entries()
    form = re.match(r"[a-z]*", name).group()
    text = data.decode("utf-8", "replace")
    if form == "array":
        try:
            for item in json.loads(text):
                entries.take(item)
        except ValueError:
            entries.invalid += 1
        return entries
    entries.is_open = not text.endswith(("\n", "\r"))
    if form == "csv":
        for row in [row for row in csv.reader(io.StringIO(text, newline="")) if row][1:]:
            entries.take(row[1] if len(row) > 1 else "")
    elif form == "text":
        for line in re.split(r"\r\n|\r|\n", text):
            if line.strip() and not line.strip().startswith("#"):
                entries.take(line)
    else:
        for item in documents(text):
            entries.take(item.get("id") if isinstance(item, dict) else item)
    return entries


def documents(text):
    """Consecutive JSON documents; None for a line that is not one."""
    decoder, place = json.JSONDecoder(), 0
    while start := re.compile(r"\S").search(text, place):
        try:
            item, place = decoder.raw_decode(text, start.start())
        except ValueError:
            item, place = None, (text + "\n").index("\n", start.start())
        yield item


@dataclass
class Finding:
    """`loss`: a key or a byte was lost; else something is wrong that loses nothing."""
    loss: bool
    text: str


@dataclass
class Put:
    """What the writers report about one file, by inode."""
    names: list = field(default_factory=list)
    ways: list = field(default_factory=list)
    bytes: int = 0
    # Some of what was written is gone: truncated or overwritten.
    altered: bool = False
    # Another file was put in its place while it was in `incoming/`.
    gone: bool = False

    def take(self, tale):
        """Takes note of what a writer did to the file."""
        self.bytes += tale.get("bytes", 0)
        if "opens" in tale:
            self.names.append(tale["opens"][0])
            self.ways.append(tale["opens"][1])
        # A writer that does not append overwrites what others appended meanwhile.
        self.altered |= tale.get("altered", False) or len(self.ways) > 1 and "new" in self.ways


class Oracle:
    """`puts`: the files by inode; `strange`: what is not a regular file; `promised`: keys that were accepted; `ids`: all of them."""

    def __init__(self, place, puts, strange, promised, ids):
        self.place, self.puts, self.strange, self.promised, self.ids = place, puts, strange, promised, ids
        self.findings = []

    def lose(self, text):
        self.findings.append(Finding(True, text))

    def fault(self, text):
        self.findings.append(Finding(False, text))

    def judge(self):
        """Everything that is wrong with the spool now."""
        place = self.place
        places = {}  # inode: [(folder, name)]
        for folder in ("incoming", "reading", "done", "rejected"):
            for name in place.files(folder):
                if not name.startswith(".keyreg-"):
                    places.setdefault(os.stat(place.spool(f"{folder}/{name}")).st_ino, []).append((folder, name))
        blocked = [name for name in place.files("incoming") if not is_left_alone(name) and not self.readable(name)]
        self.judge_files(places)
        self.judge_waiting(blocked)
        queue, wanted = place.queue(), set()
        for folder, name in sorted(put for puts in places.values() for put in puts):
            if folder == "done" and not name.endswith(".receipt.json"):
                wanted |= self.judge_done(name, queue)
            elif folder == "rejected" and not name.endswith(".reason.txt"):
                self.judge_rejected(name)
        for name in place.files("done"):
            if name.endswith(".receipt.json") and not os.path.exists(place.spool("done/" + name[:-13])):
                self.fault(f"done/{name} has no list beside it")
        for id_ in sorted(wanted - queue):
            self.lose(f"{id_} is in a list in done/ and not in the queue")
        for id_ in sorted(self.promised - queue - wanted):
            self.lose(f"{id_} was submitted with success and is not in the queue")
        for id_ in sorted(queue - self.ids):
            self.fault(f"{id_} is in the queue and nobody wrote it")
        self.judge_sum(queue, wanted)
        return self.findings

    def readable(self, name):
        status = os.stat(self.place.incoming(name))
        return status.st_mode & (0o400 if status.st_uid == DAEMON else 0o040)

    def judge_files(self, places):
        """Every file that was put in is in one place, with all its bytes."""
        for inode, put in self.puts.items():
            if put.gone:
                continue
            found = places.get(inode, [])
            shown = " and ".join(dict.fromkeys(put.names))
            if not found:
                self.lose(f"the file that was put in as {shown} is nowhere")
            elif len(found) > 1:
                self.fault(f"the file that was put in as {shown} is in more than one place: {found}")
            elif found and not put.altered:
                size = os.stat(self.place.spool("/".join(found[0]))).st_size
                if size != put.bytes:
                    self.lose(f"{'/'.join(found[0])} has {size} bytes; its writers wrote {put.bytes}")

    def judge_waiting(self, blocked):
        place = self.place
        for name in place.files("incoming"):
            if not is_left_alone(name) and name not in blocked:
                self.lose(f"incoming/{name} is not taken")
        for name in place.files("reading"):
            if not name.startswith(".keyreg-"):
                self.lose(f"reading/{name} is not filed")
        for name in self.strange:
            if not os.path.lexists(place.incoming(name)):
                self.fault(f"incoming/{name} is not a regular file and did not stay")
        status = place.ask("/v1/status") or {}
        told = (status.get("lists") or {}).get("blocked", 0)
        strange = [name for name in self.strange if os.path.lexists(place.incoming(name)) and not is_left_alone(name)]
        if told != len(blocked) + len(strange):
            self.fault(f"status tells of {told} blocked lists; {blocked} cannot be read, {strange} are no regular files")
        lists = json.dumps(place.ask("/v1/lists"))
        for name in blocked:
            if name not in lists:
                self.fault(f"incoming/{name} cannot be read, and `lists` does not say so")

    def judge_done(self, name, queue):
        """Whether the receipt is of these bytes and counts their entries. Returns the keys of the list."""
        with open(self.place.spool("done/" + name), "rb") as file:
            data = file.read()
        entries = read(name, data)
        try:
            receipt = self.place.receipt(name)
        except FileNotFoundError:
            self.lose(f"done/{name} has no receipt")
            return set(entries.ids)
        if (receipt["bytes"], receipt["sha256"]) != (len(data), hashlib.sha256(data).hexdigest()):
            self.lose(f"done/{name} has {len(data)} bytes; its receipt is of {receipt['bytes']} bytes, or other ones")
        if receipt["list"] != name:
            self.fault(f"the receipt of done/{name} is of {receipt['list']}")
        self.judge_counts(name, receipt, entries)
        self.judge_results(name, set(entries.ids), queue)
        return set(entries.ids)

    def judge_counts(self, name, receipt, entries):
        keys, different = receipt["keys"], len(set(entries.ids))
        counted = (keys["accepted"] + keys["already_known"], keys["duplicate_in_list"], keys["invalid"])
        if counted != (different, len(entries.ids) - different, entries.invalid):
            self.fault(
                f"the receipt of done/{name} counts {keys}; the list has {different} different keys, "
                f"{len(entries.ids) - different} repetitions and {entries.invalid} invalid entries")
        # A whole key without a line end may count as either.
        told = receipt.get("unterminated")
        if entries.is_open and entries.ends_badly and told is not True or not entries.is_open and told:
            self.fault(f"the receipt of done/{name} says unterminated: {told}; its last line end is {not entries.is_open}")

    def judge_results(self, name, ids, queue):
        try:
            rows = [row[0] for row in self.place.results(name)]
        except FileNotFoundError:
            return self.fault(f"there are no results of {name}")
        if len(rows) != len(set(rows)):
            self.fault(f"results/{name}.csv has a key twice")
        if missing := (ids & queue) - set(rows):
            self.fault(f"results/{name}.csv lacks {len(missing)} of {len(ids)} keys, such as {min(missing)}")

    def judge_rejected(self, name):
        with open(self.place.spool("rejected/" + name), "rb") as file:
            data = file.read()
        try:
            with open(self.place.spool(f"rejected/{name}.reason.txt")) as file:
                reason = file.read()
        except FileNotFoundError:
            return self.fault(f"rejected/{name} has no reason")
        if b"\0" in data:
            read_to = re.search(r"read to byte (\d+) of (\d+)", reason)
            if not read_to or int(read_to[2]) != len(data):
                self.lose(f"rejected/{name} has {len(data)} bytes; its reason does not say to which it was read: {reason!r}")
        elif ids := read(name, data).ids:
            self.lose(f"rejected/{name} has {len(ids)} good keys, such as {ids[0]}")

    def judge_sum(self, queue, wanted):
        """No key came with two lists. Checked only if no content was altered or half read on the way."""
        receipts = [self.place.receipt(name[:-13]) for name in self.place.files("done") if name.endswith(".receipt.json")]
        accepted = sum(receipt["keys"]["accepted"] for receipt in receipts)
        if accepted > len(queue):
            self.fault(f"the receipts count {accepted} accepted keys; the queue has {len(queue)}")
        altered = any(put.altered or put.gone for put in self.puts.values())
        if not altered and queue == wanted and accepted != len(queue):
            self.fault(f"the receipts count {accepted} accepted keys; the queue has {len(queue)}")


def sent_again(requests, ends):
    """Findings on the requests journal: a key is confirmed once, unless the daemon ended between two confirmations.

    `requests`: key → the times of its successful PUTs; `ends`: when the daemon was killed or stopped.
    """
    findings = []
    for id_, times in requests.items():
        for one, two in zip(times, times[1:]):
            # What a killed daemon has sent may be read and logged a while later.
            if not any(one - 2 <= end <= two for end in ends):
                findings.append(Finding(False, f"{id_} was registered twice, {two - one:.3f} s apart, with no kill between"))
    return findings
