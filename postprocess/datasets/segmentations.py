"""Segmentations: masks as annotation files hold them, checked before anything is drawn.

A segmentation is COCO's: a list of rings, each x, y, x, y, ... in pixels, or run-lengths
`{"size": [H, W], "counts": text or list}`. What comes out of here can be drawn by
`mask_formats.mask_from_coco` and needs no more memory than its picture.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from postprocess.coordinate_conventions import Box
from postprocess.datasets.files import ExportError
from postprocess.datasets.notices import Notices
from postprocess.datasets.numbers import read_numbers, read_whole
from postprocess.mask_formats import mask_from_coco

Segmentation = list[list[float]] | dict[str, Any]
Size = tuple[int, int]

MIN_CORNERS = 3
SHARE = 1.05  # shares of a side may be over 1 by so little
_MOST_DIGITS = 7  # of five bits each, more than any count of pixels has
_SLIVER = 4.0  # square pixels; a smaller area may cover no pixel's middle


def read_segmentation(
    value: Any, size: Size, *, scale: Sequence[float] = (1.0, 1.0), where: str, notices: Notices
) -> Segmentation | None:
    """What an annotation calls its segmentation, in a picture of (width, height).

    None where there is none, or where it is none, which leaves a notice. scale: what x and y are
    multiplied with. Raises ExportError for run-lengths of a picture of another size.
    """
    if not value:
        return None
    if isinstance(value, str):
        notices.add("bad_mask", where)
        return None
    if isinstance(value, dict):
        try:
            found = read_runs(value, size, where)
        except ExportError as error:
            notices.fault(error)
            return None
        if found is None:
            notices.add("bad_mask", where)
        return found
    rings = []
    for ring in ring_lists(value):
        corners = read_ring(ring, size, scale)
        if corners is None:
            notices.add("bad_ring", where)
        else:
            rings.append(corners)
    return rings if rings and covers_a_pixel(rings, size) else None


def as_json(value: Any) -> Any:
    """What a text says that is JSON, as tables keep lists; anything else as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def ring_lists(value: Any) -> Iterator[Any]:
    """The rings of a value: one flat list, one of pairs, or a list of either."""
    if not isinstance(value, list):
        yield value
        return
    is_flat = not any(isinstance(item, (list, dict)) for item in value)
    is_of_pairs = all(
        isinstance(item, list) and len(item) == 2 and not isinstance(item[0], list)
        for item in value
    )
    yield from [value] if is_flat or (is_of_pairs and len(value) >= MIN_CORNERS) else value


def are_ring_shares(values: Iterable[Any]) -> bool:
    """Whether the corners of all rings are shares of a side, 0 to 1, and there are some."""
    is_any = False
    for value in values:
        for ring in ring_lists(value) if isinstance(value, list) else ():
            numbers = read_numbers(flat_ring(ring)) or ()
            if not all(0 <= number <= SHARE for number in numbers):
                return False
            is_any = is_any or bool(numbers)
    return is_any


def flat_ring(ring: Any) -> Any:
    """[[x, y], [x, y], ...]  ->  [x, y, x, y, ...]; anything else as it is."""
    if isinstance(ring, list) and ring and all(isinstance(point, list) for point in ring):
        return [number for point in ring for number in point[:2]]
    return ring


def read_ring(ring: Any, size: Size, scale: Sequence[float]) -> list[float] | None:
    """x, y, x, y, ... of at least three corners; None where it is none.

    Corners far away are moved nearer, so that no line is longer than a few pictures.
    """
    numbers = read_numbers(flat_ring(ring))
    if numbers is None or len(numbers) < 2 * MIN_CORNERS or len(numbers) % 2:
        return None
    factors, sides = (scale[0], scale[1]), (float(size[0]), float(size[1]))
    return [
        min(max(number * factors[k % 2], -sides[k % 2]), 2 * sides[k % 2])
        for k, number in enumerate(numbers)
    ]


