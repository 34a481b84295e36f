"""COCO files as annotation programs write them: each scored like the plain one, or refused."""

from __future__ import annotations

import json
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from scripted_scenes import CASES, NUM_OBJECTS, PICTURES, scripted_pipeline

from gemma_vision.evaluate import DatasetError, evaluate, read_dataset
from postprocess.datasets.picture_files import upright_size

COCO = CASES / "coco"
PLAIN = "annotations.json"

# case -> its file in the folder, the folder of its pictures, what each is called
LAYOUTS: dict[str, tuple[str, str, Callable[[str], str]]] = {
    "roboflow__train__annotations.coco": (
        "train/_annotations.coco.json",
        "train",
        lambda name: name.replace(".png", "_png.rf.0a1b2c.png"),
    ),
    "cvat_instances_default": ("annotations/instances_default.json", "images", str),
    "label_studio_result": ("result.json", "images", "ab12cd34-{}".format),
    "nfd_on_disk_nfc_in_json": (PLAIN, "", lambda n: unicodedata.normalize("NFD", f"\u304c{n}")),
}
NOTICES = {
    "annotation_of_missing_image": "1 annotation of a picture that is not listed was left out",
    "box_6px_outside": "1 box reached beyond its picture",
    "normalised_bbox": "The boxes are shares",
    "one_zero_width": "1 box without an area was left out",
    "seed_word": "info.seed is 'abc'",
    "seg_empty_ring": "1 ring of fewer than three corners was left out",
    "seg_two_points": "14 rings of fewer than three corners were left out",
    "xyxy_bbox": "The boxes are x0, y0, x1, y1",
}
OTHER_AP = {"box_6px_outside", "seed_word"}  # another box; other absent names


def lay_out(case: str, folder: Path) -> Path:
    """The folder as the case's program leaves it."""
    file, place, called = LAYOUTS.get(case, (PLAIN, "", str))
    (folder / place).mkdir(parents=True, exist_ok=True)
    for path in PICTURES:
        shutil.copy(path, folder / place / called(path.name))
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(COCO / f"{case}.json", folder / file)
    return folder


@pytest.mark.parametrize("case", sorted(path.stem for path in COCO.glob("*.json")))
def test_a_file_of_another_program_is_scored_as_the_plain_one(case, tmp_path):
    folder = lay_out(case, tmp_path / "case")
    if case == "category_with_comma":
        with pytest.raises(DatasetError, match=r"'car, automobile' .* cannot be asked for"):
            read_dataset(folder)
        return
    dataset = read_dataset(folder)
    assert [NOTICES[case] in said for said in dataset.notices] == [True] * (case in NOTICES)
    scores = evaluate(scripted_pipeline(), dataset)
    assert scores["n_objects"] == NUM_OBJECTS
    if case not in OTHER_AP:
        plain = evaluate(scripted_pipeline(), read_dataset(lay_out("base", tmp_path / "base")))
        for key in ("ap", "ap50", "recall50", "mean_box_iou", "absent_empty"):
            assert scores[key] == plain[key], key


def test_a_data_set_may_be_named_by_its_file(tmp_path):
    folder = lay_out("cvat_instances_default", tmp_path)
    dataset = read_dataset(folder / "annotations" / "instances_default.json")
    assert dataset.scenes == read_dataset(folder).scenes


def test_names_in_capitals_are_asked_in_small_letters_and_score_the_same(tmp_path):
    folder = lay_out("base", tmp_path)
    small = evaluate(scripted_pipeline(), read_dataset(folder))
    data = json.loads((folder / PLAIN).read_text())
    for row in data["categories"]:
        row["name"] = row["name"].upper()
    (folder / PLAIN).write_text(json.dumps(data))
    pipeline = scripted_pipeline()
    large = evaluate(pipeline, read_dataset(folder))
    assert large | {"seconds_per_image": 0} == small | {"seconds_per_image": 0}
    assert all(prompt.text == prompt.text.lower() for prompt in pipeline.engine.prompts)


def test_a_category_of_number_0_and_an_annotation_of_number_0_count(tmp_path):
    """pycocotools takes an annotation of number 0 for none."""
    folder = lay_out("ids_from_0", tmp_path)
    coco = read_dataset(folder).coco
    assert [row["id"] for row in coco["annotations"]] == list(range(1, NUM_OBJECTS + 1))


def two_rows(folder: Path, *names: str) -> Path:
    """A data set of one picture file that is listed by several names, a thing each."""
    shutil.copy(PICTURES[0], folder / "a.png")
    width, height = upright_size(PICTURES[0])
    images = [
        {"id": n, "file_name": name, "width": width, "height": height}
        for n, name in enumerate(names, 1)
    ]
    rows = [
        {"id": n, "image_id": n, "category_id": 1, "bbox": [10 * n, 2, 5, 5]}
        for n in range(1, len(names) + 1)
    ]
    data = {"images": images, "annotations": rows, "categories": [{"id": 1, "name": "car"}]}
    (folder / PLAIN).write_text(json.dumps(data))
    return folder


def test_a_picture_that_is_listed_twice_is_one_with_the_things_of_both(tmp_path):
    """As two, each would be asked about and learned without what the other shows."""
    dataset = read_dataset(two_rows(tmp_path, "a.png", "a.png"))
    assert [[thing.box[0] for thing in scene.things] for scene in dataset.scenes] == [[10, 20]]
    assert "1 picture is listed twice" in dataset.notices[0]


def test_what_is_written_again_with_a_picture_is_there_once(tmp_path):
    """A picture with its things under a second id: twice there, each would be missed once."""
    path = two_rows(tmp_path, "a.png", "a.png") / PLAIN
    data = json.loads(path.read_text())
    data["annotations"].append(data["annotations"][0] | {"id": 9, "image_id": 2})
    path.write_text(json.dumps(data))
    dataset = read_dataset(tmp_path)
    assert [[thing.box[0] for thing in scene.things] for scene in dataset.scenes] == [[10, 20]]
    assert "1 annotation that is listed twice was left out" in " ".join(dataset.notices)


def test_two_pictures_are_never_found_as_one_file(tmp_path):
    folder = two_rows(tmp_path, "train/a.png", "val/a.png")
    with pytest.raises(DatasetError, match=r"train/a\.png and val/a\.png are both found as"):
        read_dataset(folder)


@pytest.mark.parametrize(
    "name", ["https://host.example/d/a.png?key=1", "s3://bucket/d/a.png", "0a1b2c3d-a.png"]
)
def test_a_picture_is_found_by_its_address_or_its_upload(name, tmp_path):
    assert read_dataset(two_rows(tmp_path, name)).scenes[0].path == tmp_path / "a.png"


def test_crowds_are_told(tmp_path):
    """CVAT marks what was drawn with a brush as one."""
    data = json.loads((two_rows(tmp_path, "a.png", "b.png") / PLAIN).read_text())
    data["images"].pop()
    data["annotations"][1] |= {"image_id": 1, "iscrowd": 1}
    (tmp_path / PLAIN).write_text(json.dumps(data))
    assert any("1 thing is marked as a crowd" in said for said in read_dataset(tmp_path).notices)
