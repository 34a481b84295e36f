"""One data set written in sixty ways: every door gives the same, or one sentence.

The doors are `eval`, the converter and the reader that fine-tuning uses. None ends in a traceback,
and none with scores of nothing.
"""

from __future__ import annotations

import json
import shutil
import unicodedata
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask
from scripted_scenes import BASE, NUM_OBJECTS, PICTURES, scripted_pipeline

from gemma_vision.cli import score
from gemma_vision.cli.program import main as gemma_vision_main
from gemma_vision.evaluate import DatasetError, read_dataset
from gemma_vision.finetuning.data.dataset_checks import read_folder
from postprocess.__main__ import main as convert
from postprocess.datasets import READERS

JSON = dict[str, Any]
NAN, INFINITY = float("nan"), float("inf")
SIDE = 224  # of every picture
SCORES = "n_images n_objects recall50 recall75 ap50 ap mean_box_iou absent_empty".split()  # noqa: SIM905


@dataclass(frozen=True)
class Mutation:
    """What is done to the file or to its folder, and what becomes of it.

    lost: how many things are left out. said: part of a notice, or of the sentence that refuses it.
    asks: only doors that ask for names refuse it.
    """

    change: Callable[[JSON], Any] = lambda data: None
    folder: Callable[[Path], Any] = lambda folder: None
    lost: int = 0
    said: str = ""
    refused: bool = False
    asks: bool = False
    moves_boxes: bool = False


def rows(
    key: str, change: Callable[[JSON], Any], count: int | None = None
) -> Callable[[JSON], Any]:
    """A change of every row of a kind, or of the first so many."""

    def run(data: JSON) -> None:
        for row in data[key][:count]:
            change(row)

    return run


def put(key: str, **values: Any) -> Callable[[JSON], Any]:
    return rows(key, lambda row: row.update(values))


def first(**values: Any) -> Callable[[JSON], Any]:
    return rows("annotations", lambda row: row.update(values), 1)


def drop(key: str, *names: str, count: int | None = None) -> Callable[[JSON], Any]:
    return rows(key, lambda row: [row.pop(name, None) for name in names], count)


def boxes(form: Callable[[float, float, float, float], Any], **also: Any) -> Callable[[JSON], Any]:
    """Every box written another way."""
    return rows("annotations", lambda row: row.update(bbox=form(*row["bbox"]), **also))


def masks(form: Callable[[JSON], Any], *without: str) -> Callable[[JSON], Any]:
    """Every mask written another way."""

    def change(row: JSON) -> None:
        row["segmentation"] = form(row["segmentation"])
        for name in without:
            row.pop(name)

    return rows("annotations", change)


def uncompressed(runs: JSON) -> JSON:
    flat = np.asarray(coco_mask.decode(runs)).ravel(order="F")
    edges = np.flatnonzero(np.diff(np.r_[0, flat, 0]))
    counts = np.diff(np.r_[0, edges, flat.size]).tolist()
    return {"size": runs["size"], "counts": counts}


def square(row: JSON) -> list[float]:
    x, y, w, h = row["bbox"]
    return [x, y, x + w, y, x + w, y + h, x, y + h]


def outlines(form: Callable[[list[float]], Any], *without: str) -> Callable[[JSON], Any]:
    """Every mask a polygon around its box, written so."""

    def change(row: JSON) -> None:
        row["segmentation"] = form(square(row))
        for name in without:
            row.pop(name)

    return rows("annotations", change)


def by_stem(data: JSON) -> None:
    stems = {row["id"]: Path(row["file_name"]).stem for row in data["images"]}
    for row in data["annotations"]:
        row["image_id"] = stems[row["image_id"]]


def renumber(data: JSON, by: Callable[[int], Any]) -> None:
    """All ids of pictures and of names, and what refers to them."""
    for key in ("images", "categories"):
        for row in data[key]:
            row["id"] = by(row["id"])
    for row in data["annotations"]:
        row["image_id"], row["category_id"] = by(row["image_id"]), by(row["category_id"])


