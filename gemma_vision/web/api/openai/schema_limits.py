"""Schema limits: what a client's JSON schema says of single values, and whether an answer keeps it.

What cannot be looked at here is refused before anything is decoded, for a client takes it as kept.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping
from typing import Any

from postprocess.errors import UserError

JSON = Mapping[str, Any]
Number = int | float
Test = Callable[[Any, Any], bool]

# Keyword: what it is about, the test of a value against the limit, and how the limit is told.
LIMITS: Mapping[str, tuple[tuple[type, ...], Test, str]] = {
    "minimum": ((int, float), operator.ge, "at least {}"),
    "maximum": ((int, float), operator.le, "at most {}"),
    "exclusiveMinimum": ((int, float), operator.gt, "more than {}"),
    "exclusiveMaximum": ((int, float), operator.lt, "less than {}"),
    "minLength": ((str,), lambda text, limit: len(text) >= limit, "{} or more characters"),
    "maxLength": ((str,), lambda text, limit: len(text) <= limit, "at most {} characters"),
    "minItems": ((list,), lambda items, limit: len(items) >= limit, "{} or more items"),
    "maxItems": ((list,), lambda items, limit: len(items) <= limit, "at most {} items"),
}
UNKNOWN = (
    "contains",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "if",
    "multipleOf",
    "not",
    "pattern",
    "patternProperties",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "uniqueItems",
)
SHOWN = 200  # characters of what is wanted, in a sentence


class LimitError(UserError):
    """A schema with a word that cannot be kept; the message says which."""


def check_limits(schema: JSON) -> None:
    """LimitError for words of a schema that cannot be kept, and for limits that are none."""
    for name in UNKNOWN:
        if name in schema:
            raise LimitError(
                f'The schema says "{name}", which is not looked at here; leave it out, and take '
                f"enum, const, {', '.join(LIMITS)} instead."
            )
    if "enum" in schema and not (isinstance(schema["enum"], list) and schema["enum"]):
        raise LimitError('The schema\'s "enum" has to be a list of values; list what may be told.')
    for name in LIMITS:
        if name in schema and not is_number(schema[name]):
            raise LimitError(f'The schema\'s "{name}" has to be a number; write one.')


def may_hold(schema: JSON, is_told: Callable[[Any], bool]) -> bool:
    """Whether one of the values that a schema names, if it names any, could be told."""
    named = named_values(schema)
    return named is None or any(map(is_told, named))


def broken_limit(schema: JSON, value: Any) -> str:
    """What a schema wants that a value is not; "" where it is all that is wanted.

    {"enum": ["cat", "dog"]}, "bird"  ->  'one of "cat", "dog"'
    """
    named = named_values(schema)
    if named is not None and not any(is_same(one, value) for one in named):
        listed = ", ".join(json.dumps(one, ensure_ascii=False) for one in named)
        return f"one of {listed[:SHOWN]}{'...' * (len(listed) > SHOWN)}"
    for name, (kinds, keeps, words) in LIMITS.items():
        is_about = isinstance(value, kinds) and not isinstance(value, bool)
        if name in schema and is_about and not keeps(value, schema[name]):
            return words.format(schema[name])
    return ""


def named_values(schema: JSON) -> list[Any] | None:
    """The values that a schema allows, where it names them; None where it names none."""
    if "const" in schema:
        return [schema["const"]]
    named: list[Any] | None = schema.get("enum")
    return named


def is_same(one: Any, other: Any) -> bool:
    """Whether two values are equal in JSON, where true is no 1."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def is_number(value: Any) -> bool:
    """Whether a value is a number in JSON."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
