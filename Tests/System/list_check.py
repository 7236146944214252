#!/usr/bin/env python3
"""Random key lists, read by keyreg and by Python's `csv` and `json`: keyreg registers what these read in the column or place
of keys, and never an id from anywhere else, not even when a byte of the list is damaged.

    list_check.py BINARY [LISTS [SEED]]      200 lists by default, some seconds
"""

import csv
import io
import json
import os
import random
import re
import sys
import uuid

from support import Place, check, finish

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
TITLES = ["app_key_id", "App Key ID", "appKeyId", "Application Key ID", "key_id", "Key-ID", "uuid", "id", "ID"]
# As members of objects, the most specific ones first. Two that mean the same, and different ids in the last two, are invalid.
NAMES = ["app_key_id", "Key-ID", "uuid", "id"]
SPELLINGS = {
    "app_key_id": ["app_key_id", "appKeyId", "Application Key ID"], "Key-ID": ["key_id", "KeyId"], "uuid": ["uuid", "UUID"],
    "id": ["id", "id", "ID", "Id"]}
TEXTS = [
    "", "x", "Doe, Jane", 'say "hello"', "two\nlines", "two\r\nlines", "#infra", "#, x", " padded ", "a;b", "a|b", "t\tab", "é😀",
    "=SUM(1)", "{", "[", "null", "a,b,c,d"]


class Maker:
    def __init__(self, seed, has_one_name=False):
        """`has_one_name`: objects name one id only; where there are two, damage to one name leaves the other."""
        self.random = random.Random(seed)
        self.has_one_name = has_one_name

    def id(self):
        text = str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        return text.upper() if self.random.random() < 0.2 else text

    def ids(self):
        return [self.id() for _ in range(self.random.randint(1, 12))]

    def csv(self, has_short_rows):
        """The list, and the ids in its column as Python reads it. (A short row of a list whose header is damaged is a line of
        text, and may be an id and nothing else.)"""
        r = self.random
        width = r.randint(1, 5)
        place = r.randrange(width)
        header = [r.choice(["name", "owner", "Team, or none", 'the "note"', "two\nlines", "org"]) for _ in range(width)]
        header[place] = r.choice(TITLES)
        rows = []
        for id_ in self.ids():
            row = [r.choice(TEXTS + [self.id()]) for _ in range(width)]
            row[place] = r.choice([id_] * 8 + [f" {id_} ", "", "none"])
            if has_short_rows and width > 1 and r.random() < 0.05:
                row.pop()
            rows.append(row)
        out = io.StringIO()
        delimiter = r.choice(",;\t|")
        writer = csv.writer(
            out, delimiter=delimiter, quoting=r.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
            lineterminator=r.choice(["\n", "\r\n"]))
        writer.writerows([header] + rows)
        text = out.getvalue()
        read = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
        # Only fields at the end may be missing, and only if no other id can have taken the place of the key's.
        is_clear = not set(header[place + 1:]) & {"owner", "org"}
        found = [row[place].strip() for row in read[1:] if len(row) == len(header)
                 or is_clear and place < len(row) and sum(bool(UUID.search(field)) for field in row) == 1]
        return text, [id_ for id_ in found if UUID.fullmatch(id_)]

    def thing(self):
        """Something with ids that are not keys."""
        r = self.random
        return r.choice([
            None, 5, True, r.choice(TEXTS), {"id": self.id()}, {"data": [{"id": self.id(), "type": "users"}]},
            {"a": {"b": [{"id": self.id()}]}}])

    def object(self):
        r = self.random
        # With a byte less, the last one would be a name of keys.
        names = ["owner", "relationships", "attributes", "x y", "things" if self.has_one_name else "ids "]
        members = [(name, self.thing()) for name in r.sample(names, r.randint(0, 3))]
        for name in r.sample(NAMES, 1 if self.has_one_name else r.choice([1, 1, 1, 2])):
            members.append((name, r.choice([self.id()] * 8 + [None, "none", 5])))
        if r.random() < 0.3:
            members.append(("type", r.choice(["application_keys", "application_keys", "users", "api_keys"])))
        r.shuffle(members)
        return {r.choice(SPELLINGS.get(name, [name])): value for name, value in members}

    def value(self, depth=0):
        r = self.random
        kind = r.randrange(6)
        if kind == 0 and depth < 3:
            return [self.value(depth + 1) for _ in range(r.randint(0, 3))]
        if kind == 1 and depth < 2:
            return {"data": [self.object() for _ in range(r.randint(1, 5))], "meta": {"id": self.id()}}
        if kind == 2:
            return {r.choice(["ids", "key_ids", "app keys"]): self.ids(), "n": 1}
        if kind == 3:
            return self.id()
        return self.object()

    def json(self):
        """The list, and the ids in the places of keys as Python reads them."""
        r = self.random
        values = [[self.value() for _ in range(r.randint(1, 6))] if r.random() < 0.7 else self.object()
                  for _ in range(r.randint(1, 3))]
        indent = r.choice([None, None, 0, 2])
        separators = r.choice([None, (",", ":")]) if indent is None else None
        text = "\n".join(json.dumps(v, indent=indent, separators=separators, ensure_ascii=r.random() < 0.5) for v in values)
        return text + r.choice(["\n", ""]), keys_in(text)

    def damaged(self, text):
        """`text` with one byte removed, added or changed."""
        r = self.random
        data = bytearray(text.encode())
        place = r.randrange(len(data))
        kind = r.randrange(3)
        if kind == 0:
            del data[place]
        elif kind == 1:
            data.insert(place, r.choice(b"\"{}[],:\\\n\r#;| "))
        else:
            data[place] = r.choice(b"\"{}[],:\\\n\r#;| x")
        return bytes(data)