def capitals(data: JSON) -> None:
    for row in data["categories"]:
        row["name"] = row["name"].title()


def twice_the_name(data: JSON) -> None:
    """Half of the cars under a second category of their name."""
    data["categories"].append({"id": 99, "name": "Car"})
    cars = [row for row in data["annotations"] if row["category_id"] == 3]
    cars[0]["category_id"] = 99


def in_folder(name: str) -> Callable[[Path], Any]:
    """The pictures moved into a folder."""

    def move(folder: Path) -> None:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for path in folder.glob("*.png"):
            path.rename(folder / name / path.name)

    return move


def renamed(by: Callable[[str], str]) -> Callable[[Path], Any]:
    def run(folder: Path) -> None:
        for path in list(folder.glob("*.png")):
            path.rename(folder / by(path.name))

    return run


def file_names(by: Callable[[str], str]) -> Callable[[JSON], Any]:
    return rows("images", lambda row: row.update(file_name=by(row["file_name"])))


def as_file(name: str, *, of_pictures: str = "") -> Callable[[Path], Any]:
    """The annotations under another name, the pictures in a folder of theirs."""

    def run(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "annotations.json").rename(folder / name)
        if of_pictures:
            in_folder(of_pictures)(folder)

    return run


def encoded(encoding: str) -> Callable[[Path], Any]:
    def run(folder: Path) -> None:
        path = folder / "annotations.json"
        path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))

    return run


