"""LabelMe: a JSON file for each picture, polygons and rectangles that people can edit."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np

from postprocess.exports.annotated import Annotated, whole_box
from postprocess.exports.coco import FILE as COCO_FILE
from postprocess.exports.files import ExportError, read_json, write_json
from postprocess.instances import Instance
from postprocess.mask_formats import Ring, fill, join_rings, parts

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


def read_labelme(path: Path) -> list[Annotated]:
    """A LabelMe file, or every one of a folder: polygons and rectangles, groups as one thing."""
    path = Path(path)
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    files = [file for file in files if file.name != COCO_FILE]
    return [_read_file(file) for file in files]


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


def _read_file(file: Path) -> Annotated:
    data = read_json(file)
    try:
        size = (int(data["imageWidth"]), int(data["imageHeight"]))
        name = _name(str(data["imagePath"]))
        things = groupby(enumerate(data["shapes"]), key=_group)
        instances = [_read_thing([shape for _, shape in shapes], size) for _, shapes in things]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ExportError(f"{file} is not a LabelMe file ({error!r}). Export it again.") from error
    return Annotated(name, size, instances)


def _name(path: str) -> str:
    """The picture's path from the folder of its file; its bare name where it lies elsewhere."""
    parts = PurePosixPath(path.replace("\\", "/"))
    is_elsewhere = PureWindowsPath(path).root or ".." in parts.parts
    return parts.name if is_elsewhere else str(parts)


def _group(numbered: tuple[int, JSON]) -> tuple[Any, ...]:
    """Shapes that follow each other in one group are one thing; without a group each is its own."""
    number, shape = numbered
    group = shape.get("group_id")
    return (number,) if group is None else (shape["label"], group, "grouped")


def _read_thing(shapes: list[JSON], size: tuple[int, int]) -> Instance:
    kinds = {shape["shape_type"] for shape in shapes}
    if not kinds <= {"polygon", "rectangle"} and kinds != {"point"}:
        raise ValueError(
            f"shapes can be polygons, rectangles and points, not {', '.join(sorted(kinds))}"
        )
    points = [(float(x), float(y)) for shape in shapes for x, y in shape["points"]]
    xs, ys = zip(*points, strict=True)
    box = (min(xs), min(ys), max(xs), max(ys))
    masks = [fill([shape["points"]], size) for shape in shapes if kinds == {"polygon"}]
    mask = np.logical_or.reduce(masks) if masks else None
    pixels, label, score = whole_box(box, mask, size), str(shapes[0]["label"]), _score(shapes[0])
    point = points[0] if kinds == {"point"} else None
    return Instance(label, box, pixels, mask, score=score, point=point)


def _score(shape: JSON) -> float | None:
    said = str(shape.get("description") or "").partition("score ")[2]
    try:
        return float(said)
    except ValueError:
        return None
