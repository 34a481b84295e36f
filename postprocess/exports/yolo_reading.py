"""YOLO data sets read: boxes or polygons, with sizes from `sizes.csv` or from the pictures."""

import csv
import io
from pathlib import Path

import yaml
from PIL import Image

from postprocess.exports.annotated import Annotated, whole_box
from postprocess.exports.files import ExportError, read_text
from postprocess.instances import Instance

CLASSES = "classes.txt"
DATA = "data.yaml"  # where Ultralytics keeps the names
SIZES = "sizes.csv"

_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
_ORIENTATION = 0x0112  # the EXIF tag; 5 to 8 swap the sides

Known = dict[str, tuple[str, tuple[int, int]]]  # label file under labels/ -> name and size


def read_yolo(path: Path) -> list[Annotated]:
    """The pictures of a folder: each `.txt` under `labels/`, or in the folder itself.

    Names come from `classes.txt` or `data.yaml`. The size of a picture comes from `sizes.csv`, or
    from the picture beside its labels or under `images/` where they are under `labels/`.
    """
    folder = Path(path)
    names, known = read_names(folder), read_sizes(folder)
    labels = folder / "labels"
    root = labels if labels.is_dir() else folder
    files = sorted(root.rglob("*.txt") if labels.is_dir() else root.glob("*.txt"))
    named = {file.relative_to(root).as_posix().removesuffix(".txt"): file for file in files}
    return [
        _read_picture(file, names, known.get(name) or known.get(file.stem) or _find(file))
        for name, file in named.items()
        if file.name != CLASSES
    ]


def read_names(folder: Path) -> list[str]:
    """The names of the classes by number."""
    if (folder / CLASSES).exists() or not (folder / DATA).exists():
        return read_text(folder / CLASSES).splitlines()
    try:
        names = yaml.safe_load(read_text(folder / DATA))["names"]
        ordered = [names[k] for k in range(len(names))]  # a list, or a table from 0 up
    except (yaml.YAMLError, KeyError, TypeError, IndexError) as error:
        raise ExportError(f"{folder / DATA} has no list of names ({error!r}).") from error
    return [str(name) for name in ordered]


def read_sizes(folder: Path) -> Known:
    """What `sizes.csv` says; nothing where there is none."""
    if not (folder / SIZES).exists():
        return {}
    rows = csv.DictReader(io.StringIO(read_text(folder / SIZES)))
    try:
        return {
            row["stem"]: (row["file_name"], (int(row["width"]), int(row["height"]))) for row in rows
        }
    except (KeyError, TypeError, ValueError) as error:
        raise ExportError(f"{folder / SIZES} is not a table of sizes ({error!r}).") from error


def upright_size(path: Path) -> tuple[int, int]:
    """(width, height) of a picture file as it is looked at, its header read only."""
    try:
        with Image.open(path) as image:
            width, height = image.size
            is_lying = image.getexif().get(_ORIENTATION, 1) >= 5
    except (OSError, Image.DecompressionBombError) as error:
        raise ExportError(f"{path.name} is not a picture that can be read ({error}).") from error
    return (height, width) if is_lying else (width, height)


def _read_picture(file: Path, names: list[str], known: tuple[str, tuple[int, int]]) -> Annotated:
    file_name, size = known
    lines = [line.split() for line in read_text(file).splitlines() if line.strip()]
    try:
        found = [_read_line(words, names, size) for words in lines]
    except (ValueError, IndexError) as error:
        raise ExportError(f"{file} is not a YOLO file ({error}). Export it again.") from error
    return Annotated(file_name, size, found)


def _read_line(words: list[str], names: list[str], size: tuple[int, int]) -> Instance:
    """`class cx cy width height`, with a score after it or not, or `class x y x y x y ...`."""
    number, values = int(words[0]), [float(word) for word in words[1:]]
    if not 0 <= number < len(names):
        raise ValueError(f"there is no name for class {number}")
    if len(values) in (4, 5):
        return _read_box(names[number], values, size)
    return _read_polygon(names[number], values, size)


def _read_box(label: str, values: list[float], size: tuple[int, int]) -> Instance:
    width, height = size
    x, y, wide, high = (v * side for v, side in zip(values, (width, height) * 2, strict=False))
    box = (x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)
    score = values[4] if len(values) == 5 else None
    return Instance(label, box, whole_box(box, None, size), score=score)


def _read_polygon(label: str, values: list[float], size: tuple[int, int]) -> Instance:
    from postprocess.mask_formats import fill

    width, height = size
    ring = [(x * width, y * height) for x, y in zip(values[::2], values[1::2], strict=True)]
    xs, ys = zip(*ring, strict=True)
    box = (min(xs), min(ys), max(xs), max(ys))
    mask = fill([ring], size)
    return Instance(label, box, whole_box(box, mask, size), mask)


def _find(file: Path) -> tuple[str, tuple[int, int]]:
    """The picture that a label file is about, and its upright size."""
    parts = ["images" if part == "labels" else part for part in file.parent.parts]
    for place in (file.parent, Path(*parts)):
        for suffix in _PICTURES:
            path = place / f"{file.stem}{suffix}"
            if path.exists():
                return path.name, upright_size(path)
    raise ExportError(
        f"{file.name} gives shares of a picture that is not here. Put {file.stem}.jpg beside it "
        "or under images/."
    )
