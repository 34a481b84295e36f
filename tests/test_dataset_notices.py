"""What readers take another way than it was written is told, and the same way in every format."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from gemma_vision.evaluate import DatasetError, read_dataset
from gemma_vision.images import file_formats
from postprocess.datasets import READERS, ExportError, Notices, picture_files
from postprocess.datasets.annotated import apart
from postprocess.exports import EXPORTERS, Annotated
from postprocess.instances import Instance


def coco_of(*images: dict[str, Any]) -> dict[str, Any]:
    """A data set of these pictures with a thing each, of ever another width."""
    rows = [
        {"id": n, "image_id": one["id"], "category_id": 1, "bbox": [1, 2, 5 * n, 9]}
        for n, one in enumerate(images, 1)
    ]
    names = [{"id": 1, "name": "cat"}]
    return {"images": list(images), "annotations": rows, "categories": names}


def row(number: int, name: str, width: int = 64) -> dict[str, Any]:
    return {"id": number, "file_name": name, "width": width, "height": 48}


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_a_picture_under_two_ids_of_coco_is_one_for_the_evaluation(tmp_path):
    path = write(tmp_path / "a.json", coco_of(row(1, "a.png"), row(2, "b.png"), row(7, "a.png")))
    for name in ("a.png", "b.png"):
        Image.new("RGB", (64, 48)).save(tmp_path / name)
    notices = Notices()
    found = [(one.path.name, len(one.things)) for one in read_dataset(path, notices).scenes]
    assert found == [("a.png", 2), ("b.png", 1)]
    assert notices.sentences == (
        "1 picture is listed twice and was taken as one, with all its things (a.png).",
    )


def test_a_picture_of_two_sizes_is_refused_by_the_evaluation(tmp_path):
    path = write(tmp_path / "a.json", coco_of(row(1, "a.png"), row(2, "a.png", width=32)))
    said = r"a\.png is listed as 64 x 48 and as 32 x 48; .* Correct"
    with pytest.raises(DatasetError, match=said):
        read_dataset(path)


def labelme(name: str, width: int = 20) -> dict[str, Any]:
    shape = {"label": "cat", "points": [[1, 2], [width, 9]], "shape_type": "rectangle"}
    return {"imagePath": name, "imageWidth": 64, "imageHeight": 48, "shapes": [shape]}


def voc(name: str, right: int, size: tuple[int, int] = (64, 48)) -> str:
    box = f"<xmin>2</xmin><ymin>3</ymin><xmax>{right}</xmax><ymax>9</ymax>"
    return (
        f"<annotation><filename>{name}</filename><size><width>{size[0]}</width>"
        f"<height>{size[1]}</height></size><object><name>cat</name><bndbox>{box}</bndbox></object>"
        "</annotation>"
    )


def task(name: str, width: float, **value: Any) -> dict[str, Any]:
    value = {"x": 2, "y": 3, "width": width, "height": 9, "rectanglelabels": ["cat"]} | value
    sizes = {"original_width": 64, "original_height": 48}
    results = [{"type": "rectanglelabels", "value": value, **sizes}]
    return {"data": {"image": f"/data/upload/1/{name}"}, "annotations": [{"result": results}]}


LISTED_AGAIN = {
    "coco": {"a.json": coco_of(row(1, "a.png"), row(2, "a.png"))},
    "labelme": {"1.json": labelme("a.png"), "2.json": labelme("a.png", 30)},
    "voc": {"1.xml": voc("a.png", 20), "2.xml": voc("a.png", 30)},
    "label-studio": {"a.json": [task("a.png", 20), task("a.png", 30)]},
}


@pytest.mark.parametrize("kind", LISTED_AGAIN)
def test_a_picture_that_is_listed_twice_is_numbered_and_told_when_it_is_converted(kind, tmp_path):
    """Nothing of either listing is lost, and whether they are of one picture is not guessed."""
    for name, content in LISTED_AGAIN[kind].items():
        write(tmp_path / name, content)
    notices = Notices()
    found = apart(READERS[kind](tmp_path, notices), notices)
    assert [(one.file_name, len(one.instances)) for one in found] == [("a.png", 1), ("a-2.png", 1)]
    assert notices.sentences[-1].startswith("1 picture has the name of another and was numbered")


def test_lines_about_pictures_of_one_name_in_two_folders_are_of_two(tmp_path):
    for folder, width in (("a", 64), ("b", 32)):
        line = {
            "image": "1.png",
            "prefix": "detect cat",
            "suffix": f"{'<loc0100>' * 2}{'<loc0500>' * 2} cat",
        }
        write(tmp_path / folder / "train.jsonl", json.dumps(line))
        Image.new("RGB", (width, 48)).save(tmp_path / folder / "1.png")
    found = READERS["paligemma"](tmp_path)
    assert [(one.file_name, one.size[0]) for one in found] == [("a/1.png", 64), ("b/1.png", 32)]


def csv_of(*boxes: str) -> str:
    head = "file_name,width,height,label,x0,y0,x1,y1"
    return "\n".join([head, *(f"a.png,64,48,cat,{box}" for box in boxes)])


def yolo_of(line: str) -> dict[str, str]:
    sizes = "stem,file_name,width,height\na,a.png,64,48\n"
    return {"classes.txt": "cat\n", "sizes.csv": sizes, "labels/a.txt": f"{line}\n"}


def outline(*points: tuple[int, int]) -> dict[str, Any]:
    """A LabelMe file with a shape of these corners, or this one point."""
    data = labelme("a.png")
    kind = "polygon" if len(points) > 1 else "point"
    data["shapes"][0] |= {"points": points, "shape_type": kind}
    return data


CUT = {
    "voc": {"a.xml": voc("a.png", 90)},
    "csv": {"a.csv": csv_of("20,2,90,9")},
    "labelme": {"a.json": labelme("a.png", 90)},
    "labelme outline": {"a.json": outline((9, 2), (90, 2), (90, 30))},
    "label-studio": {"a.json": [task("a.png", 120)]},
    "yolo": yolo_of("0 1.0 0.5 0.5 0.5"),
    "yolo outline": yolo_of("0 0.1 0.1 1.2 0.1 1.2 0.9"),
}


def told_of(case: str, files: dict[str, Any], folder: Path) -> tuple[int, tuple[str, ...]]:
    """How many things there are, and what is told of them."""
    for name, content in files.items():
        write(folder / name, content)
    notices = Notices()
    (found,) = READERS[case.split()[0]](folder, notices)
    assert all(box[2] <= 64 and box[3] <= 48 for box in (one.box for one in found.instances))
    return len(found.instances), notices.sentences


@pytest.mark.parametrize("case", CUT)
def test_a_box_that_is_cut_off_at_the_edge_is_told(case, tmp_path):
    count, (said,) = told_of(case, CUT[case], tmp_path)
    assert count == 1
    assert said.startswith("1 box reached beyond its picture and was cut off at the edge (")


OUTSIDE = {
    "voc": {"a.xml": voc("a.png", 20).replace("<ymin>3", "<ymin>70").replace("max>9", "max>80")},
    "csv": {"a.csv": csv_of("70,2,90,9")},
    "labelme": {"a.json": outline((70, 2), (90, 2), (90, 30))},
    "label-studio": {"a.json": [task("a.png", 9, x=110)]},
    "yolo": yolo_of("0 1.5 0.5 0.5 0.5"),
}


@pytest.mark.parametrize("case", OUTSIDE)
def test_a_box_outside_its_picture_is_told_as_that(case, tmp_path):
    """It has an area, and nowhere in the picture."""
    count, (said,) = told_of(case, OUTSIDE[case], tmp_path)
    assert count == 0 and said.startswith("1 box outside its picture was left out (")


POINTS = {
    "csv": {
        "a.csv": "file_name,width,height,label,x0,y0,x1,y1,point\na.png,64,48,a,80,9,80,9,80 9"
    },
    "labelme": {"a.json": outline((80, 9))},
    "label-studio": {
        "a.json": json.dumps([task("a.png", 1, x=110)]).replace("rectanglelabels", "keypointlabels")
    },
}


@pytest.mark.parametrize("case", POINTS)
def test_a_point_that_is_moved_to_the_edge_is_told(case, tmp_path):
    count, (said,) = told_of(case, POINTS[case], tmp_path)
    assert count == 1
    assert said.startswith("1 point lay beyond its picture and was moved to the edge (")


@pytest.mark.parametrize("written", ["before.jpg", "C:\\data\\before.png", "../raw/before.png", ""])
@pytest.mark.parametrize("with_size", [True, False])
def test_the_picture_of_a_labelme_file_is_called_as_it_or_as_the_file_says(
    written, with_size, tmp_path
):
    """Files that were renamed, and the name within them was not."""
    data = labelme(written) | ({} if with_size else {"imageWidth": None})
    for folder, name in (("x", "a.b"), ("y", "a.b")):
        write(tmp_path / folder / f"{name}.json", data)
        Image.new("RGB", (64, 48)).save(tmp_path / folder / f"{name}.PNG")
    notices = Notices()
    found = READERS["labelme"](tmp_path, notices)
    assert [(one.file_name, one.size) for one in found] == [
        ("x/a.b.PNG", (64, 48)),
        ("y/a.b.PNG", (64, 48)),
    ]
    told = "2 files name pictures that are not there; those that are called as the files were taken"
    assert [one.startswith(told) for one in notices.sentences] == ([True] if written else [])


def test_the_picture_that_a_labelme_file_names_comes_before_the_one_called_as_it(tmp_path):
    write(tmp_path / "a.json", labelme("b.png"))
    for name in ("a.png", "b.png"):
        Image.new("RGB", (64, 48)).save(tmp_path / name)
    assert [one.file_name for one in READERS["labelme"](tmp_path)] == ["b.png"]


def test_a_mask_without_a_box_around_it_gives_it_one(tmp_path):
    """A line of one pixel's corners covers that pixel, and no area lies between its corners."""
    files = yolo_of("0" + " 0.5 0.5" * 3)
    assert told_of("yolo", files, tmp_path) == (1, ())
    (thing,) = READERS["yolo"](tmp_path)[0].instances
    assert thing.box == (32, 24, 33, 25)


