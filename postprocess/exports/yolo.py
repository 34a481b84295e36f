"""YOLO: a text file for each picture, one line for each thing, everything in shares of the sides.

`labels/NAME.txt` beside `classes.txt`, `data.yaml` and `sizes.csv`. YOLO itself keeps neither sizes
nor names of pictures nor scores; the sizes file lets this package read what it wrote without them.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import yaml

from postprocess.datasets.annotated import Annotated, on_one_line, refuse_points
from postprocess.datasets.files import write_text
from postprocess.datasets.yolo_layout import (
    CLASSES,
    DATA,
    SIZES,
    Known,
    names_in,
    read_sizes,
    read_yaml,
)
from postprocess.instances import Instance
from postprocess.mask_formats import join_rings, polygons

_MIN_POINTS = 3  # a line of fewer would read as a box
_STRANGE = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\\ud800-\udfff]')  # not in names of some system
_MOST_BYTES = 240  # most systems take 255 for a part of a path
_DIGITS = 8  # a share of 1e-8 is a thousandth of a pixel in the largest of pictures

Points = Sequence[Sequence[float]]


def to_yolo(pictures: Iterable[Annotated], folder: Path) -> list[Path]:
    """`class cx cy width height` for each instance, as detection is trained with.

    Raises ExportError for points.
    """
    return _write(pictures, folder, _box_shares)


def to_yolo_polygons(pictures: Iterable[Annotated], folder: Path) -> list[Path]:
    """`class x y x y ...`, as segmentation is trained with; the box's corners without a mask.

    A mask of several parts is one line: its rings are joined by a seam, as the format has it.
    The files are those of `to_yolo`: a folder holds boxes or polygons, not both.
    """
    return _write(pictures, folder, _ring_shares)


def label_name(picture: Annotated, owners: Mapping[str, str]) -> str:
    """What a picture's label file is called under `labels/`, without its suffix.

    As the picture under `images/`, for that is where training looks: "d/a b.jpg" -> "d/a b". Where
    that is no name for a file, or another picture's already, it is the cleaned one.

    owners: the pictures that names belong to, these in small letters.
    """
    own = picture.file_name.rpartition(".")[0] or picture.file_name
    of_another = owners.get(own.casefold(), picture.file_name) != picture.file_name
    return picture.stem if of_another or not is_plain(own) else own


def is_plain(name: str) -> bool:
    """Whether a name with / between its folders is one on every system, and leads nowhere else.

    One with a dot in front is hidden on some.
    """
    if _STRANGE.search(name):
        return False
    parts = name.split("/")
    return all(
        part.strip(" .") and part[0] != "." and len(part.encode()) <= _MOST_BYTES for part in parts
    )


def _write(
    pictures: Iterable[Annotated],
    folder: Path,
    shares: Callable[[Instance, tuple[int, int]], list[float]],
) -> list[Path]:
    names = names_in(folder) or []  # lines that are there already count by them
    known = read_sizes(folder)
    owners = {name.casefold(): file_name for name, (file_name, _) in known.items()}
    written = []
    for picture in refuse_points(pictures, "YOLO"):
        lines = []
        for instance in picture.instances:
            label = on_one_line(instance.name)
            names += [label] if label not in names else []
            numbers = shares(instance, picture.size)
            values = " ".join(f"{number:.{_DIGITS}f}" for number in numbers)
            lines.append(f"{names.index(label)} {values}\n")
        name = label_name(picture, owners)
        known[name] = (picture.file_name, picture.size)
        owners[name.casefold()] = picture.file_name
        written.append(write_text(folder / "labels" / f"{name}.txt", "".join(lines)))
    classes = write_text(folder / CLASSES, "".join(f"{name}\n" for name in names))
    return [*written, classes, _write_data(folder, names), _write_sizes(folder, known)]


def _box_shares(instance: Instance, size: tuple[int, int]) -> list[float]:
    (x0, y0, x1, y1), (width, height) = instance.box, size
    middle = [(x0 + x1) / 2 / width, (y0 + y1) / 2 / height]
    return [*middle, (x1 - x0) / width, (y1 - y0) / height]


def _ring_shares(instance: Instance, size: tuple[int, int]) -> list[float]:
    x0, y0, x1, y1 = instance.box
    rings: Sequence[Points] = []
    if instance.mask is not None:
        rings = polygons(instance.mask, instance.pixels)
    rings = rings or [[(x0, y0), (x1, y0), (x1, y1), (x0, y1)]]
    ring = join_rings(rings)
    ring += ring[-1:] * (_MIN_POINTS - len(ring))
    return [value / side for point in ring for value, side in zip(point, size, strict=True)]


def _write_data(folder: Path, names: Sequence[str]) -> Path:
    """What Ultralytics trains with; without a `path` it takes the folder that the file is in.

    What the file says already of pictures and of all else stays.
    """
    known = read_yaml(folder / DATA) if (folder / DATA).exists() else {}
    content = {"train": "images", "val": "images"} | known | {"names": dict(enumerate(names))}
    if "nc" in content:
        content["nc"] = len(names)
    return write_text(folder / DATA, yaml.safe_dump(content, allow_unicode=True, sort_keys=False))


def _write_sizes(folder: Path, known: Known) -> Path:
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(["stem", "file_name", "width", "height"])
    rows.writerows([stem, name, *size] for stem, (name, size) in known.items())
    return write_text(folder / SIZES, table.getvalue())
