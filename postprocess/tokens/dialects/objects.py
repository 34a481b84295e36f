"""Objects: JSON about things, as Gemini, PaliGemma, Qwen, Moondream and Florence-2 write it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from postprocess.tokens.dialects import florence
from postprocess.tokens.dialects.loose_json import read_loosely
from postprocess.tokens.dialects.masks import read_mask
from postprocess.tokens.dialects.things import (
    FRACTIONS,
    FRACTIONS_OF_BOX_2D,
    THOUSANDTHS,
    About,
    Scale,
    Sizes,
    Span,
    box_record,
    lists_of_numbers,
    number_of,
    numbers_of,
    pixels_of,
    point_record,
    score_of,
    unread,
    yx,
)
from postprocess.tokens.language import Notice
from postprocess.tokens.record import Record

JSON = Mapping[str, Any]

_LABELS = (
    "label", "name", "class", "class_name", "category", "object", "text_content", "text", "caption",
    "description", "title",
)  # fmt: skip
_SCORES = ("confidence", "score", "probability", "conf")
_NO_WORDS = frozenset({"mask", "id", "type", "model", "request_id", "finish_reason"})
_LISTS = (
    "objects", "boxes", "points", "detections", "instances", "items", "annotations", "predictions",
    "results", "things",
)  # fmt: skip
_SIDES = (  # the second of a pair may be the first where nothing else is said: y0, y1 and y1, y2
    ("ymin", "y_min", "top", "y0", "y1"),
    ("xmin", "x_min", "left", "x0", "x1"),
    ("ymax", "y_max", "bottom", "y2", "y1"),
    ("xmax", "x_max", "right", "x2", "x1"),
)
_CORNERS = ("y_min", "x_min", "y_max", "x_max")
_UNREADABLE = ("bbox", "box", "bounding_box", "box_3d", "bbox_3d", "keypoints", "polygon", "obb")
ABOUT_THINGS = re.compile(
    rf"""["'](?:b?box_2d|point(?:_2d)?|x_min|{"|".join(_LISTS)}|bboxes|quad_boxes)\\?["']"""
)


@dataclass
class ObjectReading:
    """What an object says: things, and words that are no label."""

    records: list[Record] = field(default_factory=list)
    words: list[str] = field(default_factory=list)


def read_object(text: str, span: Span, sizes: Sizes, notices: list[Notice]) -> ObjectReading | None:
    """What an object says, whole or cut; None when it is not about things."""
    value = read_loosely(text)
    if not isinstance(value, dict):
        return None
    for key, read in _READERS.items():
        if key in value:
            found = read(value, span, sizes, notices)
            if found is not None:
                return found
    if any(value.get(key) == [] for key in _LISTS):
        return ObjectReading(words=_words(value, ()))
    for key in _UNREADABLE:
        if lists_of_numbers(value.get(key)):
            unread(notices, span[0], f'Nobody says how "{key}" counts; it was left as words.')
            break
    return None


def words_of(text: str) -> list[str]:
    """The words of an object around others."""
    value = read_loosely(text)
    return _words(value, ()) if isinstance(value, dict) else []


def _read_box_2d(
    value: JSON, span: Span, sizes: Sizes, notices: list[Notice]
) -> ObjectReading | None:
    said = value["box_2d"]
    if said is None or said == [None] * 4:  # Gemma 4 where nothing is there
        return ObjectReading()
    if isinstance(said, dict):
        said = [next((said[key] for key in keys if key in said), None) for keys in _SIDES]
    lists = lists_of_numbers(said)
    if lists == [[0, 0, 0, 0]]:
        unread(notices, span[0], "A box of four zeros means that nothing was found.")
        return ObjectReading()
    is_in_fractions = bool(lists) and all(_are_fractions(one) for one in lists)
    scale = FRACTIONS_OF_BOX_2D if is_in_fractions else THOUSANDTHS
    return _boxes(value, lists, scale, span, notices)


def _read_bbox_2d(
    value: JSON, span: Span, sizes: Sizes, notices: list[Notice]
) -> ObjectReading | None:
    lists = [yx(one) for one in lists_of_numbers(value["bbox_2d"])]
    scale = _input_scale(lists, sizes, span, notices)
    return ObjectReading() if scale is None else _boxes(value, lists, scale, span, notices)


def _read_corners(
    value: JSON, span: Span, sizes: Sizes, notices: list[Notice]
) -> ObjectReading | None:
    corners = [number_of(value.get(key)) for key in _CORNERS]
    numbers = [corner for corner in corners if corner is not None]
    if len(numbers) < len(_CORNERS) or max(numbers) > 2:
        unread(notices, span[0], "A box needs four corners in shares of the picture.")
        return ObjectReading()
    return _boxes(value, [numbers], FRACTIONS, span, notices)