MUTATIONS = {
    # ids
    "ids from 0": Mutation(lambda d: renumber(d, lambda n: n - 1)),
    "annotation ids from 0": Mutation(rows("annotations", lambda r: r.update(id=r["id"] - 1))),
    "ids as text": Mutation(lambda d: renumber(d, str)),
    "ids as words": Mutation(lambda d: renumber(d, "n{}".format)),
    "ids as floats": Mutation(lambda d: renumber(d, float)),
    "image ids as text": Mutation(
        rows("annotations", lambda r: r.update(image_id=str(r["image_id"])))
    ),
    "image ids as file stems": Mutation(by_stem),
    "no annotation ids": Mutation(drop("annotations", "id")),
    "equal annotation ids": Mutation(put("annotations", id=7)),
    "an annotation twice": Mutation(
        lambda d: d["annotations"].append(dict(d["annotations"][0])), said="listed twice"
    ),
    "a picture twice": Mutation(lambda d: d["images"].append(dict(d["images"][0]))),
    "two pictures of one id": Mutation(
        lambda d: d["images"][1].update(id=1), refused=True, said="have the id 1"
    ),
    "two names of one id": Mutation(
        lambda d: d["categories"][1].update(id=1), refused=True, said="have the id 1"
    ),
    "no such picture": Mutation(first(image_id=777), lost=1, said="not listed"),
    "no such pictures": Mutation(
        put("annotations", image_id=777), refused=True, said="None of its"
    ),
    "no such name": Mutation(first(category_id=777), refused=True, said="777, which is not listed"),
    "names for category ids": Mutation(
        rows(
            "annotations",
            lambda r: r.update(
                category_id=next(
                    c["name"] for c in BASE["categories"] if c["id"] == r["category_id"]
                )
            ),
        )
    ),
    # names
    "names in capitals": Mutation(capitals),
    "spaces around names": Mutation(rows("categories", lambda r: r.update(name=f" {r['name']} "))),
    "two categories of one name": Mutation(twice_the_name, said="has the name of another"),
    "a root of all names": Mutation(
        lambda d: d["categories"].insert(0, {"id": 0, "name": "x", "supercategory": "none"})
    ),
    "a name with a comma": Mutation(
        lambda d: d["categories"][2].update(name="car, automobile"),
        refused=True,
        asks=True,
        said="cannot be asked for",
    ),
    "an empty name": Mutation(
        lambda d: d["categories"][2].update(name=" "),
        refused=True,
        asks=True,
        said="cannot be asked",
    ),
    "a name that is a token": Mutation(
        lambda d: d["categories"][2].update(name="<loc0001>"),
        refused=True,
        asks=True,
        said="cannot be asked for",
    ),
    "no name": Mutation(drop("categories", "name", count=1), refused=True, said="has no name"),
    "no categories": Mutation(
        lambda d: d.pop("categories"), refused=True, said="categories is not"
    ),
    # boxes
    "boxes as text": Mutation(boxes(lambda *v: [str(n) for n in v])),
    "no boxes but masks": Mutation(drop("annotations", "bbox")),
    "empty boxes but masks": Mutation(put("annotations", bbox=[])),
    "one box is NaN": Mutation(first(bbox=[NAN, 1, 2, 3])),
    "one box is Infinity": Mutation(
        first(bbox=[1, 1, INFINITY, 3], segmentation=[]), lost=1, said="neither a box nor a mask"
    ),
    "one box is a word": Mutation(first(bbox="all", segmentation=None), lost=1, said="neither"),
    "one box has three numbers": Mutation(
        first(bbox=[1, 2, 3], segmentation=[]), lost=1, said="left out"
    ),
    "one box is thin": Mutation(
        first(bbox=[5, 5, 0, 9], segmentation=[]), lost=1, said="1 box without an area"
    ),
    "one box is negative": Mutation(
        first(bbox=[50, 50, -9, 9], segmentation=[]), lost=1, said="an area"
    ),
    "one box is far away": Mutation(
        first(bbox=[900, 900, 9, 9], segmentation=[]), lost=1, said="outside"
    ),
    "one box is huge": Mutation(
        first(bbox=[20, 3, 1e300, 1e300], segmentation=[]), moves_boxes=True, said="cut off"
    ),
    "one box reaches out": Mutation(
        first(bbox=[150, 3, 99, 125], segmentation=[]), moves_boxes=True, said="cut off"
    ),
    "normalised": Mutation(boxes(lambda *v: [n / SIDE for n in v]), said="shares"),
    "normalised middles": Mutation(
        boxes(lambda x, y, w, h: [(x + w / 2) / SIDE, (y + h / 2) / SIDE, w / SIDE, h / SIDE]),
        said="middles",
    ),
    "corners": Mutation(boxes(lambda x, y, w, h: [x, y, x + w, y + h]), said="x0, y0, x1, y1"),
    "corners without masks": Mutation(
        boxes(lambda x, y, w, h: [x, y, x + w, y + h], segmentation=[]), said="x0, y0, x1, y1"
    ),
    "most boxes far away": Mutation(
        boxes(lambda x, y, w, h: [x + 500, y, w, h], segmentation=[]),
        refused=True,
        said="mostly outside",
    ),
    "no boxes, no masks": Mutation(
        drop("annotations", "bbox", "segmentation"), refused=True, said=" no things"
    ),
    "no area, no iscrowd": Mutation(drop("annotations", "area", "iscrowd")),
    "null area and iscrowd": Mutation(put("annotations", area=None, iscrowd=None)),
    # masks
    "runs as lists": Mutation(masks(uncompressed, "bbox")),
    "runs without a size": Mutation(masks(lambda r: {"counts": r["counts"]})),
    "runs cut off": Mutation(
        masks(lambda r: {**r, "counts": r["counts"][:-3]}), said="cannot be read"
    ),
    "runs of a huge size": Mutation(
        masks(lambda r: {"size": [10**9, 10**9], "counts": r["counts"]}),
        refused=True,
        said="its picture",
    ),
    "runs of huge counts": Mutation(
        masks(lambda r: {"size": [SIDE, SIDE], "counts": [0, 2**60]}), said="cannot be read"
    ),
    "runs below 0": Mutation(
        masks(lambda r: {"size": [SIDE, SIDE], "counts": [-5, 5 + SIDE * SIDE]}),
        said="cannot be read",
    ),
    "masks that are text": Mutation(put("annotations", segmentation="x"), said="cannot be read"),
    "flat outlines": Mutation(outlines(lambda ring: ring, "bbox")),
    "outlines of pairs": Mutation(
        outlines(lambda ring: [[ring[k : k + 2] for k in range(0, 8, 2)]], "bbox")
    ),
    "normalised outlines": Mutation(
        outlines(lambda ring: [[n / SIDE for n in ring]], "bbox"), said="outlines are shares"
    ),
    "outlines and empty rings": Mutation(
        outlines(lambda ring: [[], ring], "bbox"), said="three corners"
    ),
    "rings of two points": Mutation(
        outlines(lambda ring: [ring[:4]]), said="fewer than three corners"
    ),
    "rings of odd numbers": Mutation(
        outlines(lambda ring: [ring[:7]]), said="fewer than three corners"
    ),
    "rings of NaN": Mutation(outlines(lambda ring: [[NAN] * 8]), said="fewer than three corners"),
    "rings without end": Mutation(outlines(lambda ring: [[*ring, 1e300, 1e300]])),
    "crowds as text": Mutation(put("annotations", iscrowd="0")),
    "crowds only": Mutation(put("annotations", iscrowd=1), said="marked as a crowd"),
    # pictures
    "no sizes": Mutation(drop("images", "width", "height")),
    "sizes as text": Mutation(put("images", width="224", height="224")),
    "sizes of another picture": Mutation(
        put("images", width=448, height=448), refused=True, said="448 x 448"
    ),
    "a huge size": Mutation(put("images", width=10**9, height=10**9), refused=True, said="at most"),
    "negative sizes": Mutation(
        put("images", width=-1, height=5), refused=True, said="at least 1 x 1"
    ),
    "no file names": Mutation(drop("images", "file_name"), refused=True, said="has no file_name"),
    "back slashes": Mutation(file_names("images\\{}".format), in_folder("images")),
    "paths of another machine": Mutation(file_names("/home/me/data/{}".format)),
    "paths out of the folder": Mutation(file_names("../../{}".format)),
    "paths of Windows": Mutation(file_names("C:\\data\\{}".format)),
    "suffixes in capitals": Mutation(folder=renamed(lambda name: name.replace(".png", ".PNG"))),
    "accents apart on the disk": Mutation(
        file_names("é{}".format), renamed(lambda name: unicodedata.normalize("NFD", f"é{name}"))
    ),
    "no pictures": Mutation(lambda d: d.update(images=[]), refused=True, said="lists no pictures"),
    "no things": Mutation(lambda d: d.update(annotations=[]), refused=True, said=" no things"),
    "no annotations": Mutation(lambda d: d.pop("annotations"), refused=True, said=" no things"),
    # files
    "a byte-order mark": Mutation(folder=encoded("utf-8-sig")),
    "UTF-16": Mutation(folder=encoded("utf-16")),
    "a seed that is a word": Mutation(lambda d: d.update(info={"seed": "900123"})),
    "info that is a list": Mutation(lambda d: d.update(info=[]), moves_boxes=True),
    "rows that are lists": Mutation(lambda d: d.update(images=[[1]]), refused=True, said="no COCO"),
    "annotations by id": Mutation(
        lambda d: d.update(annotations={"1": d["annotations"][0]}), refused=True, said="no COCO"
    ),
    "half a file": Mutation(
        folder=lambda f: (f / "annotations.json").write_text('{"images": ['),
        refused=True,
        said="no COCO",
    ),
    "brackets without end": Mutation(
        folder=lambda f: (f / "annotations.json").write_text("[" * 10**5),
        refused=True,
        said="no COCO",
    ),
    "no file": Mutation(
        folder=lambda f: (f / "annotations.json").unlink(), refused=True, said="ooked for"
    ),
    "Roboflow": Mutation(folder=as_file("train/_annotations.coco.json", of_pictures="train")),
    "CVAT": Mutation(folder=as_file("annotations/instances_default.json", of_pictures="images")),
    "CVAT by subset": Mutation(
        folder=as_file("annotations/instances_default.json", of_pictures="images/default")
    ),
    "COCO": Mutation(folder=as_file("annotations/instances_val2017.json", of_pictures="val2017")),
    "Label Studio": Mutation(folder=as_file("result.json", of_pictures="images")),
    "FiftyOne": Mutation(folder=as_file("labels.json", of_pictures="data")),
    "two files": Mutation(
        folder=lambda f: (
            [
                (f / split).mkdir()
                or shutil.copy(f / "annotations.json", f / split / "_annotations.coco.json")
                for split in ("train", "valid")
            ]
            and (f / "annotations.json").unlink()
        ),
        refused=True,
        said="Name one of them",
    ),
}


