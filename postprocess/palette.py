"""Palette: one colour for each label, the same in every picture, answer and program.

The twenty colours stay apart for people who see no difference between red and green: seen as
protanopia or deuteranopia leaves them, any two differ by 12 or more in CIELAB. The labels of one
picture stay further apart: see `label_colors`.
"""

from collections.abc import Iterable
from functools import cache
from hashlib import blake2b
from math import dist

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

FAR = 25  # CIE76 between two labels of a picture: nobody takes one for the other

# sRGB (IEC 61966-2-1) to XYZ, and the white of D65.
_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
_WHITE = (0.95047, 1.0, 1.08883)


def label_color(label: str) -> Color:
    """The colour that a label has when no other label of the picture took it first."""
    return PALETTE[_choice(label)]


def label_colors(labels: Iterable[str]) -> dict[str, Color]:
    """Label -> colour for the labels of one picture, in the order in which they came.

    Each takes its own colour where that differs from all before it by 25 or more in CIELAB
    (CIE76), else the colour of the palette that differs the most. Up to fourteen labels differ by
    25: six pairs of the palette are nearer, so that thirteen colours bar six more at most. Two
    labels share a colour only when there are more than twenty, and one that comes later never
    changes the colour of an earlier one.
    """
    taken: dict[str, int] = {}
    for label in labels:
        if label not in taken:
            taken[label] = _far_from(set(taken.values()), _choice(label))
    return {label: PALETTE[index] for label, index in taken.items()}


def difference(one: Color, other: Color) -> float:
    """How much two colours differ to an eye: their distance in CIELAB (CIE76), 0 and up."""
    return dist(_lab(one), _lab(other))


def ink_on(color: Color) -> Color:
    """Black or white, whichever is easier to read on a colour (relative luminance, WCAG 2)."""
    red, green, blue = (_linear(channel / 255) for channel in color)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    # (L + .05) / .05 against 1.05 / (L + .05): the two contrasts are equal at L = 0.179.
    return (0, 0, 0) if luminance > 0.179 else (255, 255, 255)


def _choice(label: str) -> int:
    digest = blake2b(label.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) % len(PALETTE)


def _far_from(taken: set[int], wanted: int) -> int:
    """The wanted colour where it is far from those that are taken, else the furthest of all."""
    differences = _differences()
    nearest = [min((row[other] for other in taken), default=FAR) for row in differences]
    if nearest[wanted] >= FAR or len(taken) >= len(PALETTE):
        return wanted
    return max(range(len(PALETTE)), key=nearest.__getitem__)


@cache
def _differences() -> list[list[float]]:
    return [[difference(one, other) for other in PALETTE] for one in PALETTE]


def _lab(color: Color) -> tuple[float, float, float]:
    """CIELAB under D65 (ISO/CIE 11664-4)."""
    linear = [_linear(channel / 255) for channel in color]
    xyz = (sum(a * b for a, b in zip(row, linear, strict=True)) for row in _XYZ)
    x, y, z = (_bent(value / white) for value, white in zip(xyz, _WHITE, strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _bent(value: float) -> float:
    """The cube root, straight near black."""
    return value ** (1 / 3) if value > 216 / 24389 else value * 841 / 108 + 4 / 29


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