def keys_in(text):
    """The keys in JSON values one after another. Throws ValueError for anything else."""
    found = []
    rest, decoder = text, json.JSONDecoder()
    while rest.strip():
        value, end = decoder.raw_decode(rest.lstrip())
        rest = rest.lstrip()[end:]
        found += keys_of(value)
    return found


def keys_of(value):
    """What the contract says is a key in a JSON value."""
    if isinstance(value, str):
        return [value] if UUID.fullmatch(value) else []
    if isinstance(value, list):
        return [key for element in value for key in keys_of(element)]
    if not isinstance(value, dict):
        return []
    if isinstance(value.get("data"), list):
        return [key for element in value["data"] for key in keys_of(element)]
    is_other = value.get("type", "application_keys") != "application_keys"
    for meaning in NAMES[:2]:
        for name in SPELLINGS[meaning]:
            if value.get(name) is not None:
                is_key = isinstance(value[name], str) and (meaning == "app_key_id" or not is_other)
                return keys_of(value[name]) if is_key else []
    # Of these, neither is more specific.
    both = [value[name] for meaning in NAMES[2:] for name in SPELLINGS[meaning] if value.get(name) is not None]
    if both:
        ids = {id_.lower() for id_ in both if isinstance(id_, str) and UUID.fullmatch(id_)}
        return list(ids) if len(ids) == 1 and not is_other else []
    if any(name in value for name in ("ids", "key_ids", "app keys")):
        return keys_of(next(v for v in value.values() if isinstance(v, list)))
    return []


def registered(place, name):
    try:
        return [row[0] for row in place.results(name)]
    except FileNotFoundError:
        return []


def main():
    binary = os.path.abspath(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 13
    lists = {}
    for number in range(count):
        is_damaged = number % 4 >= 2
        maker = Maker(seed * 1_000_003 + number, has_one_name=is_damaged)
        text, keys = maker.csv(not is_damaged) if number % 2 else maker.json()
        data = maker.damaged(text) if is_damaged else text.encode()
        if is_damaged and number % 2 == 0:
            try:
                # Damage that leaves JSON whole may turn the name "type" into another: then nothing says any more what it is.
                keys += keys_in(data.decode())
            except ValueError:
                pass
        lists[f"list-{number:05}"] = (data, [key.lower() for key in keys], is_damaged)
    with Place(binary) as place:
        place.sandbox("--limit", "1000000/1s")
        os.makedirs(place.path("spool/incoming"))
        for name, (data, _, _) in lists.items():
            with open(place.path("spool/incoming/." + name), "wb") as file:
                file.write(data)
            os.rename(place.path("spool/incoming/." + name), place.path("spool/incoming/" + name))
        place.until_done(60 + count)
        wrong = stray = 0
        for name, (data, keys, is_damaged) in lists.items():
            found = registered(place, name)
            if is_damaged:
                fine = set(found) <= set(keys)
                stray += not fine
            else:
                fine = sorted(found) == sorted(set(keys))
                wrong += not fine
            if not fine:
                print(f"{name} (seed {seed}): {sorted(set(found) - set(keys))} too many, {sorted(set(keys) - set(found))} missing")
                print(data.decode(errors="replace"))
        check(f"{count - count // 2} whole lists give what Python reads in them", wrong == 0, f"{wrong} do not")
        check(f"{count // 2} damaged lists give nothing else", stray == 0, f"{stray} do")
    finish()


if __name__ == "__main__":
    main()
