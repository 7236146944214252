"""Plans of rounds: who writes what into the spool, in which steps, and when the daemon is killed; all from the seed."""

import json
import random
import uuid
from dataclasses import dataclass, field

# The daemons' settle time, in seconds; short, so that a round is short.
SETTLE = 0.2

TEMPORARY_ENDINGS = [
    ".tmp", ".part", ".partial", ".filepart", ".crdownload", ".download", ".opdownload", ".aria2", ".!ut", ".gstmp",
    ".uploading", ".inprogress", ".incomplete", ".swp", ".swo", ".swx", "~"]


def temporary_names(name):
    """The names that the contract ignores, for a list that will be called `name`."""
    endings = TEMPORARY_ENDINGS + [ending.upper() for ending in TEMPORARY_ENDINGS[:-1]]
    return [name + ending for ending in endings] + ["." + name, "~$" + name, f"#{name}#", "4913", "Thumbs.db", "desktop.ini"]


@dataclass
class Writer:
    """One process that writes. `user` is "root", "other" or "daemon"; it begins `begin` seconds after the round did."""
    kind: str
    user: str
    begin: float
    steps: list


@dataclass
class Stop:
    """One end of the daemon, once it has run for `age` seconds: it starts again after `down` seconds.

    `how` is KILL, TERM, or STOP, which only freezes it for that long. `when` is ("at", seconds), ("event", folder, nth) or
    ("stall", nth).
    """
    how: str
    when: tuple
    age: float
    down: float


@dataclass
class Plan:
    seed: int
    writers: list
    stops: list
    # Seconds after the writers at which the daemon starts for the first time; negative is before them.
    start: float
    ids: set = field(default_factory=set)


class Pen:
    """Makes the content of lists. A `plain` text list has nothing but one token a line, so that writers may tear its lines."""

    def __init__(self, rng, form, plain, ids):
        self.rng, self.form, self.plain, self.ids = rng, form, plain, ids
        self.used = []

    def id(self):
        if self.used and self.rng.random() < 0.05:
            return self.rng.choice(self.used)
        # Some ids are in several lists of the round.
        if len(self.ids) > 5 and self.rng.random() < 0.03:
            new = self.rng.choice(sorted(self.ids))
        else:
            new = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        self.ids.add(new)
        self.used.append(new)
        return new

    def record(self, good=True):
        """One record with its line end."""
        text = self.id() if good else self.rng.choice(["not-a-uuid", "0123", "g1f0c1de-0000-4000-8000-00000000000g"])
        if self.form == "csv":
            line = self.rng.choice(["n{},{}", "n{},{}", '"a quoted\nname, {}",{}']).format(self.rng.randrange(100), text)
        elif self.form == "jsonl":
            indent = None if self.plain else self.rng.choice([None, None, 1])
            line = json.dumps(self.rng.choice([text, {"id": text}]), indent=indent)
        elif self.plain:
            line = self.rng.choice([text, text, text, text.upper()])
        else:
            line = self.rng.choice([text, text, text.upper(), f"  {text} ", f'"{text}"', f"{text}\r"])
        return line.encode() + b"\n"

    def junk(self):
        """Something that is not a key: an invalid line, or one that is not an entry at all."""
        if self.form == "text":
            return self.rng.choice([self.record(False), b"\n", b"#note\n"])
        return self.record(False)

    def lines(self, count, bad=0.1):
        return b"".join(self.junk() if self.rng.random() < bad else self.record() for _ in range(count))

    def whole(self, count=None):
        """A whole list."""
        count = count or self.length()
        if self.form == "array":
            return ("[\n" + ",\n".join(json.dumps(self.id()) for _ in range(count)) + "\n]\n").encode()
        head = b"name,app_key_id\n" if self.form == "csv" else b""
        return head + self.lines(count - 1) + self.record()

    def length(self):
        # The import commits 2,000 entries at a time: now and then a list is longer.
        return self.rng.choice([1, 2, 3, 5, 8, 13, 21]) if self.rng.random() < 0.985 else self.rng.randrange(2001, 2400)

    def pieces(self, data, count=None):
        """`data` in pieces: cut anywhere, or only at line ends where torn lines would be the writers' own fault."""
        if self.form in ("jsonl", "text") and self.plain or self.rng.random() < 0.3:
            places = [n + 1 for n in range(len(data) - 1) if data[n] == 10]
        else:
            places = list(range(1, len(data)))
        count = min(count or self.rng.choice([2, 2, 3, 5]), len(places) + 1)
        cuts = [0, *sorted(self.rng.sample(places, count - 1)), len(data)]
        return [data[a:b] for a, b in zip(cuts, cuts[1:])]


