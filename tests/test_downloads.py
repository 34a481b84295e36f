"""Every file that a result can be taken home as opens as what it is, at the size of the picture."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from fake_engine import fake_pipeline
from PIL import Image
from pycocotools.coco import COCO
from served import CAT_AND_DOG, TWO_MASKS

from gemma_vision.web.forms.form_values import FormValues
from gemma_vision.web.jobs.downloads import (
    KINDS,
    DownloadError,
    offered,
    write_download,
)
from gemma_vision.web.jobs.visitor_answers import MAX_ANSWERS, VisitorAnswer, VisitorAnswers
from gemma_vision.web.tabs.image_run import ImageJob
from gemma_vision.web.tabs.paste_run import PasteJob, PasteValues
from postprocess.exports import READERS

SIZE = (1600, 1200)
NAME = "my photo.jpg"
SHOWN, MASKED = {"overlay", "picture", "cutouts"}, {"masks", "yolo-polygons"}
POINT = '[{"point": [500, 500], "label": "cat"}]'


@pytest.fixture(autouse=True)
def uploads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def upload(uploads: Path) -> dict[str, str]:
    """A picture as the client sends it: turned by its EXIF, with a place in it."""
    path = uploads / "hash" / "my_photo.jpg"
    path.parent.mkdir()
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "secret place"
    Image.new("RGB", SIZE[::-1], (119, 170, 221)).save(path, exif=exif)
    return {"path": str(path), "orig_name": NAME}


def asked(upload: Any, text: str = TWO_MASKS, task: str = "segment") -> VisitorAnswer:
    """What is stored of a visitor's run."""
    stored: list[VisitorAnswer | None] = []
    values = FormValues(upload, task, "cat ; dog" if task == "segment" else "What is it?")
    job = ImageJob(fake_pipeline(text), values, stored.append)
    job.begin()
    *_, answer = job.stream()
    job.finished(answer, True)
    assert stored[0] is None and stored[-1] is not None
    return stored[-1]


def pasted(text: str) -> VisitorAnswer:
    stored: list[VisitorAnswer | None] = []
    job = PasteJob(PasteValues(text, None, 640, 480, "embedded"), stored.append)
    job.begin()
    *_, answer = job.stream()
    job.finished(answer, True)
    assert stored[-1] is not None
    return stored[-1]


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_every_kind_is_offered_and_named_after_the_picture(
    upload: dict[str, str],
) -> None:
    result = asked(upload)
    assert offered(result) == list(KINDS)
    names = [write_download(result, kind).name for kind in KINDS]
    assert len(set(names)) == len(names)
    assert all(name.startswith("my_photo.") for name in names)


def test_files_lie_among_the_uploads_from_where_they_are_swept(
    upload: dict[str, str], uploads: Path
) -> None:
    assert write_download(asked(upload), "coco").is_relative_to(uploads)


@pytest.mark.parametrize("kind", ["overlay", "picture"])
def test_pictures_have_the_size_of_the_persons_own_and_no_record_of_it(
    upload: dict[str, str], kind: str
) -> None:
    path = write_download(asked(upload), kind)
    with Image.open(path) as image:
        assert image.format == "PNG" and image.size == SIZE and not image.getexif()
        is_bare = len(image.getcolors(1 << 24) or ()) == 1
    assert is_bare is (kind == "picture") and b"secret" not in path.read_bytes()


def test_the_json_is_the_answer(upload: dict[str, str]) -> None:
    result = asked(upload)
    assert json.loads(write_download(result, "answer").read_text("utf-8")) == result.answer


def test_coco_is_read_by_its_own_tools(upload: dict[str, str]) -> None:
    data = COCO(str(write_download(asked(upload), "coco")))
    assert [row["file_name"] for row in data.imgs.values()] == [NAME]
    assert [row["name"] for row in data.cats.values()] == ["cat", "dog"]
    for annotation in data.anns.values():
        mask = data.annToMask(annotation)
        assert mask.shape == SIZE[::-1] and mask.sum() == annotation["area"] > 0


@pytest.mark.parametrize("kind, numbers", [("yolo", 5), ("yolo-polygons", 7)])
def test_yolo_has_lines_of_shares_beside_its_classes(
    upload: dict[str, str], kind: str, numbers: int
) -> None:
    files = members(write_download(asked(upload), kind))
    assert files["classes.txt"].decode().split() == ["cat", "dog"]
    lines = files["labels/my photo.txt"].decode().splitlines()
    assert len(lines) == 2 and all(len(line.split()) >= numbers for line in lines)
    assert all(0 <= float(value) <= 1 for line in lines for value in line.split()[1:])


