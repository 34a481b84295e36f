"""Option arguments: the options of a task as arguments of a command, made from their rows."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any

from gemma_vision.requests.option import Option
from gemma_vision.requests.options import OPTIONS, options_of
from gemma_vision.requests.tasks import TASKS
from gemma_vision.requests.validation import TaskError, read_region
from postprocess.command_parser import CommandParser, UsageError


def add_options(parser: CommandParser, *tasks: str) -> None:
    """Every option that one of these tasks has."""
    for option in offered(tasks):
        add_option(parser, option, TASKS.get(tasks[0]) if len(tasks) == 1 else None)


def offered(tasks: Iterable[str]) -> list[Option]:
    """The options of these tasks, each once, in the order of the table."""
    names = {option.name for task in tasks for option in options_of(task)}
    return [option for name, option in OPTIONS.items() if name in names]


def add_option(parser: CommandParser, option: Option, spec: Any = None) -> None:
    """--max-tokens N, --drop-repeats, ... with the sentence of the row."""
    flag, about = flag_of(option.name), option.describe(spec).rstrip(".").replace("null", "default")
    about = f"{about[:1].lower()}{about[1:]}".replace("%", "%%")
    if option.type is bool:
        # what may be null is yes, no, or neither
        action: Any = argparse.BooleanOptionalAction if option.is_nullable else "store_true"
        parser.add_argument(flag, action=action, default=option.default, help=about)
        return
    if option.default is not None:
        about = f"{about} (default: {option.default})"
    parser.add_argument(
        flag,
        type=str if option.type is tuple else option.type,
        default=option.default,
        metavar=option.metavar or ("NAME" if option.choices else "N"),
        help=about,
    )


def given_options(task: str, given: argparse.Namespace) -> dict[str, Any]:
    """What the command line says of a task's options; a command for several tasks has more."""
    values = {option.name: getattr(given, option.name) for option in options_of(task)}
    regions = [option.name for option in options_of(task) if option.type is tuple]
    return values | {name: read_region(values[name] or "") for name in regions}


def check_ranges(given: argparse.Namespace) -> None:
    """Refuse values out of their ranges in whatever command, named as they were typed."""
    for option in OPTIONS.values():
        value = getattr(given, option.name, None)
        if value is None or option.type is tuple:
            continue
        try:
            option.check(value)
        except TaskError as error:
            sentence = str(error).replace(f"{option.name} is", f"{flag_of(option.name)} is", 1)
            raise UsageError(sentence, error.code) from None


def flag_of(name: str) -> str:
    """max_tokens  ->  --max-tokens"""
    return f"--{name.replace('_', '-')}"
