"""CSV: one table for all pictures, a row for each instance, masks as COCO run-lengths."""

import csv
import io
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from postprocess.exports.annotated import Annotated, on_one_line, whole_box
from postprocess.exports.files import ExportError, read_text, write_text
from postprocess.instances import Instance
from postprocess.mask_formats import mask_of, run_lengths

FILE = "instances.csv"
FORMULA = (
    "=",
    "+",
    "-",
    "@",
    "'",
)  # how a cell begins that spreadsheets work out, or that we marked
COLUMNS = (
    "file_name",
    "width",
    "height",
    "label",
    "score",
    "x0",
    "y0",
    "x1",
    "y1",
    "mask",
    "point",
)


def to_csv(pictures: Iterable[Annotated], folder: Path) -> list[Path]:
    """Write `instances.csv`; pictures that it already holds under other names stay in it.

    A picture without instances leaves no row.
    """
    path = folder / FILE
    known = read_csv(path) if path.exists() else []
    merged = {picture.file_name: picture for picture in [*known, *pictures]}
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(COLUMNS)
    for picture in merged.values():
        rows.writerows(_row(picture, instance) for instance in picture.instances)
    return [write_text(path, table.getvalue())]


def read_csv(path: Path) -> list[Annotated]:
    """The pictures of a table that `to_csv` wrote."""
    path = Path(path)
    path = path / FILE if path.is_dir() else path
    found: dict[tuple[str, tuple[int, int]], list[Instance]] = {}
    try:
        for row in csv.DictReader(io.StringIO(read_text(path))):
            size = (int(row["width"]), int(row["height"]))
            name = as_written(row["file_name"])
            found.setdefault((name, size), []).append(_read_row(row, size))
    except (KeyError, TypeError, ValueError) as error:
        raise ExportError(f"{path} is not a table of instances ({error!r}).") from error
    return [Annotated(name, size, instances) for (name, size), instances in found.items()]


def _row(picture: Annotated, instance: Instance) -> list[Any]:
    score = "" if instance.score is None else instance.score
    mask = "" if instance.mask is None else run_lengths(instance.mask, instance.pixels)["counts"]
    name, label = as_text(picture.file_name), as_text(on_one_line(instance.name))
    point = "" if instance.point is None else f"{instance.point[0]} {instance.point[1]}"
    return [name, *picture.size, label, score, *instance.box, mask, point]


def as_text(words: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe in front says it is text."""
    return f"'{words}" if words.startswith(FORMULA) else words


def as_written(cell: str) -> str:
    """What `as_text` was given."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(FORMULA) else cell


def _read_row(row: dict[str, str], size: tuple[int, int]) -> Instance:
    x0, y0, x1, y1 = (float(row[column]) for column in ("x0", "y0", "x1", "y1"))
    counts = row["mask"]
    mask = mask_of({"size": [size[1], size[0]], "counts": counts}) if counts else None
    score = float(row["score"]) if row["score"] else None
    box = (x0, y0, x1, y1)
    label = as_written(row["label"])
    pixels = whole_box(box, mask, size)
    found = Instance(label, box, pixels, mask, score=score)
    return replace(found, point=(x0, y0)) if row.get("point") else found
