"""Charts: one figure over steps as inline SVG. Knows nothing of training."""

import math
from collections.abc import Iterator, Sequence
from html import escape

WIDTH, HEIGHT = 240, 150
LEFT, RIGHT, TOP, BOTTOM = 40, 8, 10, 24  # around the plot, for the numbers of the axes
MAX_POINTS = 240  # of a curve
MAX_SPOTS = 40  # places that say their number under the pointer
LOGARITHMIC = 8.0  # a figure that falls from more than this times its least is drawn so

Point = tuple[float, float]


def draw_chart(title: str, points: Sequence[Point]) -> str:
    """(steps, value) points -> a figure with its title and the last value."""
    points = [(x, y) for x, y in points if math.isfinite(y)]
    if not points:
        return ""
    first, last = points[0][1], points[-1][1]
    summary = f"{title} over steps: from {number(first)} to {number(last)}"
    caption = f"<figcaption><span>{escape(title)}</span><b>{number(last)}</b></figcaption>"
    svg = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(summary)}">'
    return f"<figure>{caption}{svg}{''.join(_marks(points))}</svg></figure>"


def _marks(points: Sequence[Point]) -> Iterator[str]:
    values = [y for _, y in points]
    falls = values[0] > values[-1] and min(values) > 0
    is_log = falls and max(values) / min(values) > LOGARITHMIC
    bend = math.log10 if is_log else float
    marks = log_ticks(min(values), max(values)) if is_log else ticks(min(values), max(values))
    low, high = bend(min([*marks, *values])), bend(max([*marks, *values]))
    end = points[-1][0] or 1

    def place(x: float, y: float) -> tuple[float, float]:
        down = (high - bend(y)) / (high - low or 1)
        across = LEFT + x / end * (WIDTH - LEFT - RIGHT)
        return round(across, 1), round(TOP + down * (HEIGHT - TOP - BOTTOM), 1)

    for mark in marks:
        y = place(0, mark)[1]
        yield f'<line class="rule" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{number(mark)}</text>'
    yield f'<text x="{LEFT}" y="{HEIGHT - 5}">0</text>'
    yield f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 5}" text-anchor="end">{end:,} steps</text>'
    path = " ".join(f"{x},{y}" for x, y in (place(*point) for point in thin(points, MAX_POINTS)))
    yield f'<polyline class="curve" points="{path}"/>'
    for x, y in thin(points, MAX_SPOTS):
        across, down = place(x, y)
        hint = f"<title>step {x:,}: {number(y)}</title>"
        yield f'<circle class="spot" cx="{across}" cy="{down}" r="5">{hint}</circle>'
    across, down = place(*points[-1])
    yield f'<circle class="end" cx="{across}" cy="{down}" r="3"/>'


def thin(points: Sequence[Point], count: int) -> list[Point]:
    """At most `count` of the points, evenly chosen, the first and the last among them."""
    if len(points) <= count:
        return list(points)
    return [points[round(i * (len(points) - 1) / (count - 1))] for i in range(count)]


def ticks(low: float, high: float) -> list[float]:
    """Three to six round numbers around a range.   0.03 .. 0.21  ->  0, 0.1, 0.2, 0.3"""
    span = (high - low) or abs(high) or 1.0
    unit = 10.0 ** math.floor(math.log10(span / 2))
    step = next(unit * k for k in (1, 2, 5, 10) if span / (unit * k) <= 4)
    start, end = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(step * i, 10) for i in range(start, max(end, start + 1) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Ones, twos and fives of every ten within a range; only ones where it is wide."""
    tens = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    wide = math.log10(high / low) > 2
    marks = [10.0**ten * k for ten in tens for k in ((1,) if wide else (1, 2, 5))]
    return [mark for mark in marks if low <= mark <= high] or [low, high]


def number(value: float) -> str:
    """A number as short as its size allows.   0.03125  ->  0.031"""
    if value and abs(value) < 0.001:
        return f"{value:.1e}"
    if float(value).is_integer() or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