def _read_x_and_y(
    value: JSON, span: Span, sizes: Sizes, notices: list[Notice]
) -> ObjectReading | None:
    """Moondream's points; anything may have an x and a y, so these must be shares alone."""
    numbers = [number_of(value.get(key)) for key in ("y", "x")]
    shares = [number for number in numbers if number is not None and 0 <= number <= 1]
    return _points(value, [shares], FRACTIONS, span, notices) if len(shares) == 2 else None


def _read_point(
    value: JSON, span: Span, sizes: Sizes, notices: list[Notice]
) -> ObjectReading | None:
    return _points(value, lists_of_numbers(value["point"]), THOUSANDTHS, span, notices)


def _read_point_2d(
    value: JSON, span: Span, sizes: Sizes, notices: list[Notice]
) -> ObjectReading | None:
    lists = [yx(one) for one in lists_of_numbers(value["point_2d"])]
    scale = _input_scale(lists, sizes, span, notices)
    return ObjectReading() if scale is None else _points(value, lists, scale, span, notices)


def _read_florence(
    value: JSON, span: Span, sizes: Sizes, notices: list[Notice]
) -> ObjectReading | None:
    things = florence.things_of(value)
    if things is None:
        return None
    if sizes.picture is None:
        if things:
            said = "These boxes count in pixels of the picture; say its size to have them read."
            unread(notices, span[0], said)
        return ObjectReading()
    scale = pixels_of(sizes.picture)
    return ObjectReading([florence.record(thing, scale, span, notices) for thing in things])


Reader = Callable[[JSON, Span, Sizes, list[Notice]], ObjectReading | None]
_READERS: dict[str, Reader] = {
    "box_2d": _read_box_2d,  # Gemini, PaliGemma 2, Gemma 3: y0, x0, y1, x1
    "bbox_2d": _read_bbox_2d,  # Qwen2.5-VL, Qwen3-VL: x0, y0, x1, y1
    "x_min": _read_corners,  # Moondream
    "point": _read_point,  # Gemini, Gemma: y, x
    "point_2d": _read_point_2d,  # Qwen: x, y
    "x": _read_x_and_y,  # Moondream
    "bboxes": _read_florence,
    "quad_boxes": _read_florence,
    "polygons": _read_florence,
}


def _input_scale(
    lists: list[list[float]], sizes: Sizes, span: Span, notices: list[Notice]
) -> Scale | None:
    """Thousandths, as Qwen3-VL counts, unless it is known which pixels Qwen2.5-VL saw."""
    if sizes.input is not None:
        return pixels_of(sizes.input)
    if any(number > THOUSANDTHS.units for one in lists for number in one):
        said = "These numbers are pixels of a resized picture; give its size as input_size."
        unread(notices, span[0], said)
        return None
    return THOUSANDTHS


def _are_fractions(numbers: list[float]) -> bool:
    """Whether a box counts in shares of the sides: in thousandths it would be next to nothing."""
    if len(numbers) != 4 or not all(0 <= number <= 1 for number in numbers):
        return False
    return numbers[0] < numbers[2] and numbers[1] < numbers[3]


def _boxes(
    value: JSON, lists: list[list[float]], scale: Scale, span: Span, notices: list[Notice]
) -> ObjectReading | None:
    if not lists:
        return None
    about, words = _about(value, scale, span, notices)
    return ObjectReading([box_record(one, scale, span, notices, about) for one in lists], words)


def _points(
    value: JSON, lists: list[list[float]], scale: Scale, span: Span, notices: list[Notice]
) -> ObjectReading | None:
    if not lists or any(len(one) != 2 for one in lists):
        return None
    about, words = _about(value, scale, span, notices)
    return ObjectReading([point_record(one, scale, span, notices, about) for one in lists], words)


def _about(value: JSON, scale: Scale, span: Span, notices: list[Notice]) -> tuple[About, list[str]]:
    """Label, score and mask of a thing, and the words that are none of them."""
    label = next((key for key in _LABELS if _is_said(value.get(key))), "")
    score = next((score_of(value[key]) for key in _SCORES if key in value), None)
    mask = read_mask(value["mask"], scale) if value.get("mask") else ((), None)
    if mask is None:
        unread(notices, span[0], "The mask of this thing cannot be read; its box was kept.")
        mask = ((), None)
    return About(_said(value.get(label)), score, *mask), _words(value, {label, *_SCORES})


def _words(value: JSON, known: Any) -> list[str]:
    return [
        item.strip()
        for key, item in value.items()
        if key not in known and key not in _NO_WORDS and isinstance(item, str) and item.strip()
        and numbers_of(item) is None
    ]  # fmt: skip


def _is_said(item: Any) -> bool:
    return bool(_said(item))


def _said(item: Any) -> str:
    """A label that may be a number, or the first of several."""
    if isinstance(item, list) and item:
        return _said(item[0])
    if isinstance(item, bool) or not isinstance(item, str | int | float):
        return ""
    return str(item).strip()