@pytest.fixture(scope="module")
def pipeline():
    return scripted_pipeline()


@pytest.fixture
def mutated(tmp_path: Path):
    """Writes the data set as a mutation has it."""

    def write(mutation: Mutation) -> Path:
        folder = tmp_path / "data"
        folder.mkdir()
        for path in PICTURES:
            shutil.copy(path, folder)
        data = deepcopy(BASE)
        mutation.change(data)
        (folder / "annotations.json").write_text(json.dumps(data), encoding="utf-8")
        mutation.folder(folder)
        return folder

    return write


@pytest.fixture(scope="module")
def truth(pipeline, tmp_path_factory) -> JSON:
    """The scores of the data set as it is."""
    folder = tmp_path_factory.mktemp("base")
    for path in PICTURES:
        shutil.copy(path, folder)
    (folder / "annotations.json").write_text(json.dumps(BASE))
    from gemma_vision.evaluate import evaluate

    scores = evaluate(pipeline, read_dataset(folder))
    assert (scores["n_objects"], scores["recall50"]) == (NUM_OBJECTS, 1.0) and scores["ap"] < 1
    return scores


def assert_one_sentence(error: str) -> None:
    assert error.count("\n") <= 1 and "Traceback" not in error and len(error) < 500


@pytest.mark.parametrize("name", MUTATIONS)
def test_eval_gives_the_same_scores_or_one_sentence(
    name, mutated, pipeline, truth, monkeypatch, capsys
):
    mutation = MUTATIONS[name]
    monkeypatch.setattr(score, "load", lambda *given, **more: pipeline)
    code = gemma_vision_main(["eval", str(mutated(mutation))])
    out, error = capsys.readouterr()
    assert mutation.said in error
    if mutation.refused:
        assert (code, out) == (2, "")
        assert_one_sentence(error.splitlines()[-1])
        return
    scores = json.loads(out)
    assert code == 0 and scores["n_objects"] == NUM_OBJECTS - mutation.lost
    if not mutation.moves_boxes and not mutation.lost:
        assert {key: scores[key] for key in SCORES} == {key: truth[key] for key in SCORES}


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_converter_writes_the_same_boxes_or_one_sentence(name, mutated, tmp_path, capsys):
    mutation, out = MUTATIONS[name], tmp_path / "out"
    code = convert([str(mutated(mutation)), "--from", "coco", "--to", "csv", "--out", str(out)])
    _, error = capsys.readouterr()
    if mutation.refused and not mutation.asks:
        assert code == 2 and mutation.said in error and not out.exists()
        assert_one_sentence(error.splitlines()[-1])
        return
    assert code == 0
    found = [one.box for picture in READERS["csv"](out) for one in picture.instances]
    assert len(found) == NUM_OBJECTS - mutation.lost
    if not mutation.moves_boxes and not mutation.lost:
        wanted = [(x, y, x + w, y + h) for x, y, w, h in (r["bbox"] for r in BASE["annotations"])]
        assert np.allclose(sorted(found), sorted(wanted), atol=1e-6)


@pytest.mark.parametrize("name", MUTATIONS)
def test_fine_tuning_reads_the_same_things_or_one_sentence(name, mutated):
    mutation = MUTATIONS[name]
    folder = mutated(mutation)
    if mutation.refused:
        with pytest.raises(DatasetError) as caught:
            read_folder(folder)
        assert mutation.said in str(caught.value)
        assert_one_sentence(str(caught.value))
        return
    dataset = read_folder(folder)
    assert sum(len(scene.objects) for scene in dataset.scenes) == NUM_OBJECTS - mutation.lost
    assert any(mutation.said in notice for notice in dataset.notices) or not mutation.said
