"""CSV read: a row for each thing, as this package, Roboflow and TensorFlow write them."""

import csv
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from postprocess.datasets.annotated import Annotated, LazyInstances, whole_box
from postprocess.datasets.edges import cut_box, nearest_point
from postprocess.datasets.files import VIA, ExportError, read_text
from postprocess.datasets.notices import Notices, Once
from postprocess.datasets.numbers import read_number
from postprocess.datasets.picture_files import PictureFinder, Size, read_size, upright_size
from postprocess.datasets.segmentations import read_runs
from postprocess.instances import Instance
from postprocess.mask_formats import mask_of

FILE = "instances.csv"
FORMULA = (
    "=",
    "+",
    "-",
    "@",
    "'",
)  # how a cell begins that spreadsheets work out, or that we marked
ANSWERS, ANSWER_COLUMNS = "answers.csv", ("file_name", "prompt", "answer")  # those in words
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

_OURS = {  # what other programs call a column
    "filename": "file_name",
    "image": "file_name",
    "class": "label",
    "name": "label",
    "confidence": "score",
    "xmin": "x0",
    "ymin": "y0",
    "xmax": "x1",
    "ymax": "y1",
}
_OF_VIA = "region_shape_attributes"  # a column of VGG Image Annotator's tables
_NEEDED = ("file_name", "label", "x0", "y0", "x1", "y1")
_DELIMITERS = ",;\t"
LONGEST_CELL = 2**26  # characters; more than a mask of the largest picture takes
_ONE_AT_A_TIME = threading.RLock()
_NOT_OURS = ("sizes.csv", ANSWERS)

Row = dict[str, str]


def read_csv(path: Path, notices: Notices | None = None) -> list[Annotated]:
    """The pictures of a table, or of the one table in a folder."""
    file = find_table(Path(path))
    notices = notices or Notices()
    finder = PictureFinder([file.parent, file.parent / "images"])
    found: dict[tuple[str, Size], list[tuple[int, Row]]] = {}
    sizes: dict[str, Size] = {}
    try:
        for number, row in enumerate(rows_of(file), 2):
            name = as_written(row["file_name"])
            try:
                size = read_size(row.get("width"), row.get("height"), name) or sizes.get(name)
                if size is None:
                    size = sizes[name] = measure(name, finder)
            except ValueError as error:
                notices.fault(error if isinstance(error, ExportError) else no_table(file, error))
                continue
            found.setdefault((name, size), []).append((number, row))
        return [
            Annotated(name, size, things_of(rows, size, file, notices))
            for (name, size), rows in found.items()
        ]
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        if isinstance(error, ExportError):
            raise
        raise no_table(file, error) from error


def no_table(file: Path, error: Exception) -> ExportError:
    """What is told of a table that cannot be read."""
    return ExportError(f"{file} is not a table of instances ({error}).")


def find_table(path: Path) -> Path:
    """The table that a path names; ExportError where there is none, or more than one."""
    if path.is_file():
        return path
    if not path.is_dir():
        raise ExportError(f"There is no file {path}. Name a table, or a folder with {FILE}.")
    if (path / FILE).is_file():
        return path / FILE
    tables = [one for one in sorted(path.iterdir()) if one.suffix.casefold() == ".csv"]
    tables = [one for one in tables if one.name not in _NOT_OURS]
    if len(tables) != 1:
        which = "more than one table" if tables else "no table"
        raise ExportError(f"There is {which} in {path}: looked for {FILE}. Name the file itself.")
    return tables[0]


def rows_of(file: Path) -> list[Row]:
    """The rows by our names of the columns, with the delimiter that the first line has."""
    text = read_text(file)
    head = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=head.count)
    with long_cells():
        reader = csv.DictReader(io.StringIO(text), delimiter=delimiter)
        columns = {name: clean_name(name) for name in reader.fieldnames or ()}
        if _OF_VIA in columns.values():
            raise ExportError(f"{file} is {VIA}")
        if missing := [name for name in _NEEDED if name not in columns.values()]:
            raise ValueError(f"it has no column {missing[0]}")
        return [
            {columns[key]: value or "" for key, value in row.items() if key in columns}
            for row in reader
        ]


@contextmanager
def long_cells() -> Iterator[None]:
    """While tables are read whose masks take more than the 128 KiB that a cell may have.

    The limit is one for the process: threads take turns, or one would end it for another.
    """
    with _ONE_AT_A_TIME:
        before = csv.field_size_limit(LONGEST_CELL)
        try:
            yield
        finally:
            csv.field_size_limit(before)


def clean_name(name: str) -> str:
    """Our name of a column."""
    plain = name.strip().casefold()
    return _OURS.get(plain, plain)


def measure(name: str, finder: PictureFinder) -> Size:
    """The size of a picture that the table gives none of."""
    path = finder.find(name)
    if path is None:
        raise ValueError(f"{name} has no width and height, and is not there")
    return upright_size(path)


def things_of(
    rows: list[tuple[int, Row]], size: Size, file: Path, notices: Notices
) -> LazyInstances:
    """The things of one picture; a row without a box is a picture without things."""
    once = Once(target=notices)
    found = LazyInstances.checked(
        partial(try_row, row, size, file, number, once)
        for number, row in rows
        if any(row[name].strip() for name in ("x0", "y0", "x1", "y1"))
    )
    once.is_over = True
    return found


def try_row(row: Row, size: Size, file: Path, number: int, notices: Notices) -> Instance | None:
    """The thing of a row; None for one that is left out."""
    try:
        return read_row(row, size, f"row {number} of {file.name}", notices)
    except ExportError as error:
        notices.fault(error)
    except (KeyError, TypeError, ValueError) as error:
        notices.fault(no_table(file, error))
    return None


def read_row(row: Row, size: Size, where: str, notices: Notices) -> Instance | None:
    """The thing of a row; None for one without an area, which leaves a notice."""
    x0, y0, x1, y1 = (number_in(row, column, where) for column in ("x0", "y0", "x1", "y1"))
    label, score = as_written(row["label"]), read_number(row.get("score"))
    if row.get("point"):
        point = nearest_point((x0, y0), size, where, notices)
        box = (*point, *point)
        return Instance(label, box, whole_box(box, None, size), score=score, point=point)
    cut = cut_box((x0, y0, x1, y1), size, where, notices)
    if cut is None:
        return None
    runs = read_runs({"counts": row["mask"]}, size, where) if row.get("mask") else None
    if row.get("mask") and runs is None:
        raise ValueError(f"{where} has a mask that cannot be read")
    mask = mask_of(runs) if isinstance(runs, dict) else None
    return Instance(label, cut, whole_box(cut, mask, size), mask, score=score)


def number_in(row: Row, column: str, where: str) -> float:
    """A number of a row; a comma in it is the point of some languages."""
    number = read_number(row[column].replace(",", "."))
    if number is None:
        raise ValueError(f"{where} has {row[column][:20]!r} as its {column}")
    return number


def as_written(cell: str) -> str:
    """What stood in a cell before it was marked as text for spreadsheets."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(FORMULA) else cell
