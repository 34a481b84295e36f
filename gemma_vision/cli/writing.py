"""Writing: JSON on standard output, sentences on standard error."""

from __future__ import annotations

import json
import sys
from typing import Any

from postprocess.streams import (
    OutputError,
    ReaderGoneError,
    open_streams,
    print_line,
    print_message,
)

__all__ = [
    "OutputError",
    "ReaderGoneError",
    "complain",
    "open_streams",
    "print_json",
    "print_line",
    "print_message",
]


def print_json(value: Any, *, indent: int | None = None) -> None:
    """One JSON value on standard output, on one line unless indented, at once.

    What the output cannot take, such as a byte of a file's name that is no text, is escaped.
    """
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, indent=indent)
    print_line(text)


def complain(message: str) -> None:
    """One sentence on standard error."""
    print_message(f"gemma-vision: {message}")