class Draft:
    """What a kind of writer draws its steps with."""

    def __init__(self, rng, ids, number):
        self.rng, self.ids, self.number = rng, ids, number

    def pen(self, *forms, own=False):
        """A pen and the name of its list. An `own` name is used by no other writer in this round."""
        form = self.rng.choice(forms or ("text", "text", "jsonl", "csv", "array"))
        own = own or form in ("csv", "array")
        # A name may be that of another list's second one, or not fit for a terminal.
        shared = self.rng.choice(["a", "a", "b", "b", "a.2", "\u00fc b", "%\n"])
        name = f"{form}{self.number}" if own else f"{form}-{shared}"
        return Pen(self.rng, form, plain=not own, ids=self.ids), name

    def stall(self, long=False):
        return ("pause", self.rng.choice([0.3, 0.45, 0.7] if long else [0, 0, 0.002, 0.01, 0.05, 0.15, 0.3, 0.5]))

    def moment(self, slot=None):
        """Just when something happens to the list that was written before, or after a pause."""
        what = self.rng.choice(["taken", "receipt", "filed", "pause"])
        return self.stall() if what == "pause" else ("await", what, slot)

    def put(self, path, data, mode=0o660):
        return [("open", "f", path, "new", mode), ("write", "f", data), ("close", "f")]

    def append(self, name, data):
        return [("open", "f", name, "append", 0o660), ("write", "f", data), ("close", "f")]


KINDS = {}


def kind(make):
    KINDS[make.__name__.replace("_", "-")] = make
    return make


@kind
def moved_in(draft):
    pen, name = draft.pen()
    place = draft.rng.choice(["../../outside/m", ".m"]) + str(draft.number)
    return [draft.put(place, pen.whole()) + [("rename", place, name)]]


@kind
def copied(draft):
    pen, name = draft.pen()
    pieces = pen.pieces(pen.whole(), draft.rng.choice([1, 1, 2, 4]))
    touch = [("open", "f", name, "append", 0o660), ("close", "f"), draft.stall()] if draft.rng.random() < 0.3 else []
    # As `cp -p` and rsync leave it.
    times = [draft.stall(), ("utime", "f")] if draft.rng.random() < 0.3 else []
    return [touch + [("open", "f", name, "new", 0o660), *[("write", "f", piece) for piece in pieces], *times, ("close", "f")]]


@kind
def appends_by_name(draft):
    pen, name = draft.pen("text", "jsonl")
    pace = draft.rng.choice([0, 0.001, 0.005, 0.02])
    steps = []
    for _ in range(draft.rng.choice([5, 20, 60])):
        steps += draft.append(name, pen.record() if draft.rng.random() < 0.9 else pen.junk()) + [("pause", pace)]
        if draft.rng.random() < 0.04:
            steps.append(draft.stall())
    return [steps]


@kind
def append_when_taken(draft):
    pen, name = draft.pen("text", "jsonl")
    place = f"../../outside/m{draft.number}"
    if draft.rng.random() < 0.5:
        steps = draft.put(place, pen.whole()) + [("rename", place, name)]
    else:
        steps = draft.put(name, pen.whole())
    for _ in range(draft.rng.choice([1, 1, 2])):
        steps = steps + [draft.moment()] + draft.append(name, pen.lines(2, 0.2))
    return [steps]


