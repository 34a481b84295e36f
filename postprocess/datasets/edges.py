"""Edges: boxes and points as far as they lie in their pictures, and what is told of the rest."""

from postprocess.coordinate_conventions import Box, Point
from postprocess.datasets.annotated import within
from postprocess.datasets.notices import Notices
from postprocess.datasets.picture_files import Size
from postprocess.mask_formats import Mask, extent

SLACK = 1.5  # pixels that a box may reach out of its picture without that being told


def cut_box(
    box: Box, size: Size, where: str, notices: Notices, mask: Mask | None = None
) -> Box | None:
    """A box as far as it lies in a picture of (width, height), which is told where that is not all.

    None for one without an area there. where: what the box is of. mask: what is drawn of it, and
    gives a box to one without an area.
    """
    (x0, y0, x1, y1), (width, height) = box, size
    kept = within(box, size)
    if not (has_area(kept) if mask is None else mask.any()):
        is_outside = has_area(box) and not has_area(kept)
        notices.add("outside" if is_outside else "no_area", where)
        return None
    if min(x0, y0) < -SLACK or x1 > width + SLACK or y1 > height + SLACK:
        notices.add("clipped", where)
    if mask is not None and not has_area(kept):
        left, top, right, bottom = extent(mask)
        return float(left), float(top), float(right), float(bottom)
    return kept


def nearest_point(point: Point, size: Size, where: str, notices: Notices) -> Point:
    """The place in a picture that is nearest to a point, which is told where it is another."""
    (x, y), (width, height) = point, size
    kept = min(max(x, 0.0), float(width)), min(max(y, 0.0), float(height))
    if max(abs(x - kept[0]), abs(y - kept[1])) > SLACK:
        notices.add("moved", where)
    return kept


def has_area(box: Box) -> bool:
    """Whether there is anything in a box."""
    return box[2] > box[0] and box[3] > box[1]
