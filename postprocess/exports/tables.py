"""CSV: one table for all pictures, a row for each instance, masks as COCO run-lengths.

Answers in words have a table of their own.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from postprocess.datasets.annotated import Annotated, on_one_line
from postprocess.datasets.files import ExportError, read_text, replaced, write_text
from postprocess.datasets.tables import (
    ANSWER_COLUMNS,
    ANSWERS,
    COLUMNS,
    FILE,
    FORMULA,
    long_cells,
)
from postprocess.instances import Instance
from postprocess.mask_formats import run_lengths


def to_csv(pictures: Iterable[Annotated], folder: Path) -> list[Path]:
    """Write `instances.csv`; pictures that it already holds under other names stay in it.

    A picture without instances leaves no row. Answers in words are rows of `answers.csv`.
    """
    things, words = [], []
    for picture in pictures:
        name = as_text(picture.file_name)
        things.append((name, [_row(picture, instance) for instance in picture.instances]))
        if picture.words:
            words.append((name, [[name, *map(as_text, picture.words)]]))
    written = [_add_rows(folder / FILE, COLUMNS, things)]
    return [*written, _add_rows(folder / ANSWERS, ANSWER_COLUMNS, words)] if words else written


Rows = list[tuple[str, list[list[Any]]]]  # those of each picture


def _add_rows(path: Path, columns: Sequence[str], fresh: Rows) -> Path:
    """A table with these rows, and those of other pictures that it already holds."""
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(columns)
    for several in replaced(_known_rows(path, columns) if path.exists() else [], fresh):
        rows.writerows(several)
    return write_text(path, table.getvalue())


def _known_rows(path: Path, columns: Sequence[str]) -> Rows:
    """The rows of each picture in a table that this package wrote, as they stand there."""
    try:
        with long_cells():
            rows = [row for row in csv.reader(io.StringIO(read_text(path))) if row]
    except csv.Error:
        rows = []
    if not rows or tuple(rows[0]) != columns:
        raise ExportError(f"{path} is not a table of this program's. Name another folder.")
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
