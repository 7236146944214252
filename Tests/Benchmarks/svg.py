"""Pictures of curves, as SVG: panels one above the other, each with its axes, one line a series."""

import math
from html import escape

COLOURS = ["#1b6ca8", "#d1495b", "#2e8b57", "#e09f3e", "#6a4c93", "#555555", "#00a5a5"]
WIDTH, HEIGHT = 760, 300
LEFT, RIGHT, TOP, BOTTOM = 80, 150, 36, 46


def picture(title, panels):
    """`panels`: dicts with `title`, `x`, `y` (labels), `series` {name: [(x, y), …]}, and optionally `log` ("x", "y", "xy")."""
    whole = 30 + HEIGHT * len(panels)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {whole}" width="{WIDTH}" height="{whole}"'
        ' font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="{LEFT}" y="22" font-size="16" font-weight="bold">{escape(title)}</text>',
    ]
    for number, panel in enumerate(panels):
        parts.append(f'<g transform="translate(0 {30 + number * HEIGHT})">{drawn(**panel)}</g>')
    return "".join(parts) + "</svg>\n"


def drawn(title, x, y, series, log=""):
    points = [point for line in series.values() for point in line]
    if not points:
        return ""
    across = Axis([p[0] for p in points], "x" in log, LEFT, WIDTH - RIGHT, from_zero=False)
    up = Axis([p[1] for p in points], "y" in log, HEIGHT - BOTTOM, TOP, from_zero=True)
    parts = [f'<text x="{LEFT}" y="{TOP - 12}" font-weight="bold">{escape(title)}</text>']
    for value in across.ticks:
        at = across.place(value)
        parts.append(f'<path d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#e5e5e5"/>')
        parts.append(f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{short(value)}</text>')
    for value in up.ticks:
        at = up.place(value)
        parts.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#e5e5e5"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{short(value)}</text>')
    middle, centre = (LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 10}" text-anchor="middle">{escape(x)}</text>')
    parts.append(f'<text transform="translate(16 {centre}) rotate(-90)" text-anchor="middle">{escape(y)}</text>')
    for number, (name, line) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{across.place(a):.1f},{up.place(b):.1f}" for a, b in line)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        if len(line) <= 40:
            parts += [f'<circle cx="{across.place(a):.1f}" cy="{up.place(b):.1f}" r="3" fill="{colour}"/>' for a, b in line]
        if len(series) > 1:
            parts.append(
                f'<text x="{WIDTH - RIGHT + 12}" y="{TOP + 12 + 18 * number}" fill="{colour}">{escape(name)}</text>')
    return "".join(parts)


class Axis:
    def __init__(self, values, is_log, start, end, from_zero):
        low, high = min(values), max(values)
        self.is_log, self.start, self.end = is_log and low > 0, start, end
        if self.is_log:
            low, high = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
            high = max(high, low + 1)
            self.ticks = [10.0**power for power in range(low, high + 1)]
        else:
            low = min(0, low) if from_zero else low
            step = round_step((high - low or abs(high) or 1) / 5)
            low, high = math.floor(low / step) * step, math.ceil((high or step) / step) * step
            self.ticks = [low + step * i for i in range(round((high - low) / step) + 1)]
        self.low, self.high = low, high if high > low else low + 1

    def place(self, value):
        if self.is_log:
            value = math.log10(value)
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def round_step(least):
    """The next of 1, 2, 5, 10 … that is not smaller."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= least * 0.999)


def short(value):
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:.6g}"
