"""Argument kinds: slips of whoever calls a function, told in a sentence and not deep within it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

T = TypeVar("T")
Explain = Callable[[str], Exception]


def check_kind(value: Any, kind: type | tuple[type, ...], wanted: str, error: Explain) -> None:
    """Refuse a value of another kind. wanted: what to give instead, as a part of a sentence."""
    if not isinstance(value, kind):
        raise error(f"{named(value)} came; give {wanted}.")


def as_list(values: Iterable[T], kind: type[T], made_by: str, error: Explain) -> list[T]:
    """Values as a list; the error where they are not all of a kind.

    made_by: what gives such a list, for the sentence.
    """
    name = f"{kind.__name__}s"
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise error(f"{named(values)} is no list of {name}; give what {made_by} gives.")
    listed = list(values)
    for one in listed:
        if not isinstance(one, kind):
            raise error(f"The list of {name} has {named(one)}; give what {made_by} gives.")
    return listed


def check_pixels(size: Any, error: Explain) -> None:
    """Refuse what is no (width, height) of a picture with pixels."""
    sides = size if isinstance(size, (tuple, list)) else ()
    if len(sides) != 2 or not all(is_number(side) for side in sides):
        raise error(f"{size!r} is no size; give (width, height) in pixels, as image.size is.")
    if not all(math.isfinite(side) and side >= 1 for side in sides):
        raise error(f"The picture is {sides[0]} x {sides[1]}; it needs at least 1 x 1 pixels.")


def is_number(value: Any) -> bool:
    """Whether a value counts something, as those of numpy do too."""
    return hasattr(value, "__float__") and not isinstance(value, (bool, str))


def named(value: Any) -> str:
    """What a value is called in a sentence: None, a str."""
    return "None" if value is None else with_article(type(value).__name__)


def with_article(name: str) -> str:
    """Mention, Instance  ->  a Mention, an Instance."""
    return f"{'an' if name[0] in 'AEIOaeio' else 'a'} {name}"