@kind
def held_descriptor(draft):
    pen, name = draft.pen(own=draft.rng.random() < 0.6)
    steps = [("open", "f", name, "append", 0o660)]
    for piece in pen.pieces(pen.whole()):
        steps += [("write", "f", piece), draft.stall(long=draft.rng.random() < 0.5)]
    return [steps + [("close", "f")]]


@kind
def held_until_filed(draft):
    pen, name = draft.pen(own=draft.rng.random() < 0.6)
    steps = [("open", "f", name, "append", 0o660)]
    for piece in pen.pieces(pen.whole(), 2):
        steps += [("write", "f", piece), draft.moment("f")]
    return [steps + [("close", "f")]]


@kind
def second_descriptor(draft):
    pen, name = draft.pen(own=draft.rng.random() < 0.6)
    one, two = (pen.pieces(pen.whole(max(2, pen.length())), 2) * 2)[:2]
    return [[
        ("open", "f", name, "append", 0o660), ("open", "g", name, "append", 0o660), ("write", "f", one), ("close", "f"),
        draft.stall(long=True), ("write", "g", two), ("close", "g")]]


@kind
def stall_over_restart(draft):
    pen, name = draft.pen(own=True)
    steps = [("open", "f", name, "append", 0o660)]
    for piece in pen.pieces(pen.whole(max(3, pen.length())), 2):
        steps += [("write", "f", piece), ("stall", draft.rng.choice([0.5, 0.8, 1.2]))]
    return [steps[:-1] + [("close", "f")]]


@kind
def stream(draft):
    """A writer that continues while the list is claimed, read and filed; the daemon may start after it."""
    pen, name = draft.pen("text", "csv", "jsonl", own=True)
    steps, pace = [("open", "f", name, "append", 0o660)], draft.rng.choice([0.001, 0.005, 0.02])
    for piece in pen.pieces(pen.whole(draft.rng.choice([20, 60, 2100])), draft.rng.choice([10, 60])):
        steps += [("write", "f", piece), ("pause", pace)]
        if draft.rng.random() < 0.05:
            steps.append(draft.stall(long=True))
    return [steps + [("close", "f")]]


