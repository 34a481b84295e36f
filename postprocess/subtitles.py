"""Subtitles: words at the bottom of a picture, as films have them."""

import textwrap
import unicodedata
from dataclasses import replace

from PIL import Image

from postprocess.label_drawing import Pill, arrange, font_size, write_pill
from postprocess.palette import Color

MAX_LINES = 3
INK: Color = (24, 24, 24)  # of the pills; `ink_on` makes the letters white
NARROW = 0.58  # of the picture's width: a pill takes no more
LETTER = 0.55  # a Latin letter's average width, in heights; those of Chinese take a whole one


def write_subtitle(image: Image.Image, text: str) -> Image.Image:
    """The picture with the words on it, in three lines at most; the picture is left as it is."""
    drawn = image.copy()
    for pill in _pills(text, image.size):
        write_pill(drawn, pill)
    return drawn


def _pills(text: str, size: tuple[int, int]) -> list[Pill]:
    """One pill for each line, in the middle, above one another."""
    width, height = size
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    letter = LETTER + (1 - LETTER) * wide / max(len(text), 1)
    letters = max(8, int(NARROW * width / (letter * font_size(size))))
    lines = textwrap.wrap(text, letters, max_lines=MAX_LINES, placeholder=" \u2026")
    pills: list[Pill] = []
    bottom = height - font_size(size) // 2
    for line in reversed(lines):
        pill = arrange(line, INK, (0, 0, 0, 0), size)
        wide, tall = pill.place[2] - pill.place[0], pill.place[3] - pill.place[1]
        left = max(0, (width - wide) // 2)
        pills.append(replace(pill, place=(left, bottom - tall, left + wide, bottom)))
        bottom -= tall
    return pills
