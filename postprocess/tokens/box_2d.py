"""Boxes written as JSON, `{"box_2d": [y0, x0, y1, x1], "label": "cat"}`, in thousandths."""

import json
import math
import re
from typing import Any

from postprocess.tokens.language import BOX_2D_UNITS, Notice, Partial
from postprocess.tokens.record import Record

KEY = '"box_2d"'

_LONGEST_PREVIEW = 400  # characters looked at while an object is being written
_POSITIONS = re.compile(r'"box_2d"\s*:\s*\[([-+0-9.eE,\s]*)(\]?)')
_LABEL = re.compile(r'"label"\s*:\s*("(?:[^"\\]|\\.)*)')


def read_object(text: str, start: int, notices: list[Notice]) -> Record | None:
    """The record that a whole JSON object amounts to; None when it is not about a box."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or "box_2d" not in found:
        return None
    return _record(found["box_2d"], found.get("label"), (start, start + len(text)), notices)


def read_cut_object(text: str, start: int, notices: list[Notice]) -> Record | None:
    """The same of an object that the end of the answer cuts: its box if that is whole."""
    positions = _POSITIONS.search(text)
    if positions is None:
        return None
    numbers = _numbers(positions[1], is_whole=bool(positions[2]))
    return _record(numbers, _cut_label(text), (start, start + len(text.rstrip())), notices)


def preview(text: str, start: int) -> Partial:
    """What is known of an object being written."""
    text = text[:_LONGEST_PREVIEW]
    positions = _POSITIONS.search(text)
    numbers = _numbers(positions[1], is_whole=bool(positions[2])) if positions else []
    record = _record(numbers, _cut_label(text), (start, start), [])
    return record.partial if record else Partial("", (), (), BOX_2D_UNITS, start)


def _record(
    numbers: Any, label: Any, span: tuple[int, int], notices: list[Notice]
) -> Record | None:
    if not isinstance(numbers, list) or not all(_is_number(number) for number in numbers):
        return None
    record = Record(span[0], notices, BOX_2D_UNITS)
    for number in numbers:
        record.add_position(round(number), *span)
    if isinstance(label, str) and label.strip():
        record.add_words(" ".join(label.split()), span[0])
    record.end = span[1]
    return record


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, int) or math.isfinite(value)


def _numbers(text: str, *, is_whole: bool) -> list[float]:
    """The numbers of a list; the last one counts only when something follows it."""
    words = text.split(",")
    whole = words if is_whole else words[:-1]
    try:
        return [float(word) for word in whole]
    except ValueError:
        return []


def _cut_label(text: str) -> str:
    label = _LABEL.search(text)
    if label is None:
        return ""
    try:
        return str(json.loads(label[1] + '"'))
    except ValueError:
        return label[1][1:]
