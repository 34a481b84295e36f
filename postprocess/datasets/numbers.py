"""Numbers: values of files as numbers, however their programs wrote them. Nothing raises."""

import math
from collections.abc import Sequence
from typing import Any

_LONGEST = 40  # letters of a number; longer text is none
_NO = {"", "0", "0.0", "false", "no", "none", "null"}


def read_number(value: Any) -> float | None:
    """A finite number, given as one or as text; None for anything else.

    3 -> 3.0, " 2.5 " -> 2.5, "nan" -> None, True -> None
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str) and (len(value) > _LONGEST or "_" in value):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def read_whole(value: Any) -> int | None:
    """A whole number, given as one or as text.   7 -> 7, "7" -> 7, 7.0 -> 7, "7.5" -> None"""
    number = read_number(value)
    return int(number) if number is not None and number == int(number) else None


def read_numbers(values: Any) -> tuple[float, ...] | None:
    """A list of numbers; None where it is no list or one of them is none."""
    if not isinstance(values, Sequence) or isinstance(values, (str, bytes)):
        return None
    numbers = [read_number(value) for value in values]
    known = tuple(number for number in numbers if number is not None)
    return known if len(known) == len(numbers) else None


def is_true(value: Any) -> bool:
    """Whether a flag is set, as JSON has it or as a word.   1, "1", true, "true" """
    return str(value).strip().casefold() not in _NO
