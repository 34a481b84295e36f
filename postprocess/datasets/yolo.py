"""YOLO data sets read: boxes or polygons, with sizes from `sizes.csv` or from the pictures."""

import math
from functools import partial
from pathlib import Path

from postprocess.coordinate_conventions import Box
from postprocess.datasets.annotated import Annotated, LazyInstances, whole_box
from postprocess.datasets.edges import cut_box
from postprocess.datasets.files import ExportError, read_text
from postprocess.datasets.notices import Notices, Once
from postprocess.datasets.picture_files import Size, check_size, upright_size
from postprocess.datasets.yolo_layout import (
    LabelFile,
    has_key_points,
    label_files,
    read_names,
    read_sizes,
    unlabelled,
)
from postprocess.instances import Instance, Mask
from postprocess.mask_formats import fill
from postprocess.tokens import folded

BOX_WORDS = 5  # a class and its box
_FURTHEST = 2.0  # sides; a share beyond it is a number of pixels


def read_yolo(path: Path, notices: Notices | None = None) -> list[Annotated]:
    """The pictures of a folder, or of the folder of a data.yaml, with the things in their lines.

    A picture is called by its path from the folder, or from its `images`, as training finds it.
    """
    path = Path(path)
    if not path.exists():
        raise ExportError(f"There is no file {path}. Name a folder of YOLO labels.")
    folder = path if path.is_dir() and path.name.casefold() != "labels" else path.parent
    files = label_files(folder)
    if not files:
        raise ExportError(
            f"There are no YOLO labels in {folder}: looked for .txt files in labels/, or beside "
            "their pictures. Name the folder that holds them."
        )
    names, known, is_pose = read_names(folder), read_sizes(folder), has_key_points(folder)
    notices = notices or Notices()
    for picture in unlabelled(folder, files):
        notices.add("unlabelled", picture.relative_to(folder).as_posix())
    pictures = []
    for file in files:
        try:
            there = known.get(file.name) or known.get(file.path.stem) or measure(file, folder)
            file_name, size = there[0], check_size(there[1], there[0])
        except ExportError as error:
            notices.fault(error)
            continue
        found = read_lines(file.path, names, size, notices, is_pose=is_pose)
        pictures.append(Annotated(file_name, size, found))
    return pictures


def measure(file: LabelFile, folder: Path) -> tuple[str, Size]:
    """What the picture of a label file is called, and its upright size."""
    if file.picture is None:
        raise ExportError(
            f"{file.path.name} gives shares of a picture that is not here. Put "
            f"{file.path.stem}.jpg beside it or under images/."
        )
    parts = file.picture.relative_to(folder).parts
    is_under_images = len(parts) > 1 and parts[0].casefold() == "images"
    return "/".join(parts[is_under_images:]), upright_size(file.picture)


def read_lines(
    path: Path, names: list[str], size: Size, notices: Notices, *, is_pose: bool
) -> LazyInstances:
    """The things of one file; of a pose its box. ExportError for a line that is none."""
    once = Once(target=notices)
    rows = [(n, row.split()) for n, row in enumerate(read_text(path).splitlines(), 1)]
    if is_pose:
        for number, words in rows:
            if len(words) > BOX_WORDS:
                notices.add("pose", f"line {number} of {path.name}")
        rows = [(number, words[:BOX_WORDS]) for number, words in rows]
    found = LazyInstances.checked(
        partial(read_row, words, names, size, f"line {number} of {path}", once)
        for number, words in rows
        if words
    )
    once.is_over = True
    return found


def read_row(
    words: list[str], names: list[str], size: Size, where: str, notices: Notices
) -> Instance | None:
    """The thing of one line; None for one without an area, which leaves a notice."""
    try:
        return read_line(words, names, size, where, notices)
    except (ValueError, IndexError, OverflowError) as error:
        notices.fault(ExportError(f"This is not YOLO: {where} {error}. Export it again."))
        return None


def read_line(
    words: list[str], names: list[str], size: Size, where: str, notices: Notices
) -> Instance | None:
    """`class cx cy width height`, with a score after it or not, or `class x y x y x y ...`.

    None for one without an area in the picture, which is told. ValueError says what is wrong with
    the line.
    """
    label, values = read_class(words[0], names), [float(word) for word in words[1:]]
    if not all(abs(value) <= _FURTHEST for value in values):
        raise ValueError("has numbers that are no shares of a picture's sides")
    if len(values) < 4:
        raise ValueError(f"has {len(values)} numbers and needs at least 4")
    if len(values) in (4, 5):
        box, mask, score = read_box(values, size), None, values[4] if len(values) == 5 else None
    else:
        box, mask, score = *read_polygon(values, size), None
    cut = cut_box(box, size, where, notices, mask)
    if cut is None:
        return None
    return Instance(label, cut, whole_box(cut, mask, size), mask, score=score)


def read_class(word: str, names: list[str]) -> str:
    """The name of a class, by its number or by itself.   "0.0" -> names[0]"""
    try:
        number = float(word)
    except ValueError:
        found = [name for name in names if folded(name) == folded(word)]
        if not found:
            raise ValueError(f"begins with {word!r}, which is no class") from None
        return found[0]
    if not math.isfinite(number) or number != int(number) or not 0 <= number < len(names):
        raise ValueError(f"is of class {word}, which has no name")
    return names[int(number)]


def read_box(values: list[float], size: Size) -> Box:
    """The middle and the sides of a box, in shares."""
    width, height = size
    x, y, wide, high = (v * side for v, side in zip(values, (width, height) * 2, strict=False))
    return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


def read_polygon(values: list[float], size: Size) -> tuple[Box, Mask]:
    """The corners of an outline, in shares: the box around it, and its mask."""
    if len(values) % 2:
        raise ValueError(f"has {len(values)} numbers, and an outline needs two for each corner")
    width, height = size
    ring = [(x * width, y * height) for x, y in zip(values[::2], values[1::2], strict=True)]
    xs, ys = zip(*ring, strict=True)
    return (min(xs), min(ys), max(xs), max(ys)), fill([ring], size)