def test_labelme_has_the_keys_of_its_program_and_is_read_back(upload: dict[str, str]) -> None:
    path = write_download(asked(upload), "labelme")
    data = json.loads(path.read_text("utf-8"))
    keys = {"version", "flags", "shapes", "imagePath", "imageData", "imageHeight", "imageWidth"}
    assert data.keys() == keys and data["imagePath"] == NAME
    assert data["shapes"][0].keys() >= {"label", "points", "group_id", "shape_type", "flags"}
    (picture,) = READERS["labelme"](path)
    assert picture.size == SIZE and [one.label for one in picture.instances] == ["cat", "dog"]


def test_masks_and_cutouts_are_pictures(upload: dict[str, str]) -> None:
    result = asked(upload)
    masks = members(write_download(result, "masks"))
    parts = ("masks", "mask.1.cat", "mask.2.dog")
    assert set(masks) == {f"my_photo.{part}.png" for part in parts}
    stored = result.instances()
    with Image.open(io.BytesIO(masks["my_photo.mask.1.cat.png"])) as mask:
        assert np.array_equal(np.asarray(mask), stored[0].mask)
    cutouts = members(write_download(result, "cutouts"))
    with Image.open(io.BytesIO(cutouts["my_photo.cutout.2.dog.png"])) as cutout:
        assert cutout.mode == "RGBA"
        x0, y0, x1, y1 = stored[1].pixels
        assert cutout.size == (x1 - x0, y1 - y0)


def test_the_svg_is_xml_and_names_the_picture(upload: dict[str, str]) -> None:
    root = ElementTree.parse(write_download(asked(upload), "svg")).getroot()
    assert root.get("viewBox") == f"0 0 {SIZE[0]} {SIZE[1]}"
    image = next(root.iter("{http://www.w3.org/2000/svg}image"))
    assert image.get("href") == "my%20photo.jpg"


def test_the_line_for_paligemma_is_what_was_asked_for(upload: dict[str, str]) -> None:
    (line,) = write_download(asked(upload), "paligemma").read_text("utf-8").splitlines()
    row = json.loads(line)
    assert row["image"] == NAME and row["prefix"] == "detect cat ; dog"
    assert row["suffix"].endswith(" dog")


@pytest.mark.parametrize("kind", ["voc", "csv"])
def test_tables_are_read_back(upload: dict[str, str], kind: str) -> None:
    (picture,) = READERS[kind](write_download(asked(upload), kind))
    assert [one.label for one in picture.instances] == ["cat", "dog"]


@pytest.mark.parametrize(
    "text, missing",
    [
        pytest.param(CAT_AND_DOG, SHOWN | MASKED, id="no masks, no picture"),
        pytest.param("", {*KINDS} - {"answer"}, id="nothing found, no picture"),
        pytest.param(POINT, SHOWN | MASKED | {"yolo", "paligemma"}, id="points, no picture"),
    ],
)
def test_what_cannot_be_made_is_not_offered_and_refused(text: str, missing: set[str]) -> None:
    result = pasted(text)
    assert {*KINDS} - set(offered(result)) == missing
    for kind in offered(result):
        assert write_download(result, kind).is_file()
    with pytest.raises(DownloadError):
        write_download(result, missing.pop())


def test_words_alone_are_taken_home_as_json_and_with_their_picture(upload: dict[str, str]) -> None:
    assert offered(asked(upload, "two animals", "ask")) == ["picture", "answer"]


@pytest.mark.parametrize("kind", ["../coco", None, 3, "", "zip"])
def test_no_other_kind_is_made(upload: dict[str, str], kind: object) -> None:
    with pytest.raises(DownloadError):
        write_download(asked(upload), kind)


def test_a_picture_that_was_swept_is_said(upload: dict[str, str]) -> None:
    result = asked(upload)
    Path(upload["path"]).unlink()
    with pytest.raises(DownloadError, match="no longer here"):
        write_download(result, "overlay")
    assert write_download(result, "coco").is_file()


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a/b\\c.png", "w" * 400 + ".jpg", "\u202egnp.exe", ".jpg"]
)
def test_a_name_leads_nowhere(upload: dict[str, str], uploads: Path, name: str) -> None:
    for kind in ("answer", "yolo", "overlay"):
        path = write_download(asked(upload | {"orig_name": name}), kind)
        assert path.resolve().is_relative_to(uploads) and len(path.name.encode()) < 255


def test_each_visitor_has_their_own_answer_and_long_gone_ones_are_dropped() -> None:
    answers = VisitorAnswers()
    for number in range(MAX_ANSWERS + 1):
        answers.put(str(number), VisitorAnswer({}, name=str(number)))
    assert answers.get("0") is None
    newest = answers.get(str(MAX_ANSWERS))
    assert newest is not None and newest.name == str(MAX_ANSWERS)
    answers.put("5", None)
    assert answers.get("5") is None


def test_nothing_of_a_visitor_stands_in_the_words_for_an_answer(upload: dict[str, str]) -> None:
    shown = repr(asked(upload))
    assert not any(word in shown for word in ("cat", "my_photo", "my photo", "loc"))
