"""Kosmos-2: what its processor gives, a caption and the phrases of it that are somewhere.

    ("A cat.", [("A cat", (0, 5), [(0.2, 0.3, 0.6, 0.7)])])

Boxes are x0, y0, x1, y1 in shares of the sides. Also as JSON, where tuples are lists.
"""

import re
from collections.abc import Iterator
from typing import Any

from postprocess.tokens.dialects.loose_json import read_loosely
from postprocess.tokens.dialects.things import (
    FRACTIONS,
    About,
    Span,
    box_record,
    lists_of_numbers,
    yx,
)
from postprocess.tokens.language import Notice
from postprocess.tokens.record import Record

_START = re.compile(r"\s*[(\[]\s*[\"'].*[\"']\s*,\s*[\[(]\s*[(\[]\s*[\"']", re.DOTALL)


def read_pair(text: str, start: int, notices: list[Notice]) -> tuple[str, list[Record]] | None:
    """The caption and the records of such a pair; None for any other text."""
    if not _START.match(text):
        return None
    value = read_loosely(text)
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[0], str):
        return None
    span = (start, start + len(text.rstrip()))
    return value[0], [record for entity in value[1] for record in _records(entity, span, notices)]


def _records(entity: Any, span: Span, notices: list[Notice]) -> Iterator[Record]:
    if isinstance(entity, list) and len(entity) == 3 and isinstance(entity[0], str):
        for box in lists_of_numbers(entity[2]):
            yield box_record(yx(box), FRACTIONS, span, notices, About(entity[0]))
