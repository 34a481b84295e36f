"""Lettering: short labels on coloured pills, placed where they hide as little as possible."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from PIL import ImageDraw, ImageFont

from postprocess.palette import Color, ink_on

Place = tuple[int, int, int, int]  # x0, y0, x1, y1

# Pillow's own font knows Latin letters alone; for others a font of the machine is looked for.
_WIDE_FONTS = (
    "NotoSansCJK-Regular.ttc",
    "NotoSans-Regular.ttf",
    "DejaVuSans.ttf",
    "Arial Unicode.ttf",
    "msyh.ttc",
    "Arial.ttf",
)
_LAST_LATIN = "\u024f"
_MAX_SHARE = 0.6  # of the picture's width that a pill may take
_ELLIPSIS = "\u2026"

Font = ImageFont.ImageFont | ImageFont.FreeTypeFont


@dataclass(frozen=True)
class Pill:
    """A label ready to draw: its words, its place, its font and its colour."""

    text: str
    place: Place
    font: Font
    color: Color


def font_size(size: tuple[int, int]) -> int:
    """A height of letters, in pixels, that reads well on a picture of this (width, height)."""
    width, height = size
    return max(11, round(0.024 * math.sqrt(width * height)))


def arrange(
    text: str, color: Color, box: Place, size: tuple[int, int], others: Sequence[Pill]
) -> Pill:
    """A pill for a box: above it if that is free, else beside its other corners."""
    height = font_size(size)
    font = _font(height, any(letter > _LAST_LATIN for letter in text))
    text = _shorten(text, font, _MAX_SHARE * size[0] - height)
    wide = round(font.getlength(text)) + round(0.7 * height)
    tall = round(1.45 * height)
    places = [_within(place, size) for place in _corners(box, wide, tall)]
    best = min(places, key=lambda place: sum(_overlap(place, pill.place) for pill in others))
    return Pill(text, best, font, color)


def write_pill(canvas: ImageDraw.ImageDraw, pill: Pill) -> None:
    """Draw one."""
    x0, y0, x1, y1 = pill.place
    canvas.rounded_rectangle((x0, y0, x1 - 1, y1 - 1), radius=(y1 - y0) // 4, fill=pill.color)
    middle = ((x0 + x1) / 2, (y0 + y1) / 2)
    canvas.text(middle, pill.text, font=pill.font, fill=ink_on(pill.color), anchor="mm")


def _corners(box: Place, wide: int, tall: int) -> Iterator[Place]:
    """Above and inside each corner of the box, the upper left first."""
    x0, y0, x1, y1 = box
    for x in (x0, x1 - wide):
        for y in (y0 - tall, y0, y1, y1 - tall):
            yield x, y, x + wide, y + tall


def _within(place: Place, size: tuple[int, int]) -> Place:
    """Moved into the picture."""
    x0, y0, x1, y1 = place
    right = max(0, min(x0, size[0] - (x1 - x0)))
    down = max(0, min(y0, size[1] - (y1 - y0)))
    return right, down, right + x1 - x0, down + y1 - y0


def _overlap(a: Place, b: Place) -> int:
    wide = min(a[2], b[2]) - max(a[0], b[0])
    tall = min(a[3], b[3]) - max(a[1], b[1])
    return max(wide, 0) * max(tall, 0)


def _shorten(text: str, font: Font, width: float) -> str:
    """The text, or as much of it as fits."""
    text = " ".join(text.split())[:200]
    if font.getlength(text) <= width:
        return text
    kept = next((k for k in range(len(text) - 1, 0, -1) if font.getlength(text[:k]) <= width), 1)
    return text[:kept].rstrip() + _ELLIPSIS


@lru_cache(maxsize=32)
def _font(height: int, is_wide: bool) -> Font:
    for name in _WIDE_FONTS if is_wide else ():
        try:
            return ImageFont.truetype(name, height)
        except OSError:
            continue
    return ImageFont.load_default(height)
