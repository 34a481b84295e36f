"""Adding: exports into folders that hold files of the user's, or of other programs."""

import csv
import json

import numpy as np
import pytest
import yaml
from PIL import Image

from postprocess.exports import EXPORTERS, READERS, Annotated, ExportError
from postprocess.instances import Instance

CAT = Instance("cat", (1.0, 2.0, 30.0, 40.0), (1, 2, 30, 40))


def picture(name="new.jpg", *things, **rest):
    return Annotated(name, (64, 48), list(things or [CAT]), **rest)


@pytest.mark.parametrize(
    "content", ["no JSON", "[]", "7", '{"messages": []}', '{"image": 7}', "[" * 100_000]
)
def test_lines_of_another_program_are_refused_and_stay(tmp_path, content):
    path = tmp_path / "train.jsonl"
    path.write_text(f"{content}\n")
    with pytest.raises(ExportError, match="has other content"):
        EXPORTERS["paligemma"]([picture()], tmp_path)
    assert path.read_text() == f"{content}\n"


def test_lines_with_odd_breaks_are_added_to(tmp_path):
    path = tmp_path / "train.jsonl"
    told = picture("told.jpg", words=("caption en", "one\u2028two\x85three"))
    EXPORTERS["paligemma"]([told], tmp_path)
    path.write_text(path.read_text() + "\r\n\n")
    EXPORTERS["paligemma"]([picture()], tmp_path)
    rows = [json.loads(line) for line in path.read_text().split("\n") if line]
    assert [row["image"] for row in rows] == ["told.jpg", "told.jpg", "new.jpg"]
    assert rows[1]["suffix"] == "one\u2028two\x85three"


def test_a_table_with_an_empty_line_is_added_to(tmp_path):
    EXPORTERS["csv"]([picture("old.jpg")], tmp_path)
    path = tmp_path / "instances.csv"
    path.write_text(path.read_text() + "\n\r\n")
    EXPORTERS["csv"]([picture()], tmp_path)
    assert [one.file_name for one in READERS["csv"](tmp_path)] == ["old.jpg", "new.jpg"]


def test_a_table_keeps_masks_of_any_length(tmp_path):
    mask = np.random.default_rng(0).random((600, 600)) > 0.5
    wild = Instance("leaves", (0.0, 0.0, 600.0, 600.0), (0, 0, 600, 600), mask)
    limit = csv.field_size_limit()
    EXPORTERS["csv"]([Annotated("wild.jpg", (600, 600), [wild])], tmp_path)
    assert max(map(len, (tmp_path / "instances.csv").read_text().split(","))) > limit
    EXPORTERS["csv"]([picture()], tmp_path)
    (first, _) = READERS["csv"](tmp_path)
    assert np.array_equal(first.instances[0].mask, mask)
    assert csv.field_size_limit() == limit


def corrected(name, *results):
    return {"id": 5, "data": {"image": name}, "annotations": [{"id": 1, "result": list(results)}]}


RECTANGLE = {
    "type": "rectanglelabels",
    "original_width": 64,
    "original_height": 48,
    "value": {"x": 0, "y": 0, "width": 50, "height": 50, "rectanglelabels": ["mug"]},
}
NOTE = {"type": "textarea", "value": {"text": ["unsure"]}}


def test_tasks_of_label_studio_are_added_to(tmp_path):
    path = tmp_path / "label_studio.json"
    theirs = [corrected("old.jpg", RECTANGLE, NOTE), {"data": {"image": "bare.jpg"}}]
    theirs[1]["predictions"] = [7]  # its number, as some exports have it
    path.write_text(json.dumps(theirs))
    EXPORTERS["label-studio"]([picture()], tmp_path)
    tasks = json.loads(path.read_text())
    assert tasks[:2] == theirs
    assert tasks[2]["data"]["image"] == "new.jpg"
    interface = (tmp_path / "label_studio.xml").read_text()
    assert '"mug"' in interface and '"cat"' in interface and "unsure" not in interface


