"""Boxes of annotation files: x, y, width, height in pixels, or what programs write in their place.

Corners for sizes and shares for pixels are told from all boxes of a data set together, by their
masks where it has some, by their areas, and by whether they would lie in their pictures.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from postprocess.coordinate_conventions import Box
from postprocess.datasets.edges import SLACK
from postprocess.datasets.files import ExportError
from postprocess.datasets.notices import Notices
from postprocess.datasets.segmentations import SHARE
from postprocess.metrics import box_iou

_CLOSE = 0.01  # relative; as near as an area is to that of its box
_MOST_ASKED = 500  # masked boxes are enough to tell a convention

Values = tuple[float, float, float, float]


@dataclass(frozen=True)
class RawBox:
    """Four numbers as they were read, or None, and what else is known of the thing.

    extent: the box around its mask. area: what the file says of it.
    """

    values: Values | None
    size: tuple[int, int]
    extent: Box | None = None
    area: float | None = None
    where: str = ""


def from_sides(v: Values) -> Box:
    """x, y, width, height, as COCO has it."""
    return v[0], v[1], v[0] + v[2], v[1] + v[3]


def from_corners(v: Values) -> Box:
    """x0, y0, x1, y1, as Pascal VOC has it."""
    return v


def from_middle(v: Values) -> Box:
    """The middle, width and height, as YOLO has it."""
    return v[0] - v[2] / 2, v[1] - v[3] / 2, v[0] + v[2] / 2, v[1] + v[3] / 2


Form = Callable[[Values], Box]

_SAID = {
    from_corners: "The boxes are x0, y0, x1, y1 and were read as such; COCO has widths and heights",
    from_middle: "The boxes give their middles and were read so; COCO has their upper left corners",
}


def settle_boxes(raw: Sequence[RawBox], notices: Notices) -> list[Box | None]:
    """x0, y0, x1, y1 in pixels for each; None for one that is left out, which leaves a notice.

    A box that is missing, or has no area, is taken from the mask. Raises ExportError where most
    boxes lie outside their pictures, whichever way they are read.
    """
    is_share = are_shares(raw)
    if is_share:
        notices.add_sentence("The boxes are shares of their pictures and were read as such.")
        raw = [in_pixels(one) for one in raw]
    known = [one for one in raw if one.values]
    form = find_form(known, (from_sides, from_corners, *[from_middle] * is_share))
    if form in _SAID:
        notices.add_sentence(f"{_SAID[form]}.")
    lost = sum(share_inside(form(one.values), one.size) < 0.5 for one in known if one.values)
    if lost * 2 > len(known):
        raise ExportError(
            f"{lost} of {len(known)} boxes lie mostly outside their pictures; wanted is "
            "x, y, width, height in pixels. Correct the boxes or the sizes of the pictures."
        )
    return [settle_box(one, form, notices) for one in raw]


def settle_box(one: RawBox, form: Form, notices: Notices) -> Box | None:
    """One box within its picture, or from its mask; None where there is neither."""
    if one.values is None:
        if one.extent is None:
            notices.add("no_box", one.where)
        return one.extent
    x0, y0, x1, y1 = form(one.values)
    if x1 <= x0 or y1 <= y0:
        if one.extent is None:
            notices.add("no_area", one.where)
        return one.extent
    width, height = one.size
    if min(x0, y0) >= -SLACK and x1 <= width + SLACK and y1 <= height + SLACK:
        return x0, y0, x1, y1
    x0, y0, x1, y1 = max(x0, 0.0), max(y0, 0.0), min(x1, width), min(y1, height)
    if x1 <= x0 or y1 <= y0:
        notices.add("outside", one.where)
        return one.extent
    notices.add("clipped", one.where)
    return x0, y0, x1, y1


def are_shares(raw: Iterable[RawBox]) -> bool:
    """Whether every number is a share of a side: 0 to 1, in pictures of more than a pixel."""
    known = [one for one in raw if one.values and min(one.size) > 1]
    return bool(known) and all(0 <= v <= SHARE for one in known for v in one.values or ())


def in_pixels(one: RawBox) -> RawBox:
    """The same box, its shares multiplied by the sides."""
    if one.values is None:
        return one
    (a, b, c, d), (width, height) = one.values, one.size
    return replace(one, values=(a * width, b * height, c * width, d * height))


def find_form(known: Sequence[RawBox], forms: Sequence[Form]) -> Form:
    """How most boxes were written; the first form where nothing speaks for another."""
    masked = [one for one in known if one.extent][:_MOST_ASKED]
    if masked:
        return max(forms, key=lambda form: sum(agreement(one, form) for one in masked))
    votes = {form: sum(has_area(one, form) for one in known) for form in forms}
    if max(votes.values()) * 2 > len(known):
        return max(forms, key=lambda form: votes[form])
    outside = sum(not lies_inside(from_sides(one.values), one.size) for one in known if one.values)
    if outside * 2 < len(known) or not outside:
        return forms[0]
    fitting = (
        form
        for form in forms
        if all(lies_inside(form(one.values), one.size) for one in known if one.values)
    )
    return next(fitting, forms[0])


def agreement(one: RawBox, form: Form) -> float:
    """The IoU of a box with the one around its mask."""
    if one.values is None or one.extent is None:
        return 0.0
    return box_iou(form(one.values), one.extent)


def has_area(one: RawBox, form: Form) -> bool:
    """Whether a box has the area that the file says."""
    if one.values is None or not one.area:
        return False
    return abs(area_of(form(one.values)) - one.area) <= _CLOSE * one.area


def lies_inside(box: Box, size: tuple[int, int]) -> bool:
    """Whether a box has an area and lies in its picture."""
    (x0, y0, x1, y1), (width, height) = box, size
    is_inside = min(x0, y0) >= -SLACK and x1 <= width + SLACK and y1 <= height + SLACK
    return is_inside and x0 < x1 and y0 < y1


def share_inside(box: Box, size: tuple[int, int]) -> float:
    """How much of a box lies in its picture, 0 to 1; 1 for a box without an area."""
    (x0, y0, x1, y1), (width, height) = box, size
    whole = area_of(box)
    if whole <= 0:
        return 1.0
    return area_of((max(x0, 0), max(y0, 0), min(x1, width), min(y1, height))) / whole


def area_of(box: Box) -> float:
    """Square pixels, 0 for a box that is none."""
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)
