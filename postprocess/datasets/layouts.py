"""Layouts: which of the formats a folder or a file is in, told from its files before it is read."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from postprocess.datasets.coco_layout import find_file
from postprocess.datasets.files import ExportError, read_json
from postprocess.datasets.picture_files import walk_files
from postprocess.datasets.tables import FILE as TABLE
from postprocess.datasets.yolo_layout import label_files

_MOST = 40  # files of a kind that are looked into


def find_layout(path: Path) -> str:
    """The name of a reader: "coco", "yolo", "labelme", "voc", "csv", "label-studio", "paligemma".

    Raises ExportError where there is nothing, or nothing that one of them reads.
    """
    if not path.exists():
        raise ExportError(f"There is no file {path}. Name a COCO file, or a folder of a data set.")
    if path.is_file():
        return layout_of_file(path)
    found = next((name for name, is_so in _SIGNS.items() if is_so(path)), None)
    if found is None:
        raise ExportError(
            f"There is no data set in {path}: looked for annotations.json (COCO), .jsonl "
            "(PaliGemma), labels/*.txt (YOLO), .xml (VOC), .json with shapes (LabelMe), an export "
            f"of Label Studio and {TABLE}. Name the folder or the file that holds it."
        )
    return found


def layout_of_file(path: Path) -> str:
    """By the suffix, and JSON by what is in it."""
    suffix = path.suffix.casefold()
    by_suffix = {".jsonl": "paligemma", ".csv": "csv", ".tsv": "csv", ".xml": "voc"}
    by_suffix |= dict.fromkeys((".yaml", ".yml", ".txt"), "yolo")
    if suffix in by_suffix:
        return by_suffix[suffix]
    return layout_of_json(read_json(path))


def layout_of_json(data: Any) -> str:
    """COCO unless it looks like another; the reader of COCO says what is wrong with it."""
    if isinstance(data, dict) and isinstance(data.get("shapes"), list):
        return "labelme"
    is_task = isinstance(data, dict) and "data" in data and "images" not in data
    return "label-studio" if isinstance(data, list) or is_task else "coco"


def some_json(path: Path) -> Iterator[Any]:
    """What some JSON files of a folder hold; one that is none counts as nothing."""
    files = (file for file in walk_files(path) if file.suffix.casefold() == ".json")
    for _, file in zip(range(_MOST), files, strict=False):
        try:
            yield json.loads(file.read_text(encoding="utf-8-sig"))
        except (ValueError, OSError, RecursionError):
            yield None


def is_coco(path: Path) -> bool:
    """Whether a COCO file is found, or several are: its reader then asks for one of them."""
    try:
        file = find_file(path)
    except ExportError as error:
        return "several files" in str(error) and not has_labelme(path)
    try:
        return layout_of_json(read_json(file)) == "coco"
    except ExportError:
        return True


def has_labelme(path: Path) -> bool:
    """Whether there are files with shapes."""
    return any(data is not None and layout_of_json(data) == "labelme" for data in some_json(path))


def has_tasks(path: Path) -> bool:
    """Whether there is an export of Label Studio."""
    found = (data for data in some_json(path) if data is not None)
    return any(layout_of_json(data) == "label-studio" for data in found)


def has_suffix(suffix: str) -> Callable[[Path], bool]:
    """Whether a folder holds such a file."""
    return lambda path: any(file.suffix.casefold() == suffix for file in walk_files(path))


def has_yolo(path: Path) -> bool:
    """Whether there are label files."""
    return bool(label_files(path))


def has_table(path: Path) -> bool:
    """Whether a folder holds a table of instances."""
    return any(
        file.suffix.casefold() == ".csv" and file.name != "sizes.csv" for file in path.iterdir()
    )


_SIGNS: Mapping[str, Callable[[Path], bool]] = {
    "paligemma": has_suffix(".jsonl"),
    "labelme": has_labelme,
    "label-studio": has_tasks,
    "coco": is_coco,
    "yolo": has_yolo,
    "voc": has_suffix(".xml"),
    "csv": has_table,
}