def read_runs(value: dict[str, Any], size: Size, where: str) -> Segmentation | None:
    """Run-lengths that fill a picture of (width, height) exactly; None where they do not."""
    width, height = size
    said = [read_whole(side) for side in value.get("size") or (height, width)]
    if said != [height, width]:
        if len(said) == 2 and None not in said:
            raise ExportError(
                f"The mask of {where} is {said[1]} x {said[0]}, its picture {width} x {height}. "
                "Correct the annotations."
            )
        return None
    text = value.get("counts")
    counts = read_compressed(text) if isinstance(text, str) else read_plain(text)
    if counts is None or counts.min(initial=0) < 0 or int(counts.sum()) != width * height:
        return None
    if not counts[1::2].any():
        return None
    runs = text if isinstance(text, str) else counts.tolist()
    return {"size": [height, width], "counts": runs}


def read_plain(values: Any) -> npt.NDArray[np.int64] | None:
    """Counts in a list -> (N,) int64; None where they are none."""
    numbers = read_numbers(values)
    if numbers is None or any(number != int(number) or abs(number) > 2**40 for number in numbers):
        return None
    return np.array(numbers, np.int64)


def read_compressed(text: str) -> npt.NDArray[np.int64] | None:
    """COCO's compressed counts -> (N,) int64; None where the text is cut off or something else.

    Each count is written in digits of five bits, the lowest first; a sixth bit says that another
    follows, and from the fourth count on it is the difference to the one before the last.
    """
    digits = np.array([ord(letter) - 48 for letter in text], np.int64)
    if digits.size == 0 or digits.min() < 0 or digits.max() > 63 or digits[-1] & 32:
        return None
    ends = np.flatnonzero((digits & 32) == 0)
    starts = np.r_[0, ends[:-1] + 1]
    lengths = ends - starts + 1
    if lengths.max() > _MOST_DIGITS:
        return None
    place = np.arange(digits.size) - np.repeat(starts, lengths)
    values = np.add.reduceat((digits & 31) << (5 * place), starts)
    values -= np.where(digits[ends] & 16, np.int64(1) << (5 * lengths), 0)
    values[1::2] = values[1::2].cumsum()
    values[2::2] = values[2::2].cumsum()
    return values


def extent_of(segmentation: Segmentation, size: Size) -> Box:
    """x0, y0, x1, y1 of the smallest box around a segmentation, within its picture."""
    width, height = size
    if isinstance(segmentation, dict):
        return extent_of_runs(segmentation["counts"], height)
    points = np.concatenate([np.asarray(ring).reshape(-1, 2) for ring in segmentation])
    points = points.clip(0, (width, height))
    (x0, y0), (x1, y1) = points.min(0).tolist(), points.max(0).tolist()
    return x0, y0, x1, y1


def extent_of_runs(counts: Any, height: int) -> Box:
    """The box of run-lengths, which go down the columns from left to right."""
    known = read_compressed(counts) if isinstance(counts, str) else np.asarray(counts, np.int64)
    assert known is not None, "read_runs lets only whole ones through"
    edges = known.cumsum()
    first, last = edges[:-1:2], edges[1::2] - 1
    first, last = first[last >= first], last[last >= first]
    is_high = first // height != last // height  # goes on in the next column
    y0 = 0 if is_high.any() else int((first % height).min())
    y1 = height if is_high.any() else int((last % height).max()) + 1
    return float(first[0] // height), float(y0), float(last[-1] // height + 1), float(y1)


def covers_a_pixel(rings: list[list[float]], size: Size) -> bool:
    """Whether anything is left of rings once they are drawn; only slivers are tried."""
    if any(abs(ring_area(ring)) > _SLIVER for ring in rings):
        x0, y0, x1, y1 = extent_of(rings, size)
        if x1 - x0 > 1 and y1 - y0 > 1:
            return True
    mask = mask_from_coco(rings, size)
    return mask is not None and bool(mask.any())


def ring_area(ring: Sequence[float]) -> float:
    """Twice-signed area halved, by the shoelace formula."""
    x, y = np.asarray(ring[::2]), np.asarray(ring[1::2])
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
