"""Palette: one colour for each label, the same in every picture, answer and program.

The twenty colours stay apart for people who see no difference between red and green: seen as
protanopia or deuteranopia leaves them, any two differ by 12 or more in CIELAB.
"""

from collections.abc import Iterable
from hashlib import blake2b

Color = tuple[int, int, int]

PALETTE: tuple[Color, ...] = (
    (255, 140, 0),
    (64, 160, 255),
    (0, 160, 120),
    (250, 220, 50),
    (0, 90, 200),
    (225, 60, 40),
    (240, 110, 180),
    (102, 34, 255),
    (0, 238, 136),
    (170, 34, 136),
    (204, 0, 68),
    (136, 238, 102),
    (255, 170, 255),
    (68, 102, 255),
    (0, 204, 136),
    (34, 238, 204),
    (255, 68, 102),
    (170, 34, 102),
    (170, 102, 204),
    (34, 204, 34),
)


def label_color(label: str) -> Color:
    """The colour that a label has when no other label of the picture took it first."""
    return PALETTE[_choice(label)]


def label_colors(labels: Iterable[str]) -> dict[str, Color]:
    """Label -> colour for the labels of one picture, in the order in which they came.

    Two labels share a colour only when there are more than twenty, and a label that comes later
    never changes the colour of an earlier one.
    """
    taken: dict[str, int] = {}
    for label in labels:
        if label not in taken:
            taken[label] = _first_free(_choice(label), set(taken.values()))
    return {label: PALETTE[index] for label, index in taken.items()}


def ink_on(color: Color) -> Color:
    """Black or white, whichever is easier to read on a colour (relative luminance, WCAG 2)."""
    red, green, blue = (_linear(channel / 255) for channel in color)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    # (L + .05) / .05 against 1.05 / (L + .05): the two contrasts are equal at L = 0.179.
    return (0, 0, 0) if luminance > 0.179 else (255, 255, 255)


def _choice(label: str) -> int:
    digest = blake2b(label.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) % len(PALETTE)


def _first_free(wanted: int, taken: set[int]) -> int:
    places = ((wanted + step) % len(PALETTE) for step in range(len(PALETTE)))
    return next((place for place in places if place not in taken), wanted)


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
