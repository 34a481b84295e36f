"""Things: numbers, labels and scores of other models -> records of the answer language."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from postprocess.tokens.language import BOX_2D_UNITS, FINE_UNITS, DrawnMask, Notice
from postprocess.tokens.record import Record

Size = tuple[int, int]
Span = tuple[int, int]  # the first character and the one after the last

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


@dataclass(frozen=True)
class Sizes:
    """What pixels in a text count in: (width, height) of the picture, and of what a model saw."""

    picture: Size | None = None
    input: Size | None = None


@dataclass(frozen=True)
class Scale:
    """The length of a picture's sides in a dialect's numbers, and the units that they become.

    Whole units are `value / side * units`; side and units are equal where nothing is to convert.
    """

    width: float
    height: float
    units: int

    def whole(self, numbers: Sequence[float]) -> list[int]:
        """Numbers y, x, y, x ... -> whole units."""
        sides = (self.height, self.width)
        return [round(number / sides[k % 2] * self.units) for k, number in enumerate(numbers)]


THOUSANDTHS = Scale(BOX_2D_UNITS, BOX_2D_UNITS, BOX_2D_UNITS)
FRACTIONS = Scale(1, 1, FINE_UNITS)
FRACTIONS_OF_BOX_2D = Scale(1, 1, BOX_2D_UNITS)


def pixels_of(size: Size) -> Scale:
    """Pixels of a picture of this (width, height)."""
    return Scale(*size, FINE_UNITS)


@dataclass(frozen=True)
class About:
    """What a text says about a thing besides where it is."""

    label: str = ""
    score: float | None = None
    codes: tuple[int, ...] = ()
    drawn: DrawnMask | None = None


NOTHING = About()


def box_record(
    numbers: Sequence[float],
    scale: Scale,
    span: Span,
    notices: list[Notice],
    about: About = NOTHING,
) -> Record:
    """A record of positions y0, x0, y1, x1 in a dialect's numbers; four make a box."""
    record = Record(span[0], notices, scale.units, score=about.score, drawn=about.drawn)
    for position in scale.whole(numbers):
        record.add_position(position, *span)
    for code in about.codes:
        record.add_code(code, *span)
    return _labelled(record, about.label, span)


def point_record(
    numbers: Sequence[float],
    scale: Scale,
    span: Span,
    notices: list[Notice],
    about: About = NOTHING,
) -> Record:
    """A record of a point y, x in a dialect's numbers."""
    record = Record(span[0], notices, scale.units, score=about.score, is_point=True)
    for position in scale.whole(numbers):
        record.add_position(position, *span)
    return _labelled(record, about.label, span)


def unread(notices: list[Notice], start: int, said: str) -> None:
    """Say what was left out."""
    notices.append(Notice("unread", start, said))


def yx(numbers: Sequence[float]) -> list[float]:
    """x, y, x, y -> y, x, y, x; an odd one at the end stays."""
    pairs = [numbers[k : k + 2] for k in range(0, len(numbers), 2)]
    return [number for pair in pairs for number in reversed(pair)]


def numbers_of(value: Any) -> list[float] | None:
    """A flat list of finite numbers, also where they are written as text; None for all else."""
    if isinstance(value, str):
        return [float(number) for number in _NUMBER.findall(value)] or None
    if not isinstance(value, list):
        return None
    numbers = [number_of(item) for item in value]
    return [number for number in numbers if number is not None] if None not in numbers else None


def number_of(value: Any) -> float | None:
    """A finite number, also where it is written as text."""
    if isinstance(value, str):
        match = _NUMBER.fullmatch(value.strip())
        value = float(match[0]) if match else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) else None


def lists_of_numbers(value: Any) -> list[list[float]]:
    """A list of numbers, or a list of such lists, as a list of them; [] for all else."""
    numbers = numbers_of(value)
    if numbers is not None:
        return [numbers]
    if not isinstance(value, list):
        return []
    found = [numbers_of(item) for item in value]
    return [one for one in found if one is not None] if None not in found else []


def score_of(value: Any) -> float | None:
    """A share 0..1, also where it is written as text or in percent."""
    is_percent = isinstance(value, str) and value.strip().endswith("%")
    number = number_of(value.strip().rstrip("%") if isinstance(value, str) else value)
    if number is None:
        return None
    share = number / 100 if is_percent or 1 < number <= 100 else number
    return share if 0 <= share <= 1 else None


def upright_groups(numbers: Sequence[float]) -> list[Sequence[float]] | None:
    """Cut in fours; None unless each four are the corners of an upright box."""
    groups = [numbers[k : k + 4] for k in range(0, len(numbers), 4)]
    if any(len(one) != 4 or one[0] > one[2] or one[1] > one[3] for one in groups):
        return None
    return groups


def around(numbers: Sequence[float]) -> list[float]:
    """The upright box around the points of a flat list, in the same order of axes."""
    first, second = numbers[0::2], numbers[1::2]
    return [min(first), min(second), max(first), max(second)]


def rings_of(lists: Sequence[Sequence[float]], scale: Scale) -> DrawnMask | None:
    """Flat lists y, x, y, x ... -> a mask of rings; None where no list has three points."""
    rings = [
        tuple(zip(whole[0::2], whole[1::2], strict=True))
        for whole in (scale.whole(one) for one in lists)
        if len(whole) >= 6 and len(whole) % 2 == 0
    ]
    return DrawnMask(tuple(rings)) if rings else None


def _labelled(record: Record, label: str, span: Span) -> Record:
    if label.strip():
        record.add_words(" ".join(label.split()), span[0])
    record.is_exact = True
    record.end = span[1]
    return record
