"""Option rows: a field of the plan that is an option at every door, and the groups of them."""

from __future__ import annotations

from dataclasses import field
from typing import Any

MINUTES, DATA, METHOD, LORA, LARGE, MODEL, OUTCOME = (
    "How long",
    "The data",
    "How it learns",
    "LoRA",
    "Large checkpoints",
    "The model",
    "What comes of it",
)


def option(
    default: Any,
    about: str,
    group: str,
    *,
    kind: type = str,
    metavar: str | None = None,
    choices: tuple[str, ...] = (),
    told: str = "",
    is_free: bool = False,
    is_many: bool = False,
) -> Any:
    """A field that is an option.

    told: the default in words, where it is None. is_free: may change when a run is gone on with.
    is_many: may be given several times, or as a list.
    """
    notes = {
        "about": about,
        "group": group,
        "kind": kind,
        "metavar": metavar,
        "choices": choices,
        "told": told,
        "is_free": is_free,
        "is_many": is_many,
    }
    return field(default=default, metadata=notes)
