"""Lettering: short labels on coloured pills, placed where they hide as little as possible."""

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from postprocess.palette import Color, ink_on

Place = tuple[int, int, int, int]  # x0, y0, x1, y1

# Pillow's own font knows ASCII alone; for other letters a font of the machine is looked for.
_WIDE_FONTS = (
    "NotoSansCJK-Regular.ttc",
    "NotoSans-Regular.ttf",
    "DejaVuSans.ttf",
    "Arial Unicode.ttf",
    "msyh.ttc",
    "Arial.ttf",
)
_NO_LETTER = "\uffff"  # every font shows its sign for a missing letter here
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
    foreign = "".join(sorted({letter for letter in text if not letter.isascii()}))
    font = _font(height, foreign)
    text = _without_accents(text) if font is _font(height, "") else text
    text, length = _shorten(text, font, _MAX_SHARE * size[0] - height)
    wide, tall = round(length) + round(0.7 * height), round(1.45 * height)
    places = (_within(place, size) for place in _corners(box, wide, tall))
    return Pill(text, _freest(places, [pill.place for pill in others]), font, color)


def write_pill(drawn: Image.Image, pill: Pill) -> None:
    """Draw one onto a picture."""
    x0, y0, x1, y1 = pill.place
    picture = _picture(pill.text, pill.font, pill.color, (x1 - x0, y1 - y0))
    drawn.paste(picture, (x0, y0), picture)


def _corners(box: Place, wide: int, tall: int) -> Iterator[Place]:
    """Above and inside each corner of the box, the upper left first."""
    x0, y0, x1, y1 = box
    for x in (x0, x1 - wide):
        for y in (y0 - tall, y0, y1, y1 - tall):
            yield x, y, x + wide, y + tall


def _freest(places: Iterator[Place], taken: Sequence[Place]) -> Place:
    """The first place that overlaps nothing, or else the one that overlaps the least."""
    best, least = (0, 0, 0, 0), None
    for place in places:
        overlap = sum(_overlap(place, other) for other in taken)
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
def _shorten(text: str, font: Font, width: float) -> tuple[str, float]:
    """The text, or as much of it as fits, and its length in pixels."""
    text = " ".join(text.split())[:200]
    length = font.getlength(text)
    if length <= width:
        return text, length
    kept = next((k for k in range(len(text) - 1, 0, -1) if font.getlength(text[:k]) <= width), 1)
    text = text[:kept].rstrip() + _ELLIPSIS
    return text, font.getlength(text)


@lru_cache(maxsize=512)
def _picture(text: str, font: Font, color: Color, size: tuple[int, int]) -> Image.Image:
    """A pill of this (width, height), clear outside its round corners."""
    width, height = size
    picture = Image.new("RGBA", size)
    canvas = ImageDraw.Draw(picture)
    canvas.rounded_rectangle((0, 0, width - 1, height - 1), radius=height // 4, fill=color)
    canvas.text((width / 2, height / 2), text, ink_on(color), font, "mm")
    return picture


@lru_cache(maxsize=64)
def _font(height: int, foreign: str) -> Font:
    """A font with these letters beyond ASCII where there is one, else Pillow's own."""
    for name in _WIDE_FONTS if foreign else ():
        try:
            font = ImageFont.truetype(name, height)
        except OSError:
            continue
        missing = bytes(font.getmask(_NO_LETTER))
        if all(bytes(font.getmask(letter)) != missing for letter in foreign):
            return font
    return _font(height, "") if foreign else ImageFont.load_default(height)


def _without_accents(text: str) -> str:
    """Accents dropped where that leaves ASCII; other scripts stay as they are."""
    letters = unicodedata.normalize("NFKD", text)
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return plain if plain.isascii() else text
