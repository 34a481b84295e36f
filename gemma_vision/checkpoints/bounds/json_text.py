"""JSON text: read within bounds, so that neither depth nor digits nor length hold anybody up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MAX_BYTES = 16 * 2**20  # of a file; an index of ten thousand tensors has one megabyte
MAX_DIGITS = 20  # of a whole number


class MalformedJson(ValueError):
    """A text that is no JSON, or more of it than is read; the message says what is wrong."""


def parse_json(text: str | bytes) -> Any:
    """What a text says; MalformedJson where that cannot be read."""
    try:
        return json.loads(text, parse_int=_whole)
    except MalformedJson:
        raise
    except RecursionError as error:
        raise MalformedJson("it is nested too deeply") from error
    except ValueError as error:  # UnicodeDecodeError and JSONDecodeError among them
        raise MalformedJson(str(error)[:200]) from error


def read_json_file(path: Path) -> Any:
    """What a file says; MalformedJson where that cannot be read."""
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise MalformedJson(f"it is larger than {MAX_BYTES // 2**20} MiB")
    return parse_json(data)


def _whole(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise MalformedJson(f"it has a number of {len(digits)} digits")
    return int(digits)
