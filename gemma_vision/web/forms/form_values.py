"""Form values: what a form holds when Run is pressed, by name and as the client sent it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

V = TypeVar("V")
Options = Mapping[str, Any]


@dataclass(frozen=True)
class FormValues:
    """What most tabs ask for: an upload, a task, its words, and options by the name of their field.

    Nothing of it is checked: every value is the client's own.
    """

    upload: Any = None  # a picture, a video or some files, as `server.uploads` takes them
    task: str = ""
    words: str | None = None  # None of a field that was never on the page
    options: Options = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The words as a request takes them."""
        return "" if self.words is None else self.words


def read_form(kind: type[V], values: Mapping[str, Any]) -> V:
    """The values of a form as an object of that kind; what it has no field for is an option."""
    own = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    named = {name: value for name, value in values.items() if name in own}
    options = {name: value for name, value in values.items() if name not in own}
    make: Callable[..., V] = kind
    return make(**named, options=options)
