"""Lettering: short labels on coloured pills, placed where they hide as little as possible."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from PIL import Image, ImageDraw

from postprocess.fonts import GlyphRun, clusters, runs_of
from postprocess.palette import Color, ink_on

Place = tuple[int, int, int, int]  # x0, y0, x1, y1

# The viewer's style: letters of 12 px, and the rest in proportion (components/viewer_geometry.js).
_UNIT = 0.002  # of a picture's side (the root of its area): one of the viewer's pixels
_LETTERS, _LEAST = 12, 11  # units; pixels that can still be read
_PADDING, _HIGH, _ROUND = 6 / 12, 20 / 12, 4 / 20  # of the letters' height; of the pill's

_MAX_SHARE = 0.6  # of the picture's width that a pill may take
_ELLIPSIS = "\u2026"
_MOST_LETTERS = 200
_ABOVE = 0.85  # of an emoji's height that is above the line
_RISE = 0.36  # of the letters' height, from their middle down to the line they stand on


@dataclass(frozen=True)
class Pill:
    """A label ready to draw: its letters, where they go, how high they are and their colour."""

    text: str
    place: Place
    height: int
    color: Color


class PlaceGrid:
    """Places that are taken on a picture, kept by the squares that they touch, so that what lies
    at a place is found without a look at all of them."""

    def __init__(self, step: int) -> None:
        self.step = max(1, step)
        self._taken: dict[tuple[int, int], list[tuple[int, Place]]] = {}
        self._count = 0

    def add(self, place: Place) -> None:
        for square in self._squares(place):
            self._taken.setdefault(square, []).append((self._count, place))
        self._count += 1

    def overlap(self, place: Place) -> int:
        """Pixels of it that are taken, those that are taken twice counted twice."""
        near = {one for square in self._squares(place) for one in self._taken.get(square, ())}
        return sum(_overlap(place, other) for _, other in near)

    def _squares(self, place: Place) -> Iterator[tuple[int, int]]:
        x0, y0, x1, y1 = (edge // self.step for edge in place)
        return product(range(x0, x1 + 1), range(y0, y1 + 1))


def drawing_unit(size: tuple[int, int]) -> float:
    """How many pixels of a (width, height) picture are one of the viewer's: drawn files look as
    the viewer does, whatever their size.
    """
    width, height = size
    return _UNIT * math.sqrt(width * height)


def font_size(size: tuple[int, int]) -> int:
    """A height of letters, in pixels, that reads well on a picture of this (width, height)."""
    return max(_LEAST, round(_LETTERS * drawing_unit(size)))


def arrange(
    text: str, color: Color, box: Place, size: tuple[int, int], taken: PlaceGrid | None = None
) -> Pill:
    """A pill for a box: above it if that is free, else beside its other corners.

    It takes its place among those that are taken.
    """
    height = font_size(size)
    padding = 2 * round(_PADDING * height)
    text, length = _shorten(text, height, _MAX_SHARE * size[0] - padding)
    wide, tall = round(length) + padding, round(_HIGH * height)
    places = (_within(place, size) for place in _corners(box, wide, tall))
    taken = taken or PlaceGrid(tall)
    place = _freest(places, taken)
    taken.add(place)
    return Pill(text, place, height, color)


def write_pill(drawn: Image.Image, pill: Pill) -> None:
    """Draw one onto a picture."""
    x0, y0, x1, y1 = pill.place
    picture = _picture(pill.text, pill.height, pill.color, (x1 - x0, y1 - y0))
    drawn.paste(picture, (x0, y0), picture)


def _corners(box: Place, wide: int, tall: int) -> Iterator[Place]:
    """Above and inside each corner of the box, the upper left first."""
    x0, y0, x1, y1 = box
    for x in (x0, x1 - wide):
        for y in (y0 - tall, y0, y1, y1 - tall):
            yield x, y, x + wide, y + tall


def _freest(places: Iterator[Place], taken: PlaceGrid) -> Place:
    """The first place that overlaps nothing, or else the one that overlaps the least."""
    best, least = (0, 0, 0, 0), None
    for place in places:
        overlap = taken.overlap(place)
        if overlap == 0:
            return place
        if least is None or overlap < least:
            best, least = place, overlap
    return best


def _within(place: Place, size: tuple[int, int]) -> Place:
    """Moved into the picture."""
    x0, y0, x1, y1 = place
    right = max(0, min(x0, size[0] - (x1 - x0)))
    down = max(0, min(y0, size[1] - (y1 - y0)))
    return right, down, right + x1 - x0, down + y1 - y0


def _overlap(a: Place, b: Place) -> int:
    if a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]:
        return 0
    return (min(a[2], b[2]) - max(a[0], b[0])) * (min(a[3], b[3]) - max(a[1], b[1]))


@lru_cache(maxsize=512)  # a growing answer and a film show the same labels again and again
def _shorten(text: str, height: int, width: float) -> tuple[str, float]:
    """The text as it can be drawn, or as much of it as fits, and its length in pixels."""
    text = _drawable(" ".join(text.split())[:_MOST_LETTERS], height)
    length = _length(text, height)
    if length <= width:
        return text, length
    parts = clusters(text)
    counts = range(len(parts) - 1, 0, -1)
    kept = next((k for k in counts if _length("".join(parts[:k]), height) <= width), 1)
    text = "".join(parts[:kept]).rstrip() + _ELLIPSIS
    return text, _length(text, height)


def _drawable(text: str, height: int) -> str:
    """The letters that are drawn for a text."""
    return "".join(run.text for run in runs_of(text, height))


def _length(text: str, height: int) -> float:
    return sum(run.length for run in runs_of(text, height))


@lru_cache(maxsize=512)
def _picture(text: str, height: int, color: Color, size: tuple[int, int]) -> Image.Image:
    """A pill of this (width, height), clear outside its round corners."""
    width, tall = size
    picture = Image.new("RGBA", size)
    canvas = ImageDraw.Draw(picture)
    canvas.rounded_rectangle((0, 0, width - 1, tall - 1), radius=round(_ROUND * tall), fill=color)
    runs = runs_of(text, height)
    if len(runs) == 1 and runs[0].scale == 1:
        canvas.text((width / 2, tall / 2), text, ink_on(color), runs[0].font, "mm")
        return picture
    x = (width - sum(run.length for run in runs)) / 2
    baseline = round(tall / 2 + _RISE * height)
    for run in runs:
        _write_run(picture, run, (round(x), baseline), color)
        x += run.length
    return picture


def _write_run(picture: Image.Image, run: GlyphRun, place: tuple[int, int], color: Color) -> None:
    """Draw letters of one font from a place on the line that they stand on."""
    if run.scale == 1:
        ImageDraw.Draw(picture).text(place, run.text, ink_on(color), run.font, "ls")
        return
    _, _, right, bottom = run.font.getbbox(run.text)
    drawn = Image.new("RGBA", (max(1, round(right)), max(1, round(bottom))))
    ImageDraw.Draw(drawn).text((0, 0), run.text, font=run.font, embedded_color=True)
    small = drawn.resize((max(1, round(run.length)), max(1, round(drawn.height * run.scale))))
    picture.alpha_composite(
        small, (max(place[0], 0), max(place[1] - round(0.85 * small.height), 0))
    )