@pytest.mark.parametrize("name", ["train", "test", "classes", "readme.v1", "..a", ".hidden", "a.b"])
@pytest.mark.parametrize("things", [0, 1])
def test_no_label_file_that_we_write_is_taken_for_a_list(name, things, tmp_path):
    """Their pictures lie elsewhere, and may be called as the lists of a data set are."""
    cat = Instance("cat", (2.0, 2.0, 9.0, 9.0), (2, 2, 9, 9))
    pictures = [
        Annotated("z.jpg", (64, 48), [cat]),
        Annotated(f"{name}.jpg", (64, 48), [cat] * things),
    ]
    EXPORTERS["yolo"](pictures, tmp_path)
    found = {one.file_name: len(one.instances) for one in READERS["yolo"](tmp_path)}
    assert found == {"z.jpg": 1, f"{name}.jpg": things}


def test_pictures_of_all_formats_that_are_read_are_found_beside_labels():
    assert set(picture_files.SUFFIXES) == set(file_formats.SUFFIXES)


@pytest.mark.parametrize("suffix", [".heic", ".HEIF"])
def test_a_picture_of_a_phone_is_measured_where_its_package_is(suffix, tmp_path, monkeypatch):
    write(tmp_path / "classes.txt", "cat\n")
    write(tmp_path / "labels" / "a.txt", "0 0.5 0.5 0.5 0.5\n")
    place = tmp_path / "images" / f"a{suffix}"
    write(place, "what no decoder knows")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ExportError, match=r"a HEIC picture.*gemma-vision\[heic\]"):
        READERS["yolo"](tmp_path)
    Image.new("RGB", (64, 48)).save(place, "PNG")  # which Pillow reads whatever it is called
    package = types.SimpleNamespace(register_heif_opener=lambda: None)
    monkeypatch.setitem(sys.modules, "pillow_heif", package)
    assert [(one.file_name, one.size) for one in READERS["yolo"](tmp_path)] == [
        (place.name, (64, 48))
    ]
