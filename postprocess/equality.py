"""Equality: whether two objects hold the same, arrays and pictures included. Knows neither."""

from __future__ import annotations

from dataclasses import fields
from typing import Any


class EqualByFields:
    """What a dataclass inherits whose fields hold arrays, lists or pictures.

    Made with `eq=False`, for what `dataclass` writes asks an array whether it is true, and hashes
    what has no hash. Fields with `compare=False` do not count.
    """

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(map(is_same, compared(self), compared(other)))

    def __hash__(self) -> int:
        """Of the words alone: every other value may be one that has no hash."""
        return hash(tuple(value for value in compared(self) if isinstance(value, str)))


def compared(value: Any) -> list[Any]:
    """What the fields of a dataclass hold, those that count."""
    return [getattr(value, one.name) for one in fields(value) if one.compare]


def is_same(one: Any, other: Any) -> bool:
    """Whether two values are equal; arrays and tensors are where all their numbers are."""
    if one is other:
        return True
    if getattr(one, "shape", None) != getattr(other, "shape", None):
        return False
    if isinstance(one, (list, tuple)) and type(one) is type(other):
        return len(one) == len(other) and all(map(is_same, one, other))
    equal = one == other
    return bool(equal.all() if hasattr(equal, "all") else equal)
