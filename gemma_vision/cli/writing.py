"""Writing: JSON on standard output, sentences on standard error."""

from __future__ import annotations

import json
import sys
from typing import Any


def print_json(value: Any, *, indent: int | None = None) -> None:
    """One JSON value on standard output, on one line unless indented, at once."""
    print(json.dumps(value, ensure_ascii=False, indent=indent), flush=True)


def complain(message: str) -> None:
    """One sentence on standard error."""
    print(f"gemma-vision: {message}", file=sys.stderr, flush=True)
