"""Florence-2: tokens behind words, `car<loc_52><loc_332><loc_932><loc_774>`, and its JSON.

Tokens count x before y in thousandths. What its processor makes of them counts in pixels of the
picture: boxes, corners of slanted boxes, and polygons, each with a list of labels beside it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from postprocess.tokens.dialects.things import (
    THOUSANDTHS,
    About,
    Scale,
    Span,
    around,
    box_record,
    lists_of_numbers,
    rings_of,
    upright_groups,
    yx,
)
from postprocess.tokens.language import Notice
from postprocess.tokens.record import Record

TOKEN = re.compile(r"<loc_(\d{1,4})>")
BETWEEN = frozenset({"<sep>", "<poly>", "</poly>"})  # of the parts of a mask
NOTHING = "No object detected."

_QUAD = 8  # numbers of a slanted box
_LABELS = {"bboxes": ("labels", "bboxes_labels"), "quad_boxes": ("labels",)}


@dataclass(frozen=True)
class FlorenceThing:
    """A box or polygons, flat lists x, y, x, y ..., and a label."""

    label: str
    lists: list[list[float]]
    is_mask: bool = False


@dataclass
class TokenRun:
    """Tokens that follow each other, the words before them, and where both begin."""

    label: str
    start: int
    end: int
    lists: list[list[float]] = field(default_factory=lambda: [[]])

    def add(self, number: int, end: int) -> None:
        """One more token."""
        self.lists[-1].append(number)
        self.end = end

    def part(self, end: int) -> None:
        """Another part of the mask begins."""
        if self.lists[-1]:
            self.lists.append([])
        self.end = end

    def records(self, notices: list[Notice]) -> list[Record]:
        """What the tokens amount to: boxes, or else a slanted box, or else a mask."""
        span = (self.start, self.end)
        lists = [one for one in self.lists if one]
        boxes = upright_groups(lists[0]) if len(lists) == 1 and len(self.lists) == 1 else None
        if boxes is not None:
            about = About(self.label)
            return [box_record(yx(one), THOUSANDTHS, span, notices, about) for one in boxes]
        is_mask = not (len(lists) == 1 and len(lists[0]) <= _QUAD)
        thing = FlorenceThing(self.label, lists, is_mask)
        return [record(thing, THOUSANDTHS, span, notices)]


def things_of(value: Mapping[str, Any]) -> list[FlorenceThing] | None:
    """The things of a processor's JSON; None where it is not of that form."""
    things: list[FlorenceThing] = []
    is_known = False
    for key, names in _LABELS.items():
        if isinstance(value.get(key), list):
            is_known = True
            lists = [lists_of_numbers(one) for one in value[key]]
            labels = _labels(value, names, len(lists))
            pairs = zip(labels, lists, strict=True)
            things += [FlorenceThing(label, one) for label, one in pairs if one]
    if isinstance(value.get("polygons"), list):
        is_known = True
        lists = [lists_of_numbers(one) for one in value["polygons"]]
        labels = _labels(value, ("polygons_labels", "labels"), len(lists))
        usable = [[part for part in one if len(part) >= 6] for one in lists]
        pairs = zip(labels, usable, strict=True)
        things += [FlorenceThing(label, one, is_mask=True) for label, one in pairs if one]
    return things if is_known else None


def record(thing: FlorenceThing, scale: Scale, span: Span, notices: list[Notice]) -> Record:
    """The record of a thing: of a mask with its rings, of a slanted box the upright one around."""
    numbers = [number for one in thing.lists for number in one]
    about = About(thing.label)
    if thing.is_mask:
        about = replace(about, drawn=rings_of([yx(one) for one in thing.lists], scale))
    is_even = len(numbers) > 4 and len(numbers) % 2 == 0
    return box_record(yx(around(numbers) if is_even else numbers), scale, span, notices, about)


def _labels(value: Mapping[str, Any], keys: tuple[str, ...], count: int) -> list[str]:
    found: list[Any] = next((value[key] for key in keys if isinstance(value.get(key), list)), [])
    labels = [str(label) for label in found[:count]]
    return labels + [""] * (count - len(labels))
