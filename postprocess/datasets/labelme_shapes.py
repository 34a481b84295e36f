"""Shapes of LabelMe: polygons, rectangles, circles and masks, as instances."""

import base64
import binascii
import io
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from postprocess.coordinate_conventions import Box
from postprocess.datasets.annotated import whole_box
from postprocess.datasets.edges import cut_box, nearest_point
from postprocess.datasets.ellipses import draw_ellipse
from postprocess.datasets.notices import Notices
from postprocess.datasets.numbers import read_number, read_numbers
from postprocess.datasets.picture_files import Size
from postprocess.instances import Instance
from postprocess.mask_formats import extent, fill

JSON = dict[str, Any]
Mask = npt.NDArray[np.bool_]
Point = tuple[float, float]


def read_thing(shapes: Sequence[JSON], size: Size, where: str, notices: Notices) -> Instance | None:
    """Shapes that are one thing; None where none of them has an area, which leaves a notice.

    A point alone is a thing too.
    """
    if len(shapes) == 1 and shapes[0].get("shape_type") == "point":
        return read_point(shapes[0], size, where, notices)
    boxes: list[Box] = []
    masks: list[Mask] = []
    for shape in shapes:
        kind = str(shape.get("shape_type") or "polygon")
        if kind not in _READERS:
            notices.add("shape", f"the {kind} {where}")
            continue
        drawn, mask = _READERS[kind](shape, size)
        box = cut_box(drawn, size, where, notices, mask)
        if box is None:
            continue
        boxes.append(box)
        masks += [] if mask is None else [mask]
    if not boxes:
        return None
    whole = around(boxes)
    mask = np.logical_or.reduce(masks) if len(masks) == len(boxes) else None
    pixels, score = whole_box(whole, mask, size), score_of(shapes[0])
    return Instance(label_of(shapes[0]), whole, pixels, mask, score=score)


def read_point(shape: JSON, size: Size, where: str, notices: Notices) -> Instance:
    """One place."""
    points = points_of(shape, size)
    if len(points) != 1:
        raise ValueError("a point is not one place")
    point = nearest_point(points[0], size, where, notices)
    box = (*point, *point)
    pixels, score = whole_box(box, None, size), score_of(shape)
    return Instance(label_of(shape), box, pixels, score=score, point=point)


def label_of(shape: JSON) -> str:
    """What a shape is called; nothing where it has no label."""
    label = shape.get("label")
    return "" if label is None else str(label)


def read_polygon(shape: JSON, size: Size) -> tuple[Box, Mask | None]:
    """Three corners or more."""
    points = points_of(shape, size)
    if len(points) < 3:
        return (0.0, 0.0, 0.0, 0.0), None
    xs, ys = zip(*points, strict=True)
    return (min(xs), min(ys), max(xs), max(ys)), fill([points], size)


def read_rectangle(shape: JSON, size: Size) -> tuple[Box, Mask | None]:
    """Two opposite corners in any order, or all four."""
    points = points_of(shape, size)
    if len(points) < 2:
        raise ValueError("a rectangle has fewer than two corners")
    xs, ys = zip(*points, strict=True)
    return (min(xs), min(ys), max(xs), max(ys)), None


def read_circle(shape: JSON, size: Size) -> tuple[Box, Mask | None]:
    """The middle and a point of the edge."""
    points = points_of(shape, size)
    if len(points) != 2:
        raise ValueError("a circle has other than two points")
    middle, edge = points
    radius = math.dist(middle, edge)
    return draw_ellipse(middle, (radius, radius), size)


def read_mask(shape: JSON, size: Size) -> tuple[Box, Mask | None]:
    """A picture in base64 that lies between two corners, both included."""
    (x, y), *_ = points_of(shape, size)
    try:
        data = base64.b64decode(str(shape.get("mask")), validate=True)
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            if image.width > size[0] or image.height > size[1]:
                raise ValueError("a mask is larger than its picture")
            part = np.asarray(image.convert("L")) > 0
    except (binascii.Error, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"a mask cannot be read: {error}") from error
    left, top = min(max(round(x), 0), size[0]), min(max(round(y), 0), size[1])
    mask = np.zeros((size[1], size[0]), np.bool_)
    room = mask[top : top + part.shape[0], left : left + part.shape[1]]
    room |= part[: room.shape[0], : room.shape[1]]
    x0, y0, x1, y1 = extent(mask)
    return (float(x0), float(y0), float(x1), float(y1)), mask


_READERS: dict[str, Callable[[JSON, Size], tuple[Box, Mask | None]]] = {
    "polygon": read_polygon,
    "rotation": read_polygon,  # a turned rectangle, of X-AnyLabeling
    "rectangle": read_rectangle,
    "circle": read_circle,
    "mask": read_mask,
}


def points_of(shape: JSON, size: Size) -> list[Point]:
    """The points of a shape; those far outside are moved nearer, so that they can be drawn."""
    found = []
    for point in shape["points"]:
        numbers = read_numbers(point)
        if numbers is None or len(numbers) != 2:
            raise ValueError("a point is not two numbers")
        x, y = (
            min(max(number, -side), 2 * side) for number, side in zip(numbers, size, strict=True)
        )
        found.append((x, y))
    return found


def around(boxes: Sequence[Box]) -> Box:
    """The smallest box around some."""
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def score_of(shape: JSON) -> float | None:
    """The score that this package writes into the description of a shape."""
    return read_number(str(shape.get("description") or "").partition("score ")[2])
