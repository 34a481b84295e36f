"""Options that somebody gave, checked against the rows of `Options`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gemma_vision.requests.options import OPTIONS, Options, options_of
from gemma_vision.requests.validation import TaskError


def check_options(options: Options) -> dict[str, Any]:
    """Every option's value as Python's own, by name; `TaskError` for the first that is none."""
    return {name: option.check(getattr(options, name)) for name, option in OPTIONS.items()}


def read_options(task: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What a program gave of a task's options, null for the default.

    `TaskError` (E_OPTION) for the name of an option that the task does not have.
    """
    known = {option.name: option for option in options_of(task)}
    if unknown := [name for name in given if name not in known]:
        message = f"{task} has no option {unknown[0]}; it has {', '.join(known)}."
        raise TaskError(message, "E_OPTION")
    return {
        name: known[name].default if value is None else known[name].check(value)
        for name, value in given.items()
    }
