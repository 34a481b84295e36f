"""Faults of a data set: a reader that collects them goes on, and tells each row with its file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from postprocess.datasets import READERS, ExportError
from postprocess.datasets.layouts import find_layout
from postprocess.datasets.notices import Faults
from postprocess.exports import EXPORTERS, Annotated
from postprocess.instances import Instance

BOX = (10.0, 12.0, 40.0, 50.0)


def write_as(layout: str, folder: Path) -> Path:
    """Three pictures with a cup each, as an exporter writes them, and the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = []
    for name in ("a.png", "b.png", "c.png"):
        image = Image.new("RGB", (80, 60), "teal")
        image.save(folder / name)
        pictures.append(
            Annotated(name, image.size, [Instance("cup", BOX, (10, 12, 40, 50))], image)
        )
    EXPORTERS[layout](pictures, folder)
    return folder


@pytest.mark.parametrize("layout", READERS)
def test_the_layout_of_a_folder_is_told_from_its_files(layout, tmp_path) -> None:
    assert find_layout(write_as(layout, tmp_path / layout)) == layout


def test_a_folder_without_a_data_set_is_refused_and_says_what_was_looked_for(tmp_path) -> None:
    with pytest.raises(ExportError, match=r"looked for annotations\.json"):
        find_layout(tmp_path)
    with pytest.raises(ExportError, match="There is no file"):
        find_layout(tmp_path / "gone")


def spoil_coco(folder: Path) -> None:
    data = json.loads((folder / "annotations.json").read_text())
    data["annotations"][0]["category_id"] = 77
    data["annotations"][2]["segmentation"] = {"size": [5, 5], "counts": [0, 25]}
    (folder / "annotations.json").write_text(json.dumps(data))


def spoil_yolo(folder: Path) -> None:
    (folder / "labels" / "a.txt").write_text("9 0.5 0.5 0.1 0.1\n")
    (folder / "labels" / "c.txt").write_text("0 0.5 0.5 0.1 0.1\nzero 1\n")


def spoil_lines(folder: Path) -> None:
    path = folder / "train.jsonl"
    rows = path.read_text().splitlines()
    rows.insert(1, '{"image": "a.png"}')
    rows.append(json.dumps({"image": "gone.png", "prefix": "detect cup", "suffix": ""}))
    path.write_text("\n".join(rows))


def spoil_table(folder: Path) -> None:
    path = next(folder.glob("*.csv"))
    head, *rows = path.read_text().splitlines()
    rows[0] = rows[0].replace("10", "ten", 1)
    rows[2] = rows[2].replace("12", "twelve", 1)
    path.write_text("\n".join([head, *rows]))


@pytest.mark.parametrize(
    "layout, spoil, said",
    [
        pytest.param("coco", spoil_coco, ("category 77", "5 x 5"), id="coco"),
        pytest.param("yolo", spoil_yolo, ("line 1 of", "line 2 of"), id="yolo"),
        pytest.param("paligemma", spoil_lines, ("line 2", "gone.png"), id="lines"),
        pytest.param("csv", spoil_table, ("row 2", "row 4"), id="table"),
    ],
)
def test_every_fault_is_told_at_once(layout, spoil, said, tmp_path) -> None:
    folder = write_as(layout, tmp_path)
    spoil(folder)
    with pytest.raises(ExportError):
        READERS[layout](folder)
    faults = Faults()
    READERS[layout](folder, faults)
    assert len(faults.found) == 2
    assert all(any(words in fault for fault in faults.found) for words in said)


def test_a_damaged_file_of_many_leaves_the_others(tmp_path) -> None:
    folder = write_as("voc", tmp_path)
    first = sorted(folder.rglob("*.xml"))[0]
    first.write_text("<annotation><object><name>cup</name></object></annotation>")
    faults = Faults()
    assert len(READERS["voc"](folder, faults)) == 2
    assert len(faults.found) == 1 and first.name in faults.found[0]