@kind
def change_while_down(draft):
    """A file that is already in `done/` or `rejected/` changes while no daemon runs."""
    pen, name = draft.pen("text", own=True)
    pen.plain = True
    data = b"".join(pen.record(draft.rng.random() < 0.8) for _ in range(draft.rng.choice([1, 3, 8])))
    change = draft.rng.choice([
        [("write", "f", pen.record())], [("write", "f", pen.record()[:-9])], [("overwrite", "f", 0, pen.record())],
        [("overwrite", "f", 0, pen.record()), ("utime", "f")], [("truncate", "f", len(data) // 2)],
        [("truncate", "f", 0), ("write", "f", pen.record())]])
    way = "new" if change[0][0] == "overwrite" else "append"
    # What is moved in is taken at once, although its writer has it open.
    place = f"../../outside/d{draft.number}"
    return [[
        ("open", "f", place, way, 0o660), ("write", "f", data), ("rename", place, name), ("await", "filed", "f"), ("stall", 0.4),
        *change, ("close", "f")]]


@kind
def submitted(draft):
    pen, name = draft.pen("text", "csv", "jsonl", own=True)
    return [[("submit", name, pen.whole(), draft.rng.choice(["command", "post"]))]]


@kind
def half_an_id(draft):
    pen, name = draft.pen("text", "csv", "jsonl", own=True)
    data = pen.whole() + pen.record()
    cut = len(data) - draft.rng.randrange(1, 40)
    way = draft.rng.choice(["append", "new"])
    return [[
        ("open", "f", name, way, 0o660), ("write", "f", data[:cut]), draft.stall(long=draft.rng.random() < 0.7),
        ("write", "f", data[cut:]), draft.stall(), ("write", "f", pen.lines(2, 0.2)), ("close", "f")]]


@kind
def without_line_end(draft):
    pen, name = draft.pen("text", "csv", "jsonl", own=True)
    data = pen.whole().rstrip(b"\r\n")
    if pen.form == "text" and draft.rng.random() < 0.4:
        data = data[:-draft.rng.randrange(1, 30)]
    if draft.rng.random() < 0.3:
        return [draft.put("." + name, data) + [("rename", "." + name, name)]]
    later = [draft.moment("f"), ("write", "f", b"\n" + pen.lines(1, 0))] if draft.rng.random() < 0.4 else []
    return [[("open", "f", name, "append", 0o660), ("write", "f", data), *later, ("close", "f")]]


@kind
def copied_over(draft):
    pen, name = draft.pen("text", "jsonl")
    return [draft.put(name, pen.whole()) + [draft.moment()] + draft.put(name, pen.whole())]


@kind
def truncated(draft):
    pen, name = draft.pen("text", own=True)
    pen.plain = True
    count = draft.rng.choice([3, 8, 20])
    data = b"".join(pen.record() for _ in range(count))
    size = draft.rng.choice([0, 37, 37 * (count - 1), draft.rng.randrange(len(data))])
    return [[
        ("open", "f", name, "append", 0o660), ("write", "f", data), draft.moment("f"), ("truncate", "f", size),
        draft.stall(), ("write", "f", pen.lines(draft.rng.choice([1, 5, 30]), 0.1)), ("close", "f")]]


@kind
def overwritten(draft):
    pen, name = draft.pen("text", own=True)
    pen.plain = True
    count = draft.rng.choice([1, 3, 8])
    data = b"".join(pen.record() for _ in range(count))
    return [[
        ("open", "f", name, "new", 0o660), ("write", "f", data), draft.moment("f"),
        ("overwrite", "f", 37 * draft.rng.randrange(count), pen.record()), ("close", "f")]]


@kind
def replaced(draft):
    pen, name = draft.pen("text", "jsonl")
    steps = []
    for _ in range(draft.rng.choice([2, 2, 4])):
        place = f"../../outside/r{draft.number}"
        steps += draft.put(place, pen.whole()) + [("rename", place, name), draft.moment()]
    return [steps[:-1]]


@kind
def two_writers(draft):
    pen, name = draft.pen("text", "jsonl")
    both = []
    ways = [("append", "append"), ("each", "append"), ("each", "each")]
    if pen.form == "text":  # Torn JSON is nobody's entry.
        ways.append(("append", "new"))
    for way in draft.rng.choice(ways):
        steps = [] if way == "each" else [("open", "f", name, way, 0o660)]
        for _ in range(draft.rng.choice([3, 10])):
            data = pen.lines(draft.rng.choice([1, 3]), 0.1)
            steps += (draft.append(name, data) if way == "each" else [("write", "f", data)]) + [draft.stall()]
        both.append(steps + ([] if way == "each" else [("close", "f")]))
    return both


@kind
def same_name_again(draft):
    pen, name = draft.pen("text", "jsonl")
    steps = []
    for _ in range(draft.rng.choice([2, 4, 8])):
        if draft.rng.random() < 0.5:
            steps += draft.put(f".s{draft.number}", pen.whole()) + [("rename", f".s{draft.number}", name)]
        else:
            steps += draft.append(name, pen.whole())
        steps.append(draft.moment())
    return [steps]


@kind
def rejected_then_good(draft):
    pen, name = draft.pen("text", "jsonl", "csv", own=draft.rng.random() < 0.7)
    data = b"name,app_key_id\n" if pen.form == "csv" else b""
    data += b"".join(pen.record(False) for _ in range(draft.rng.choice([1, 3])))
    good = pen.lines(2, 0.3) + pen.record()
    if pen.form != "csv" and draft.rng.random() < 0.4:
        return [draft.put(name, data) + [draft.moment()] + draft.append(name, good)]
    return [[
        ("open", "f", name, "append", 0o660), ("write", "f", data),
        draft.rng.choice([("await", "filed", "f"), draft.moment("f"), draft.stall()]), ("write", "f", good), ("close", "f")]]


@kind
def rejected(draft):
    pen, name = draft.pen("text", "jsonl", own=True)
    return [draft.put(name, b"".join(pen.record(False) for _ in range(draft.rng.choice([1, 3]))))]


@kind
def binary(draft):
    pen, name = draft.pen("text", own=True)
    pen.plain = True
    steps = [("open", "f", name, "append", 0o660), ("write", "f", b"\0\1\2\n" + pen.whole())]
    if draft.rng.random() < 0.5:
        steps += [draft.moment("f"), ("write", "f", pen.record())]
    return [steps + [("close", "f")]]


@kind
def temporary_name(draft):
    pen, name = draft.pen(own=True)
    temporary = draft.rng.choice(temporary_names(name))
    way = draft.rng.choice(["held", "each"])
    steps = [("open", "f", temporary, "new", 0o660)] if way == "held" else []
    for piece in pen.pieces(pen.whole()):
        steps += ([("write", "f", piece)] if way == "held" else draft.append(temporary, piece)) + [draft.stall()]
    rename, close = ("rename", temporary, name), ("close", "f")
    if way == "each":
        return [[*steps, rename]]
    return [steps + ([rename, close] if draft.rng.random() < 0.3 else [close, rename])]


@kind
def unreadable(draft):
    pen, name = draft.pen(own=True)
    # Only for root, not even for its owner.
    steps = draft.put(name, pen.whole(), 0)
    if draft.rng.random() < 0.6:
        steps += [draft.stall(long=True), ("chmod", name, 0o660)]
    return [steps]


@kind
def strange(draft):
    name = f"strange{draft.number}"
    return [[(draft.rng.choice(["symlink", "fifo", "folder"]), name)]]


def plan(seed, kinds=None, stops=None):
    """The plan of `seed`. `kinds`: only such writers, one of them; `stops`: how many ends of the daemon."""
    rng = random.Random(f"spool {seed}")
    ids, writers = set(), []
    for _ in range(1 if kinds else rng.choice([1, 2, 2, 3, 3, 4])):
        name = rng.choice(sorted(kinds or KINDS))
        begin = rng.choice([0, 0, 0.05, 0.2, 0.5])
        user = rng.choice(["root", "other", "other", "other", "daemon"])
        for steps in KINDS[name](Draft(rng, ids, len(writers))):
            writers.append(Writer(name, user, begin, steps))
    ends = []
    for _ in range(rng.choice([0, 0, 1, 1, 2, 3]) if stops is None else stops):
        when = rng.choice([
            ("at", round(rng.uniform(0.02, 1.5), 3)), ("at", round(rng.uniform(0.02, 1.5), 3)),
            ("event", rng.choice(["incoming", "reading", "reading", "done", "done", "rejected", "results"]), rng.randrange(1, 6)),
            ("stall", 1)])
        how, age = rng.choice(["KILL", "KILL", "TERM", "STOP"]), rng.choice([0, 0.02, 0.05, 0.1, 0.3])
        ends.append(Stop(how, when, age, rng.choice([0, 0.05, 0.3, 0.6])))
    if any(step[0] == "stall" for writer in writers for step in writer.steps) and stops is None:
        ends.append(Stop(rng.choice(["KILL", "TERM"]), ("stall", 1), 0, rng.choice([0.05, 0.3, 0.6])))
    return Plan(seed, writers, ends, rng.choice([-1, -1, -1, 0.1, 0.4]), ids)
