"""Option: one thing that a request may say beyond picture, task and words, as the doors read it.

The rows are the fields of `Options` (options.py); what doors need beside a field is its metadata.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import Field, dataclass
from typing import Any, get_args

from gemma_vision.requests.tasks import TaskSpec
from gemma_vision.requests.validation import (
    as_choice,
    as_region,
    check_range,
    check_truth,
    plain,
)

METADATA = "option"  # the key of a field's metadata that has what `row` was given


def row(about: str, tasks: Iterable[str], **more: Any) -> dict[str, Any]:
    """The metadata of a field of `Options`; see `Option` for what may be given."""
    return {METADATA: {"about": about, "tasks": frozenset(tasks), **more}}


@dataclass(frozen=True)
class Option:
    """One option as the doors read it.

    type: bool, int, float, str, or tuple for a region. tasks: where it is offered, by name. low,
    high: the range of a number; step: of its slider. choices: the values it takes; names: what
    each is called besides. metavar: what a
    command calls its value. first: it stands before the options that every task has. late: tasks
    that had others before it came, at whose doors it stands last: calls by position keep their
    meaning.
    """

    name: str
    type: type
    default: Any
    about: str
    tasks: frozenset[str]
    is_nullable: bool = False
    low: float | None = None
    high: float | None = None
    step: float | None = None
    choices: tuple[str | int, ...] = ()
    names: tuple[str, ...] = ()
    metavar: str = ""
    first: bool = False
    late: frozenset[str] = frozenset()

    def describe(self, spec: TaskSpec | None = None) -> str:
        """What it does, in a sentence, for one task."""
        writes = f"; {spec.writes}" if spec and spec.writes else ""
        return self.about.format(writes=writes)

    def check(self, value: Any) -> Any:
        """The value as Python's own; `TaskError` (E_MAX_TOKENS, E_STYLE, ...) where it is none."""
        if value is self.default or (value is None and self.is_nullable):
            return value
        if self.type is bool:
            check_truth(self.name, value)
        elif self.type is tuple:
            return as_region(value)
        elif self.choices:
            return as_choice(self.name, value, self.choices, self.names)
        elif self.low is not None and self.high is not None:
            check_range(self.name, value, self.low, self.high, whole=self.type is int)
        return plain(value)


def read_row(one: Field[Any], hint: Any) -> Option:
    """A field of `Options` as a row."""
    kinds = [kind for kind in get_args(hint) if kind is not type(None)] or [hint]
    origin = getattr(kinds[0], "__origin__", kinds[0])
    more = dict(one.metadata[METADATA])
    more["late"] = frozenset(more.get("late", ()))
    is_nullable = type(None) in get_args(hint)
    return Option(one.name, origin, one.default, is_nullable=is_nullable, **more)
