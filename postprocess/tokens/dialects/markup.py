"""Markup: things between tags, as DeepSeek-VL2, Kosmos-2, Molmo, LocateAnything and others answer.

| tags | from | numbers |
|---|---|---|
| `<|ref|>cat<|/ref|><|det|>[[x0, y0, x1, y1]]<|/det|>` | DeepSeek-VL2 | 999ths |
| `<ref>cat</ref><box><x0><y0><x1><y1></box>` | LocateAnything; two numbers are a point | 1000ths |
| `<ref>cat</ref><box>(x0,y0),(x1,y1)</box>` | Qwen-VL; InternVL with `[[...]]` | 1000ths |
| `<|object_ref_start|>..<|box_start|>(x0,y0),(x1,y1)<|box_end|>` | Qwen2-VL | 1000ths |
| `<phrase>a cat</phrase><object><patch_index_0044>..</object>` | Kosmos-2 | 32 x 32 patches |
| `<point x="10.5" y="20.1" alt="cat">cat</point>` | Molmo, also `<points x1= y1= ..>` | percent |
| `<points coords="1 1 105 201">cats</points>` | Molmo 2 | 1000ths |
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

from postprocess.tokens.dialects.things import (
    THOUSANDTHS,
    About,
    Scale,
    Span,
    around,
    box_record,
    point_record,
    unread,
    yx,
)
from postprocess.tokens.language import Notice
from postprocess.tokens.record import Record

_PATCHES = 32  # a side of Kosmos-2's grid
_HALVES = Scale(2 * _PATCHES, 2 * _PATCHES, 2 * _PATCHES)  # edges lie between and inside patches
_IN_999 = Scale(999, 999, 999)
_PERCENT = Scale(100, 100, 10_000)

_NAMES = {  # a name's opening and closing tag
    "<ref>": "</ref>",
    "<|ref|>": "<|/ref|>",
    "<|object_ref_start|>": "<|object_ref_end|>",
    "<phrase>": "</phrase>",
}
_PLACES = {  # a place's opening and closing tag, and what its numbers count in
    "<box>": ("</box>", THOUSANDTHS),
    "<quad>": ("</quad>", THOUSANDTHS),
    "<|det|>": ("<|/det|>", _IN_999),
    "<|box_start|>": ("<|box_end|>", THOUSANDTHS),
    "<|point_start|>": ("<|point_end|>", THOUSANDTHS),
    "<|quad_start|>": ("<|quad_end|>", THOUSANDTHS),
    "<object>": ("</object>", _HALVES),
}
_MOLMO = re.compile(r"<points?\s[^<>]*>")
_MOLMO_ENDS = ("</point>", "</points>")
OPENINGS = frozenset({*_NAMES, *_PLACES})
CLOSINGS = frozenset({*(closing for closing, _ in _PLACES.values()), *_MOLMO_ENDS})

_ATTRIBUTE = re.compile(r"(\w+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_COORDINATE = re.compile(r"([xy])(\d*)")
_NUMBERS = re.compile(r"[-+]?\d+\.?\d*")
_GROUP = re.compile(r"[\[(]([^\[\]()]*)[\])]")
_PATCH = re.compile(r"<patch_index_(\d{1,4})>")
_NONE = re.compile(r"\s*(?:none|null)?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Marked:
    """What is between an opening and a closing tag: the records, and the name that they have."""

    records: list[Record]
    label: str


def is_opening(tag: str) -> bool:
    """Whether a thing may begin with this tag."""
    return tag in OPENINGS or bool(_MOLMO.fullmatch(tag))


def read_marked(text: str, start: int, label: str, notices: list[Notice]) -> Marked | None:
    """What the text from an opening to a closing tag says; None where the two do not belong.

    label: the name of the place before, for another place of the same.
    """
    span = (start, start + len(text))
    opening = text[: text.find(">") + 1]
    if _MOLMO.fullmatch(opening):
        return _read_molmo(opening, text[len(opening) :], span, notices)
    if opening in _NAMES:
        name, _, text = text[len(opening) :].partition(_NAMES[opening])
        label = name.strip()
        opening = next((tag for tag in _PLACES if text.lstrip().startswith(tag)), "")
    if opening not in _PLACES:
        return None
    ending, scale = _PLACES[opening]
    body = text.strip().removeprefix(opening)
    if not body.endswith(ending):
        return None
    return Marked(_places(body.removesuffix(ending), scale, label, span, notices), label)


def _places(body: str, scale: Scale, label: str, span: Span, notices: list[Notice]) -> list[Record]:
    about = About(label)
    if scale is _HALVES:
        return [
            box_record(box, scale, span, notices, about)
            for box in _patch_boxes(body, span, notices)
        ]
    records = []
    for numbers in _lists(body):
        if len(numbers) == 2:
            records.append(point_record(yx(numbers), scale, span, notices, about))
        elif len(numbers) > 4 and len(numbers) % 2 == 0:
            records.append(box_record(yx(around(numbers)), scale, span, notices, about))
        else:
            records.append(box_record(yx(numbers), scale, span, notices, about))
    if not records and not _NONE.fullmatch(body):
        unread(notices, span[0], "There are no numbers where this thing should be.")
    return records


def _lists(body: str) -> Iterator[list[float]]:
    """`[[1, 2, 3, 4], [5, 6, 7, 8]]` are two lists, `(1,2),(3,4)` and `<1><2><3><4>` one."""
    groups = [numbers for group in _GROUP.findall(body) if (numbers := _numbers(group))]
    if len(groups) > 1 and any(len(group) != 2 for group in groups):
        yield from groups
    elif numbers := _numbers(body):
        yield numbers


def _numbers(text: str) -> list[float]:
    return [float(number) for number in _NUMBERS.findall(text)]


def _patch_boxes(body: str, span: Span, notices: list[Notice]) -> Iterator[list[float]]:
    """Pairs of patches -> y0, x0, y1, x1 in half patches, as Kosmos-2's processor places them.

    The box goes from the middle of the first to the middle of the second; where both are in one
    row or column it goes around them.
    """
    for group in body.split("<delimiter_of_multi_objects/>"):
        patches = [int(patch) for patch in _PATCH.findall(group)]
        if len(patches) != 2 or max(patches) >= _PATCHES**2:
            unread(notices, span[0], "A box of Kosmos-2 needs two patches of 0..1023.")
            continue
        (y0, x0), (y1, x1) = (divmod(patch, _PATCHES) for patch in patches)
        inset = 0 if x0 == x1 or y0 == y1 else 1
        yield [2 * y0 + inset, 2 * x0 + inset, 2 * y1 + 2 - inset, 2 * x1 + 2 - inset]


def _read_molmo(opening: str, rest: str, span: Span, notices: list[Notice]) -> Marked | None:
    if not (rest.strip().endswith(_MOLMO_ENDS) or opening.endswith("/>")):
        return None
    found = {name: unescape(a or b) for name, a, b in _ATTRIBUTE.findall(opening)}
    words = unescape(rest.strip().rpartition("</")[0]).strip()
    about = About(words or found.get("alt", "").strip())
    points, scale = _coordinates(found)
    records = [point_record(point, scale, span, notices, about) for point in points]
    if not records:
        unread(notices, span[0], "This point has no place that can be read.")
    return Marked(records, about.label)


def _coordinates(found: dict[str, str]) -> tuple[list[list[float]], Scale]:
    """y, x of each point, and what they count in."""
    if "coords" in found:
        return [*_coords(found["coords"])], THOUSANDTHS
    axes: dict[str, dict[str, float]] = {"x": {}, "y": {}}
    for name, value in found.items():
        match, numbers = _COORDINATE.fullmatch(name), _numbers(value)
        if match and len(numbers) == 1:
            axes[match[1]][match[2]] = numbers[0]
    both = [number for number in axes["x"] if number in axes["y"]]
    return [[axes["y"][number], axes["x"][number]] for number in both], _PERCENT


def _coords(text: str) -> Iterator[list[float]]:
    """`1 1 105 201 2 300 400`: the picture's number, then number, x, y of each point; or x, y."""
    for group in re.split(r"[;\t]", text):
        numbers = _numbers(group)
        if len(numbers) == 2:
            yield numbers[::-1]
        for k in range(2, len(numbers) - 1, 3) if len(numbers) % 3 == 1 else ():
            yield [numbers[k + 1], numbers[k]]
