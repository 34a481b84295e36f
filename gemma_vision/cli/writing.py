"""Writing: JSON on standard output, sentences on standard error."""

from __future__ import annotations

import json
import sys
from typing import Any


def print_json(value: Any, *, indent: int | None = None) -> None:
    """One JSON value on standard output, on one line unless indented, at once.

    What the output cannot take, such as a byte of a file's name that is no text, is escaped.
    """
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, indent=indent)
    print(text, flush=True)


def print_message(message: str) -> None:
    """A line on standard error, escaped where that cannot take it."""
    encoding = sys.stderr.encoding or "utf-8"
    safe = message.encode(encoding, "backslashreplace").decode(encoding)
    print(safe, file=sys.stderr, flush=True)


def complain(message: str) -> None:
    """One sentence on standard error."""
    print_message(f"gemma-vision: {message}")
