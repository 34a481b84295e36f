"""Shapes: masks as COCO run-lengths and as polygons, and back. H x W masks, pixels x before y."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from postprocess.errors import UserError

Mask = npt.NDArray[np.bool_]
Ring = list[list[int]]  # [[x, y], ...], closed without repeating its first point

_SPECKS = 0.02  # the share of a mask that single pixels may be to be left out
_ROWS = 512  # distances of this many points are worked out together


class ShapeError(UserError):
    """A mask that does not belong to its picture."""

    CODE = "E_MASK"


def run_lengths(mask: Mask, pixels: tuple[int, int, int, int] | None = None) -> dict[str, Any]:
    """(H, W) bool -> {"size": [H, W], "counts": str}, as pycocotools writes it.

    With `pixels`, the box that the mask lives in, only that part is looked at.
    """
    from pycocotools import mask as coco

    height, width = mask.shape
    counts = _counts(mask, _inside(pixels or extent(mask), (width, height)))
    encoded = coco.frPyObjects({"size": [height, width], "counts": counts}, height, width)
    return {"size": [height, width], "counts": encoded["counts"].decode("ascii")}


def mask_of(run_length: dict[str, Any]) -> Mask:
    """{"size": [H, W], "counts": str or list} -> (H, W) bool, the inverse of `run_lengths`."""
    from pycocotools import mask as coco

    if isinstance(run_length["counts"], list):
        run_length = coco.frPyObjects(run_length, *run_length["size"])
    return np.asarray(coco.decode(run_length)).astype(np.bool_)


def mask_from_coco(segmentation: Any, size: tuple[int, int]) -> Mask | None:
    """What a COCO annotation calls its segmentation -> (H, W) bool; size = (W, H).

    Run-lengths, compressed or not, or polygons; None where there is neither. Raises ShapeError for
    run-lengths of a picture of another size.
    """
    from pycocotools import mask as coco

    if not segmentation:
        return None
    width, height = size
    if isinstance(segmentation, list):
        segmentation = coco.merge(coco.frPyObjects(segmentation, height, width))
    if list(segmentation["size"]) != [height, width]:
        wide, high = segmentation["size"][::-1]
        raise ShapeError(
            f"A mask is {wide} x {high}, its picture {width} x {height}. Correct the annotations."
        )
    return mask_of(segmentation)


def polygons(mask: Mask, pixels: tuple[int, int, int, int] | None = None) -> list[Ring]:
    """The rings of a mask, through the centres of its outermost pixels and of those around holes.

    Outer rings and holes alike, to be filled by the even-odd rule (`fill`); the largest part comes
    first, each with its holes behind it. With `pixels` only that part is looked at.
    """
    return [ring for part in parts(mask, pixels) for ring in part]


def parts(mask: Mask, pixels: tuple[int, int, int, int] | None = None) -> list[list[Ring]]:
    """For each part of a mask its outer ring and then its holes, largest first.

    Single pixels beside something larger are left out, as long as they are next to nothing of it.
    """
    import cv2

    height, width = mask.shape
    x0, y0, x1, y1 = _inside(pixels or extent(mask), (width, height))
    if x1 <= x0 or y1 <= y0:
        return []
    inside = np.ascontiguousarray(mask[y0:y1, x0:x1]).view(np.uint8)
    found, tree = cv2.findContours(inside, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE, offset=(x0, y0))
    grouped: dict[int, list[npt.NDArray[np.int32]]] = {}
    for number, ring in enumerate(found):
        parent = int(tree[0][number][3])
        if parent < 0:
            grouped.setdefault(number, []).insert(0, ring[:, 0])
        else:
            grouped.setdefault(parent, []).append(ring[:, 0])
    ordered = sorted(grouped.values(), key=lambda part: -cv2.contourArea(part[0]))
    specks = [part for part in ordered if len(part[0]) == 1]
    most = max(1, int(_SPECKS * np.count_nonzero(inside)))
    if len(specks) < len(ordered) and len(specks) <= most:
        ordered = [part for part in ordered if len(part[0]) > 1]
    return [[ring.tolist() for ring in part] for part in ordered]


def join_rings(rings: Sequence[Sequence[Sequence[float]]]) -> list[tuple[float, float]]:
    """One ring through all of them, there and back along the shortest seam to each next one.

    A hole joined to its outer ring stays a hole under the even-odd rule.
    """
    first, *others = (np.asarray(ring, float) for ring in rings)
    joined = first
    for points in sorted(others, key=lambda ring: _nearest(first, ring)[0]):
        _, here, there = _nearest(joined, points)
        detour = np.concatenate([points[there:], points[: there + 1]])
        joined = np.concatenate([joined[: here + 1], detour, joined[here:]])
    return [(float(x), float(y)) for x, y in joined]


def _nearest(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> tuple[float, int, int]:
    """The smallest distance between points of two rings, and which ones have it."""
    best = (np.inf, 0, 0)
    for start in range(0, len(one), _ROWS):
        apart = np.linalg.norm(one[start : start + _ROWS, None] - other[None], axis=2)
        here, there = np.unravel_index(int(apart.argmin()), apart.shape)
        best = min(best, (float(apart[here, there]), start + int(here), int(there)))
    return best


def simplify(ring: npt.ArrayLike, tolerance: float) -> npt.NDArray[np.float64]:
    """(N, 2) -> (M, 2): a closed line without the points that lie within `tolerance` of it.

    Douglas and Peucker, 1973, as OpenCV has it: its last pass, which takes points out of straight
    lines, goes a quarter beyond the tolerance in rare places.
    """
    import cv2

    points = np.asarray(ring, np.float32).reshape(-1, 1, 2)
    return np.asarray(cv2.approxPolyDP(points, tolerance, closed=True)[:, 0], np.float64)


def fill(rings: Sequence[Sequence[Sequence[float]]], size: tuple[int, int]) -> Mask:
    """Rings -> the (H, W) mask of what they enclose, edges included; size = (W, H).

    By the even-odd rule: a ring within a ring is a hole.
    """
    import cv2

    canvas = np.zeros((size[1], size[0]), np.uint8)
    whole = [np.rint(np.asarray(ring, np.float64)).astype(np.int32) for ring in rings]
    if whole:
        cv2.fillPoly(canvas, [points.reshape(-1, 1, 2) for points in whole], 1)
    return canvas.astype(np.bool_)


def extent(mask: Mask) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 of the smallest box around a mask; all zero for an empty one."""
    rows = np.flatnonzero(mask.any(1))
    if len(rows) == 0:
        return 0, 0, 0, 0
    y0, y1 = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(mask[y0:y1].any(0))
    return int(columns[0]), y0, int(columns[-1]) + 1, y1


def _inside(pixels: tuple[int, int, int, int], size: tuple[int, int]) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = pixels
    return max(x0, 0), max(y0, 0), min(x1, size[0]), min(y1, size[1])


def _counts(mask: Mask, pixels: tuple[int, int, int, int]) -> list[int]:
    """Lengths of the runs outside, inside, outside ... of the mask read column by column."""
    x0, y0, x1, y1 = pixels
    height, width = mask.shape
    columns = np.zeros((max(x1 - x0, 0), max(y1 - y0, 0) + 2), np.bool_)  # a border ends each run
    columns[:, 1:-1] = mask[y0:y1, x0:x1].T
    change = columns[:, 1:] != columns[:, :-1]
    column, row = np.divmod(np.flatnonzero(change), change.shape[1])
    begins, ends = ((column + x0) * height + row + y0).reshape(-1, 2).T
    joined = begins[1:] == ends[:-1]  # a run goes on where a full column meets the next
    edges = np.stack(
        [begins[np.r_[True, ~joined][: len(begins)]], ends[np.r_[~joined, True][: len(ends)]]], 1
    )
    counts: list[int] = np.diff(np.r_[0, edges.ravel(), height * width]).tolist()
    return counts if counts[-1] else counts[:-1]
