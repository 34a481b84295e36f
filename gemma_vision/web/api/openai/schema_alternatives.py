"""Schema alternatives: a client's JSON schema as the plain schemas of which a value keeps one.

References are followed; what holds beside a reference, beside alternatives and in every part of
"allOf" holds at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import islice, product
from typing import Any

from gemma_vision.web.api.openai.api_errors import ApiError
from gemma_vision.web.api.openai.schema_limits import is_same

MAX_DEPTH = 8  # of references and alternatives within one another
MAX_CHOICES = 2000  # of alternatives that hold at once
PARAM = "response_format"
JSON = Mapping[str, Any]
Count = Callable[[int], None]
LEAST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")  # of several the least holds
MOST = ("minimum", "exclusiveMinimum", "minLength", "minItems")
NUMBERS = {"number", "integer"}
NEVER: JSON = {"type": "nothing"}  # what no value keeps; counted all the same


def alternatives(schema: Any, root: JSON, count: Count, depth: int = 0) -> Iterator[JSON]:
    """What a schema may mean, one by one: at least NEVER. count: told of the work that joining is.

    {"type": "string", "anyOf": [{"const": "a"}, {"maxLength": 3}]}  ->
    {"type": "string", "const": "a"}, {"type": "string", "maxLength": 3}
    """
    if depth > MAX_DEPTH:
        raise misfit("The schema refers to itself too deeply; write it plainly.")
    if not isinstance(schema, dict):
        yield {} if schema is True else NEVER
        return
    parts = [or_never(part) for part in parts_of(schema, root, count, depth)]
    if len(parts) == 1:
        yield from parts[0]
        return
    choices, ways = [], 1
    for part in parts:
        choices.append(list(islice(part, MAX_CHOICES + 1)))
        count(len(choices[-1]))
        ways *= len(choices[-1])
        if ways > MAX_CHOICES:
            raise misfit("The schema is too intricate; write it plainly.")
    for schemas in product(*choices):
        count(sum(map(weight, schemas)))
        yield joined(schemas)


def or_never(part: Iterator[JSON]) -> Iterator[JSON]:
    """The same alternatives; NEVER where there are none, for what is passed over is counted too."""
    yield next(part, NEVER)
    yield from part


def weight(schema: JSON) -> int:
    """How much work a schema is to join: its words and what stands in them."""
    return sum(len(said) if isinstance(said, (dict, list)) else 1 for said in schema.values())


def parts_of(schema: JSON, root: JSON, count: Count, depth: int) -> Iterator[Iterator[JSON]]:
    """What holds at once: each part as its alternatives."""
    plain = dict(schema)
    if "$ref" in schema:
        yield alternatives(followed(plain.pop("$ref"), root), root, count, depth + 1)
    for word in ("anyOf", "oneOf"):
        if isinstance(schema.get(word), list):
            yield (
                inner
                for one in plain.pop(word)
                for inner in alternatives(one, root, count, depth + 1)
            )
    if isinstance(schema.get("allOf"), list):
        for one in plain.pop("allOf"):
            yield alternatives(one, root, count, depth + 1)
    kinds = plain.get("type")
    if isinstance(kinds, list):
        yield ({**plain, "type": kind} for kind in kinds)
    elif plain or not schema:
        yield iter([plain])


def joined(schemas: tuple[JSON, ...]) -> JSON:
    """One schema that says what several say; NEVER where no value keeps them all."""
    whole: dict[str, Any] = {}
    for schema in schemas:
        if schema is NEVER:
            return NEVER
        for word, said in schema.items():
            before = whole.get(word, said)
            if word in ("type", "const") and before != said and {before, said} != NUMBERS:
                return NEVER
            whole[word] = both(word, before, said)
    named, const = whole.get("enum"), whole.get("const")
    is_left = (
        named if "const" not in whole else any(is_same(const, one) for one in named or [const])
    )
    return NEVER if isinstance(named, list) and not is_left else whole


def both(word: str, one: Any, other: Any) -> Any:
    """What a word of two schemas says together."""
    if one == other:
        return one
    if word == "type":
        return "integer"  # which numbers are too
    if word == "prefixItems":
        raise misfit(f'The schema says "{word}" twice of one list; write it once.')
    kinds, join = JOINS.get(word, ((), None))
    malformed = [said for said in (one, other) if not isinstance(said, kinds)]
    return malformed[0] if malformed else join(one, other)


def join_properties(one: JSON, other: JSON) -> JSON:
    """The properties of both; of a name that both have, what both say."""
    shared = {name: {"allOf": [one[name], other[name]]} for name in one if name in other}
    return {**one, **other, **shared}


def join_named(one: list[Any], other: list[Any]) -> list[Any]:
    """The values that both lists have."""
    known = set(map(value_key, other))
    return [value for value in one if value_key(value) in known]


def value_key(value: Any) -> tuple[type | None, Any]:
    """Equal for equal values of JSON, where true is no 1."""
    if isinstance(value, (dict, list)):
        return type(value), json.dumps(value, sort_keys=True)
    return bool if isinstance(value, bool) else None, value


# The kind that a word's value has, and what two of them are together; of others the first is taken.
JOINS: Mapping[str, tuple[Any, Any]] = {
    "properties": (dict, join_properties),
    "required": (list, lambda one, other: [*one, *other]),
    "items": (dict, lambda one, other: {"allOf": [one, other]}),
    "enum": (list, join_named),
    **dict.fromkeys(LEAST, ((int, float), min)),
    **dict.fromkeys(MOST, ((int, float), max)),
}


def followed(reference: Any, root: JSON) -> Any:
    """What "#/$defs/Name" stands for; ApiError where it stands for nothing."""
    found: Any = root
    for part in str(reference).removeprefix("#").strip("/").split("/"):
        if not part:
            continue
        if not isinstance(found, dict) or part not in found:
            raise misfit("The schema refers to a part that it does not have.")
        found = found[part]
    return found


def misfit(message: str) -> ApiError:
    """The refusal of a schema."""
    return ApiError(message, "unsupported_schema", param=PARAM)
