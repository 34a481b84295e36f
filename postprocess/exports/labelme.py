"""LabelMe: a JSON file for each picture, polygons and rectangles that people can edit."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from postprocess.datasets.annotated import Annotated
from postprocess.datasets.files import write_json
from postprocess.instances import Instance
from postprocess.mask_formats import Ring, join_rings, parts

JSON = dict[str, Any]

_MIN_POINTS = 3  # of a polygon
_VERSION = "5.5.0"  # of the program whose files these are like


def to_labelme(pictures: Iterable[Annotated], folder: Path) -> list[Path]:
    """`NAME.json` for each picture; the parts of one mask share a group, holes hang on a seam."""
    return [write_json(folder / f"{picture.stem}.json", describe(picture)) for picture in pictures]


def describe(picture: Annotated) -> JSON:
    """The content of a LabelMe file. The picture itself is named, not included."""
    shapes = [
        shape
        for number, instance in enumerate(picture.instances, 1)
        for shape in _shapes(instance, number)
    ]
    return {
        "version": _VERSION,
        "flags": {},
        "shapes": shapes,
        "imagePath": picture.file_name,
        "imageData": None,
        "imageHeight": picture.size[1],
        "imageWidth": picture.size[0],
    }


def _shapes(instance: Instance, number: int) -> Iterator[JSON]:
    found = [] if instance.mask is None else parts(instance.mask, instance.pixels)
    rings = [_ring(part) for part in found]
    x0, y0, x1, y1 = instance.box
    said = "" if instance.score is None else f"score {instance.score}"
    outlines: list[tuple[str, Any]] = [("polygon", ring) for ring in rings]
    if instance.point is not None:
        outlines = [("point", [list(instance.point)])]
    for kind, points in outlines or [("rectangle", [[x0, y0], [x1, y1]])]:
        yield {
            "label": instance.name,
            "points": points,
            "group_id": number if len(rings) > 1 else None,
            "shape_type": kind,
            "flags": {},
            "description": said,
        }


def _ring(part: Sequence[Ring]) -> list[list[float]]:
    """A part and its holes as one ring, of three points at least."""
    ring = [list(point) for point in (join_rings(part) if len(part) > 1 else part[0])]
    return ring + ring[-1:] * (_MIN_POINTS - len(ring))
