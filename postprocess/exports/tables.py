"""CSV: one table for all pictures, a row for each instance, masks as COCO run-lengths."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from postprocess.datasets.annotated import Annotated, on_one_line
from postprocess.datasets.files import ExportError, read_text, replaced, write_text
from postprocess.datasets.tables import COLUMNS, FILE, FORMULA
from postprocess.instances import Instance
from postprocess.mask_formats import run_lengths


def to_csv(pictures: Iterable[Annotated], folder: Path) -> list[Path]:
    """Write `instances.csv`; pictures that it already holds under other names stay in it.

    A picture without instances leaves no row.
    """
    path = folder / FILE
    fresh = [
        (as_text(picture.file_name), [_row(picture, instance) for instance in picture.instances])
        for picture in pictures
    ]
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(COLUMNS)
    for several in replaced(_known_rows(path) if path.exists() else [], fresh):
        rows.writerows(several)
    return [write_text(path, table.getvalue())]


def _known_rows(path: Path) -> list[tuple[str, list[list[Any]]]]:
    """The rows of each picture in a table that this package wrote, as they stand there."""
    rows = list(csv.reader(io.StringIO(read_text(path))))
    if not rows or tuple(rows[0]) != COLUMNS:
        raise ExportError(f"{path} is not a table of instances. Name another folder.")
    found: dict[str, list[list[Any]]] = {}
    for row in rows[1:]:
        found.setdefault(row[0], []).append(row)
    return list(found.items())


def _row(picture: Annotated, instance: Instance) -> list[Any]:
    score = "" if instance.score is None else instance.score
    mask = "" if instance.mask is None else run_lengths(instance.mask, instance.pixels)["counts"]
    name, label = as_text(picture.file_name), as_text(on_one_line(instance.name))
    point = "" if instance.point is None else f"{instance.point[0]} {instance.point[1]}"
    return [name, *picture.size, label, score, *instance.box, mask, point]


def as_text(words: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe in front says it is text."""
    return f"'{words}" if words.startswith(FORMULA) else words
