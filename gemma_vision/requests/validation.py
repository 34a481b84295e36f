"""Validation: text, truths, numbers and regions as somebody gave them, checked at the door."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

from postprocess.argument_kinds import named
from postprocess.errors import UserError

SHAPELESS = ("Zs", "Zl", "Zp", "Cc", "Cf")  # Unicode's categories of blanks, controls and joiners
LONE_SURROGATE = re.compile("[\ud800-\udfff]")  # half of a UTF-16 pair; no encoding has it


class TaskError(UserError):
    """A request that cannot be carried out; `code` is stable, the message is one sentence."""

    CODE = "E_REQUEST"


def is_whole(value: object) -> bool:
    """Whether it is a whole number, Python's or NumPy's; True and False are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Whether it is a real number, Python's or NumPy's; True and False are none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def is_truth(value: object) -> bool:
    """Whether it is True or False, Python's or NumPy's; words and numbers are neither."""
    return isinstance(value, (bool, np.bool_))


def plain(value: Any) -> Any:
    """A truth or number as Python's own bool, int or float; anything else as it is.

    np.float32(0.5)  ->  0.5
    """
    if is_truth(value):
        return bool(value)
    if is_whole(value):
        return int(value)
    return float(value) if is_number(value) else value


def is_blank(text: str) -> bool:
    """Whether nothing of a text can be seen.   " \\u200b"  ->  True"""
    return all(unicodedata.category(one) in SHAPELESS for one in text)


def broken(text: str) -> str:
    """The first half of a character that a text holds, by its name; "" where it holds none.

    "cat \\ud800"  ->  "U+D800"
    """
    found = LONE_SURROGATE.search(text)
    return f"U+{ord(found[0]):04X}" if found else ""


def excerpt(value: object) -> str:
    """What came, for a message: on one line and not longer than one."""
    try:
        text = repr(value)
    except ValueError:  # Python prints no integer of more than 4300 digits
        return f"a {type(value).__name__} too long to print"
    return text if len(text) <= 40 else f"{text[:40]}..."


def check_string(text: str) -> None:
    """Refuse what is no string, and strings with halves of characters: no tokenizer reads them."""
    if not isinstance(text, str):
        raise TaskError(f"The text is {named(text)}; give a string.", "E_TEXT")
    if half := broken(text):
        message = f"The text holds {half}, which is half of a character; leave it out."
        raise TaskError(message, "E_TEXT")


def check_truth(name: str, value: bool) -> None:
    """`TaskError` (E_DROP_REPEATS, E_PAN_AND_SCAN, ...) unless it is True or False."""
    if not is_truth(value):
        message = f"{name} is {excerpt(value)}; it has to be true or false, without quotes."
        raise TaskError(message, f"E_{name.upper()}")


def check_range(name: str, value: float, low: float, high: float, *, whole: bool = False) -> None:
    """`TaskError` (E_MAX_TOKENS, E_SEED, ...) unless low <= value <= high."""
    is_kind = is_whole if whole else is_number
    if not is_kind(value) or not low <= value <= high:
        kind = "a whole number" if whole else "a number"
        message = f"{name} is {excerpt(value)}; it has to be {kind} from {low} to {high}."
        raise TaskError(message, f"E_{name.upper()}")


def as_choice(
    name: str, value: object, choices: Sequence[str | int], names: Sequence[str] = ()
) -> str | int:
    """One of these words or whole numbers, words in letters of any size.

    names: what each of them is called besides. `TaskError` (E_LANGUAGE, E_BUDGET, ...) for others.
    """
    said = value.strip().casefold() if isinstance(value, str) else value
    if isinstance(said, str) and said in (called := [one.casefold() for one in names]):
        return choices[called.index(said)]
    for choice in choices if isinstance(said, str) or is_whole(said) else ():
        if said == (choice.casefold() if isinstance(choice, str) else choice):
            return choice
    known = ", ".join(map(str, choices))
    raise TaskError(f"{excerpt(value)} is no {name}; take one of {known}.", f"E_{name.upper()}")


def as_region(region: Iterable[float]) -> tuple[float, ...]:
    """Four shares of the picture that have an area, as floats; `TaskError` for others."""
    edges = tuple(region) if isinstance(region, Iterable) else ()
    if len(edges) == 4 and all(map(is_number, edges)):
        x0, y0, x1, y1 = edges
        if 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1:
            return tuple(map(float, edges))
    message = f"{excerpt(region)} is no region; give x0, y0, x1, y1 from 0 to 1, x0 < x1, y0 < y1."
    raise TaskError(message, "E_REGION")


def read_region(text: str) -> tuple[float, ...] | None:
    """A part of the picture as a person writes it.   "0, 0, 0.5, 1"  ->  (0.0, 0.0, 0.5, 1.0)

    None where nothing is written.
    """
    try:
        return tuple(float(edge) for edge in text.split(",")) if text.strip() else None
    except ValueError:
        message = (
            f"{excerpt(text)} is no region; write four numbers from 0 to 1, such as 0,0,0.5,1."
        )
        raise TaskError(message, "E_REGION") from None
