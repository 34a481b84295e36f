"""Schema projection: an answer's JSON in the form that a client's JSON schema asks for.

The answer has a schema of its own; a client's may leave out and put in another order what it holds.
What the answer does not have, a schema cannot ask for: that is refused before anything is decoded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict

from gemma_vision.requests.validation import excerpt
from gemma_vision.web.api.openai.schema_alternatives import NEVER, alternatives, misfit
from gemma_vision.web.api.openai.schema_limits import (
    LimitError,
    broken_limit,
    check_limits,
    may_hold,
)
from gemma_vision.web.api.schema import AnswerJSON

MAX_BYTES = 64 * 2**10  # of a schema
MAX_STEPS = 2000  # of a comparison: schemas may be written so that it never ends
KINDS: Mapping[Any, str] = {
    dict: "object",
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    NoneType: "null",
}
JSON = Mapping[str, Any]


@cache
def answer_schema() -> dict[str, Any]:
    """The JSON schema of an answer, made from its type."""
    return schema_of(AnswerJSON)


def schema_of(hint: Any) -> dict[str, Any]:
    """The JSON schema of a type: objects, lists, plain values and what may be null."""
    if is_typeddict(hint):
        hints = get_type_hints(hint)
        return {
            "type": "object",
            "properties": {name: schema_of(one) for name, one in hints.items()},
        }
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is list:
        return {"type": "array", "items": schema_of(arguments[0])}
    if origin in (Union, UnionType):
        return {"anyOf": [schema_of(one) for one in arguments]}
    return {"type": KINDS[origin or hint]}


class SchemaProjection:
    """A client's schema, checked against the answer's own; ApiError where it does not fit."""

    def __init__(self, schema: Any) -> None:
        if not isinstance(schema, dict) or len(json.dumps(schema)) > MAX_BYTES:
            raise misfit(f"The schema has to be an object of at most {MAX_BYTES // 1024} KiB.")
        self._root = schema
        self._own = answer_schema()
        self._steps = 0
        if not self._fits(schema, self._own):
            known = self._own["properties"]
            inner = known["instances"]["items"]["properties"]
            raise misfit(
                "The schema asks for what an answer does not have. It is an object of "
                f"{', '.join(known)}; instances have {', '.join(inner)}."
            )

    def project(self, answer: JSON) -> Any:
        """What the schema asks for of an answer; ApiError where this one has no value for it."""
        self._steps = 0
        return self._project(answer, self._root, "answer")

    def _fits(self, wanted: Any, own: JSON) -> bool:
        """Whether values of one's own schema can be told as the wanted one has them."""
        self._count()
        kinds = list(alternatives(own, self._own, self._count))
        found = list(self._alternatives(wanted))
        for one in found:
            try:
                check_limits(one)
            except LimitError as error:
                raise misfit(str(error)) from None
        return any(
            fits_kind(one, kind)
            and may_hold(one, partial(takes, kind))
            and self._fits_inside(one, kind)
            for one in found
            for kind in kinds
        )

    def _fits_inside(self, wanted: JSON, own: JSON) -> bool:
        if "properties" in own and "properties" in wanted:
            known = own["properties"]
            properties = properties_of(wanted)
            required = wanted.get("required")
            needed = required if isinstance(required, list) else []
            return all(name in known for name in needed) and all(
                self._fits(one, known[name]) for name, one in properties.items() if name in known
            )
        if "items" in own:
            return all(self._fits(one, own["items"]) for one in item_schemas(wanted))
        return True

    def _project(self, value: Any, wanted: Any, where: str) -> Any:
        self._count()
        kinds = [one for one in self._alternatives(wanted) if takes(one, value)]
        if not kinds:
            raise misfit(f"This answer has no value of that kind for {where}.")
        told = [(one, as_kind(one, value)) for one in kinds]
        broken = [broken_limit(*one) for one in told]
        if all(broken):
            raise misfit(
                f"{where} is {excerpt(told[0][1])}, and the schema wants {broken[0]}; ask for "
                "nothing else, or let the schema take more."
            )
        one, value = told[broken.index("")]
        if isinstance(value, dict) and "properties" in one:
            return {
                name: self._project(value[name], inner, f"{where}.{name}")
                for name, inner in properties_of(one).items()
                if name in value
            }
        if isinstance(value, list):
            return [
                self._project(item, item_schema(one, n), f"{where}[{n}]")
                for n, item in enumerate(value)
            ]
        return value

    def _alternatives(self, wanted: Any) -> Iterator[JSON]:
        for one in alternatives(wanted, self._root, self._count):
            self._count()
            if one is not NEVER:
                yield one

    def _count(self, steps: int = 1) -> None:
        self._steps += steps
        if self._steps > MAX_STEPS * 100:
            raise misfit("The schema is too intricate; write it plainly.")


def properties_of(schema: JSON) -> dict[str, Any]:
    """The properties of an object's schema."""
    properties = schema.get("properties")
    return properties if isinstance(properties, dict) else {}


def item_schemas(schema: JSON) -> list[Any]:
    """All that a list's schema says of its items: of the first ones by place, of the others."""
    first = schema.get("prefixItems")
    first = first if isinstance(first, list) else []
    return [*first, *([schema["items"]] if schema.get("items") else [])]


def item_schema(schema: JSON, index: int) -> Any:
    """What a list's schema says of the item at a place; nothing of items that it is silent on."""
    first = schema.get("prefixItems")
    if isinstance(first, list) and index < len(first):
        return first[index]
    return schema.get("items") or {}


def as_kind(schema: JSON, value: Any) -> Any:
    """A value as a schema's kind has it: rounded where whole numbers are asked for."""
    is_rounded = schema.get("type") == "integer" and isinstance(value, float)
    return round(value) if is_rounded else value


def fits_kind(wanted: JSON, own: JSON) -> bool:
    """Whether a kind of value may be told as another; numbers as whole ones, which rounds them."""
    kinds = (wanted.get("type"), own.get("type"))
    numbers = ("number", "integer")
    return None in kinds or kinds[0] == kinds[1] or all(kind in numbers for kind in kinds)


def takes(schema: JSON, value: Any) -> bool:
    """Whether a schema's kind is that of a value."""
    kinds: dict[str, tuple[type, ...]] = {
        "object": (dict,),
        "array": (list,),
        "string": (str,),
        "number": (int, float),
        "integer": (int, float),
        "boolean": (bool,),
        "null": (type(None),),
    }
    kind = schema.get("type")
    if not isinstance(kind, str):
        return True
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, kinds.get(kind, ()))
