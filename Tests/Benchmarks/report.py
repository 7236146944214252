"""What was measured: a table for people, JSON for programs, and the pictures."""

import json
import os

from harness import median


class Report:
    def __init__(self, folder):
        self.folder = folder
        self.facts, self.rows, self.curves, self.missing = {}, [], [], []
        os.makedirs(folder, exist_ok=True)

    def add(self, measure, unit, ours, beside=None, theirs=None, ratio=None, at_most=None, at_least=None):
        """One row: what keyreg took or reached in each round, and the other side.

        - ratio: the level of median by median, as ("at_least" or "at_most", bound); needs `theirs`.
        - at_most, at_least: levels of the median itself.
        """
        row = {"measure": measure, "unit": unit, "keyreg": spread(ours)}
        levels = []
        if theirs:
            row |= {"beside": beside, "theirs": spread(theirs)}
            if min(theirs) > 0:  # One that is idle may do nothing at all.
                row["ratio"] = row["keyreg"]["median"] / median(theirs)
                if len(ours) == len(theirs):
                    row["ratio_by_round"] = [a / b for a, b in zip(ours, theirs)]
            if ratio and "ratio" in row:
                levels.append((row["ratio"], *ratio, " ×"))
        elif beside:
            row["beside"] = beside
        if at_most is not None:
            levels.append((row["keyreg"]["median"], "at_most", at_most, ""))
        if at_least is not None:
            levels.append((row["keyreg"]["median"], "at_least", at_least, ""))
        if levels:
            row["level"] = " and ".join(f"{'≤' if kind == 'at_most' else '≥'} {bound:g}{sign}" for _, kind, bound, sign in levels)
            row["reached"] = all(value <= bound if kind == "at_most" else value >= bound for value, kind, bound, _ in levels)
        self.rows.append(row)
        print("   " + " | ".join(cells(row)), flush=True)

    def picture(self, name, svg, data):
        """A curve: the picture and the numbers that it shows."""
        with open(os.path.join(self.folder, name + ".svg"), "w") as file:
            file.write(svg)
        self.curves.append({"name": name, "picture": name + ".svg", "data": data})

    def write(self):
        document = self.facts | {"rows": self.rows, "curves": self.curves, "missing": self.missing}
        with open(os.path.join(self.folder, "benchmarks.json"), "w") as file:
            json.dump(document, file, indent=1, ensure_ascii=False)
            file.write("\n")

    def table(self):
        heading = ["measure", "keyreg", "beside", "ratio", "level", ""]
        rows = [heading, ["---"] * len(heading)] + [cells(row) for row in self.rows]
        widths = [max(len(row[i]) for row in rows) for i in range(len(heading))]
        return "\n".join(
            "| " + " | ".join((c if c != "---" else "-" * w).ljust(w) for c, w in zip(row, widths)) + " |" for row in rows)


def spread(values):
    return {"median": median(values), "min": min(values), "max": max(values), "values": values}


def cells(row):
    reached = {True: "reached", False: "not reached", None: ""}[row.get("reached")]
    beside = row.get("beside", "")
    if "theirs" in row:
        beside += " " + shown(row["theirs"])
    ratio = f"{row['ratio']:.3g} ×" if "ratio" in row else ""
    return [f"{row['measure']}, {row['unit']}", shown(row["keyreg"]), beside, ratio, row.get("level", ""), reached]


def shown(figures):
    if len(figures["values"]) == 1:
        return number(figures["median"])
    return f"{number(figures['median'])} ({number(figures['min'])}…{number(figures['max'])})"


def number(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