def test_what_people_annotated_stays_beside_what_is_predicted_anew(tmp_path):
    path = tmp_path / "label_studio.json"
    path.write_text(json.dumps([corrected("new.jpg", RECTANGLE)]))
    EXPORTERS["label-studio"]([picture()], tmp_path)
    (task,) = json.loads(path.read_text())
    assert task["annotations"][0]["result"] == [RECTANGLE] and task["id"] == 5
    assert task["predictions"][0]["result"][0]["value"]["rectanglelabels"] == ["cat"]
    assert [one.label for one in READERS["label-studio"](tmp_path)[0].instances] == ["mug"]


@pytest.mark.parametrize("content", ['{"a": 1}', "[7]", '[{"data": {}}]', '[{"data": 5}]'])
def test_json_of_another_program_is_no_file_of_tasks_and_stays(tmp_path, content):
    path = tmp_path / "label_studio.json"
    path.write_text(content)
    with pytest.raises(ExportError, match="has other content"):
        EXPORTERS["label-studio"]([picture()], tmp_path)
    assert path.read_text() == content


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("data.yaml", "train: images/train\nval: images/val\nnc: 2\nnames: [dog, bird]\n"),
        ("data.yaml", "path: /there\nnames:\n  0: dog\n  1: bird\n"),
        ("obj.names", "dog\nbird\n"),
    ],
)
def test_lines_of_yolo_keep_the_names_that_they_count_by(tmp_path, name, content):
    (tmp_path / "labels").mkdir()
    (tmp_path / "images").mkdir()
    (tmp_path / "labels/old.txt").write_text("1 .5 .5 .5 .5\n")
    Image.new("RGB", (64, 48)).save(tmp_path / "images/old.png")
    (tmp_path / name).write_text(content)
    EXPORTERS["yolo"]([picture()], tmp_path)
    found = {one.file_name: one.instances[0].label for one in READERS["yolo"](tmp_path)}
    assert found == {"old.png": "bird", "new.jpg": "cat"}
    told = yaml.safe_load((tmp_path / "data.yaml").read_text())
    before = yaml.safe_load(content) if name == "data.yaml" else {}
    kept = {key: before[key] for key in before.keys() - {"names", "nc"}}
    assert told | kept == told
    assert told["names"] == {0: "dog", 1: "bird", 2: "cat"}
    assert told.get("nc", 3) == 3 and {"train", "val"} <= told.keys()


def test_what_a_coco_file_says_besides_stays(tmp_path):
    path = tmp_path / "annotations.json"
    theirs = {
        "info": {"year": 2024, "seed": 5},
        "licenses": [{"id": 1, "name": "CC"}],
        "images": [{"id": 70, "file_name": "old.jpg", "width": 9, "height": 9, "license": 1}],
        "annotations": [{"id": 8, "image_id": 70, "category_id": 3, "bbox": [1, 1, 5, 5]}],
        "categories": [
            {"id": 3, "name": "dog", "supercategory": "animal"},
            {"id": 4, "name": "zebra"},
        ],
    }
    theirs["annotations"][0]["name"] = "Rex"
    path.write_text(json.dumps(theirs))
    EXPORTERS["coco"]([picture()], tmp_path)
    data = json.loads(path.read_text())
    assert (data["info"], data["licenses"]) == (theirs["info"], theirs["licenses"])
    names = {row["id"]: row["name"] for row in data["categories"]}
    assert sorted(names.values()) == ["cat", "dog", "zebra"]
    assert [names[row["category_id"]] for row in data["annotations"]] == ["dog", "cat"]
    assert {"supercategory": "animal"}.items() <= data["categories"][0].items()


def test_a_name_that_is_found_no_more_is_no_category_any_more(tmp_path):
    EXPORTERS["coco"]([picture()], tmp_path)
    EXPORTERS["coco"]([picture("new.jpg", Instance("dog", CAT.box, CAT.pixels))], tmp_path)
    data = json.loads((tmp_path / "annotations.json").read_text())
    assert [row["name"] for row in data["categories"]] == ["dog"]
