"""What a program or a notebook does with an answer: see it, take its arrays, save it."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_engine import CAT_AND_DOG, CAT_WITH_MASK, FakeDecoder, fake_pipeline
from PIL import Image

import gemma_vision
from gemma_vision.answers.answer import MAX_PREVIEW, Answer
from gemma_vision.answers.saving import FILES
from gemma_vision.images.opening import open_image
from gemma_vision.requests.request import Request
from gemma_vision.requests.validation import TaskError
from postprocess.errors import UserError
from postprocess.exports import EXPORTERS, READERS
from postprocess.overlay import OverlayError

BOX = "<loc0102><loc0102><loc0512><loc0460>"


def found(script: str, picture: object, **options: object) -> Answer:
    return fake_pipeline(script, **options).segment(picture, "cat")


@pytest.mark.parametrize(
    "script, begins",
    [
        pytest.param(CAT_AND_DOG, "Answer: 2 things (cat 0.90, dog 0.90), stop, ", id="two"),
        pytest.param(f"{BOX} cat", "Answer: 1 thing (cat 0.90), stop, ", id="one"),
        pytest.param(
            " ; ".join(f"<loc{n:04d}><loc0102><loc0512><loc0460> c{n}" for n in range(8)),
            "Answer: 8 things (c0 0.90, c1 0.90, c2 0.90, c3 0.90, c4 0.90, c5 0.90, ...), stop",
            id="more than are named",
        ),
        pytest.param("a secret on a mat", "Answer: 5 words, stop, ", id="words"),
        pytest.param("", "Answer: nothing found, stop, ", id="nothing"),
        pytest.param(f"{BOX} {'x' * 99}", f"Answer: 1 thing ({'x' * 30}... 0.90)", id="long"),
    ],
)
def test_an_answer_prints_what_was_found_in_a_line(script: str, begins: str, picture) -> None:
    said = repr(found(script, picture))
    assert said.startswith(begins)
    assert "secret" not in said and "\n" not in said


def test_json_that_is_changed_changes_no_answer(picture) -> None:
    answer = found(CAT_WITH_MASK, picture, decoder=FakeDecoder())
    as_it_was = json.dumps(answer.to_dict())
    (thing,) = answer.to_dict()["instances"]
    for value in (thing["box"], thing["pixels"], thing["mask"]["size"], thing["polygons"][0][0]):
        value.clear()
    thing["mask"]["counts"] = None
    assert json.dumps(answer.to_dict()) == as_it_was


def test_a_picture_at_home_is_found_and_not_written_over(tmp_path, picture, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    picture.save(tmp_path / "a.png")
    answer = found(CAT_AND_DOG, "~/a.png")
    assert answer.size == picture.size
    for name in ("~/a.png", tmp_path / "a.png"):
        with pytest.raises(TaskError, match="is the picture itself"):
            answer.save(name)


def test_an_answer_without_clock_or_end_says_no_more_than_it_knows() -> None:
    read = gemma_vision.read(f"{BOX} cat", (64, 48))
    assert repr(read) == "Answer: 1 thing (cat), stop"
    assert repr(replace(read, finish=None)) == "Answer: 1 thing (cat), growing"


def test_a_request_prints_its_task_and_what_is_not_as_always() -> None:
    request = Request(["a", "secret.png"], "ask", "secret?", max_tokens=64, language="ja")
    assert repr(request) == "Request(ask, 2 pictures, language='ja', max_tokens=64)"
    assert repr(Request("secret.png", "detect", "secret")) == "Request(detect, 1 picture)"


def test_a_thing_prints_in_a_line(picture) -> None:
    thing, other = found(f"{CAT_WITH_MASK} ; {BOX} dog", picture).instances
    assert repr(thing).startswith("Instance('cat', box=(") and "\n" not in repr(thing)
    assert repr(thing).endswith("), score=0.90, mask=640x480)") and len(repr(thing)) < 100
    assert repr(other).endswith("), score=0.90)")
    assert "point=(" in repr(replace(other, point=(1.0, 2.26), score=None))
    assert repr(replace(other, point=(1.0, 2.26), score=None)).endswith("point=(1.0, 2.3))")


def test_a_pipeline_prints_its_checkpoint_and_what_it_can_do() -> None:
    assert repr(fake_pipeline(BOX)).startswith("Pipeline(fake: detect, segment, ")


def test_a_notebook_shows_the_overlay_at_most_1024_wide() -> None:
    large = Image.new("RGB", (2048, 512), "grey")
    shown = Image.open(io.BytesIO(found(CAT_AND_DOG, large)._repr_png_() or b""))
    assert (shown.format, shown.size) == ("PNG", (MAX_PREVIEW, 256))
    assert len(np.unique(np.asarray(shown))) > 1  # boxes lie on it


def test_a_notebook_shows_the_picture_where_nothing_was_found(picture) -> None:
    answer = found("a mat", picture)
    shown = Image.open(io.BytesIO(answer._repr_png_() or b""))
    assert shown.tobytes() == answer.image.tobytes()


def test_a_notebook_shows_words_alone_where_there_is_no_picture() -> None:
    assert gemma_vision.read(f"{BOX} cat", (64, 48))._repr_png_() is None


def test_the_columns_are_the_instances(picture) -> None:
    answer = found(f"{CAT_WITH_MASK} ; {BOX} dog", picture)
    assert answer.labels == ["cat", "dog"]
    assert answer.boxes.dtype == answer.scores.dtype == np.float32
    assert np.allclose(answer.boxes, [instance.box for instance in answer.instances])
    assert np.allclose(answer.scores, 0.9)
    masks = answer.masks
    assert masks is not None and masks.dtype == bool and masks.shape == (2, 480, 640)
    assert np.array_equal(masks[0], answer.instances[0].mask) and not masks[1].any()


def test_columns_of_nothing_keep_their_shapes(picture) -> None:
    answer = found("", picture)
    assert (answer.boxes.shape, answer.scores.shape, answer.labels) == ((0, 4), (0,), [])
    assert answer.masks is None


def test_scores_that_nobody_knows_are_no_numbers() -> None:
    read = gemma_vision.read(f"{BOX} cat", (64, 48))
    assert np.isnan(read.scores).tolist() == [True] and read.masks is None


@pytest.mark.parametrize(
    "suffix, kind", [(suffix, kind) for kind, ends in FILES.items() for suffix in ends]
)
def test_a_file_is_of_the_kind_that_it_is_saved_as(
    suffix: str, kind: str, picture, tmp_path: Path
) -> None:
    path = tmp_path / "new" / f"seen{suffix}"
    assert found(CAT_WITH_MASK, picture).save(path, kind) == [path]
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    if suffix in (".png", ".jpg", ".jpeg", ".webp"):
        assert open_image(path).size == (640, 480)
    elif suffix == ".json":
        assert json.loads(path.read_text())
    else:
        assert "cat" in path.read_text()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("photo.jpg", id="its name"),
        pytest.param("PHOTOS/../photo.jpg", id="another way there"),
        pytest.param("link.jpg", id="a link"),
        pytest.param("twin.jpg", id="a hard link"),
    ],
)
@pytest.mark.parametrize(
    "given",
    [
        pytest.param(str, id="a name"),
        pytest.param(Path, id="a path"),
        pytest.param(Image.open, id="opened by Pillow"),
        pytest.param(lambda path: path.open("rb"), id="an open file"),
    ],
)
def test_a_picture_is_never_written_over_by_its_answer(given, name, picture_file, tmp_path) -> None:
    photo = tmp_path / "photo.jpg"
    with Image.open(picture_file) as image:
        image.convert("RGB").save(photo)
    (tmp_path / "PHOTOS").mkdir()
    (tmp_path / "link.jpg").symlink_to(photo)
    (tmp_path / "twin.jpg").hardlink_to(photo)
    content = photo.read_bytes()
    picture = given(photo)
    answer = found(CAT_WITH_MASK, picture)
    with pytest.raises(TaskError, match="is the picture itself") as caught:
        answer.save(tmp_path / name)
    assert caught.value.code == "E_TARGET"
    assert photo.read_bytes() == content
    assert answer.save(tmp_path / "other.jpg")
    read = gemma_vision.read(CAT_WITH_MASK, image=picture)
    with pytest.raises(TaskError, match="is the picture itself"):
        read.save(tmp_path / name)
    assert photo.read_bytes() == content
    assert read.save(tmp_path / "read.jpg")
    getattr(picture, "close", str)()


@pytest.mark.parametrize("kind", [kind for kind in EXPORTERS if kind in FILES])
def test_the_table_says_what_the_exporters_write(kind: str, picture, tmp_path: Path) -> None:
    (written,) = found(CAT_WITH_MASK, picture).save(tmp_path / "out", kind)
    assert written.suffix in FILES[kind]


@pytest.mark.parametrize("suffix", [".png", ".json", ".csv", ".svg", ".xml", ".jsonl", ".JPG"])
def test_a_suffix_alone_says_what_is_written(suffix: str, picture, tmp_path: Path) -> None:
    answer = found(CAT_WITH_MASK, picture)
    (path,) = answer.save(tmp_path / f"seen{suffix}")
    assert path.is_file()
    if suffix == ".json":
        assert json.loads(path.read_text()) == answer.to_dict()


@pytest.mark.parametrize("kind", EXPORTERS)
def test_every_kind_goes_into_a_folder(kind: str, picture, tmp_path: Path) -> None:
    written = found(CAT_WITH_MASK, picture).save(tmp_path / "out", kind)
    assert written and all(path.is_relative_to(tmp_path / "out") for path in written)


def test_data_sets_call_the_picture_by_its_file(picture_file: Path, tmp_path: Path) -> None:
    found(CAT_AND_DOG, picture_file).save(tmp_path, "coco")
    assert READERS["coco"](tmp_path)[0].file_name == picture_file.name


@pytest.mark.parametrize(
    "name, kind, said",
    [
        pytest.param("seen", None, r"\.png, .*\.json.*overlay, coco", id="neither"),
        pytest.param("seen.bmp", None, r"\.png, .*\.json.*overlay, coco", id="unknown suffix"),
        pytest.param("seen.png", "gif", r"'gif'.*answer, overlay, coco", id="unknown kind"),
        pytest.param("seen.csv", "coco", r"coco is written as \.json", id="of another suffix"),
        pytest.param("seen.png", "masks", r"masks is several files.*folder", id="several files"),
        pytest.param("seen", "answer", r"name it, for example .*answer\.json", id="a file"),
    ],
)
def test_what_cannot_be_written_names_what_can(
    name: str, kind: str | None, said: str, picture, tmp_path: Path
) -> None:
    with pytest.raises(TaskError, match=said) as caught:
        found(CAT_AND_DOG, picture).save(tmp_path / name, kind)
    assert caught.value.code == "E_KIND" and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "target",
    [None, 5, b"seen.png", True, ["seen.png"], io.BytesIO()],
    ids=["None", "5", "bytes", "True", "list", "BytesIO"],
)
def test_what_is_no_path_is_told(target: object, picture) -> None:
    with pytest.raises(
        UserError, match=r" came; give the path of a file or folder, as a"
    ) as caught:
        found(f"{BOX} cat", picture).save(target)
    assert caught.value.code == "E_PATH"


@pytest.mark.parametrize(
    "target", ["https://a.org/seen.png", Path("s3://seen"), "file:///seen.png"]
)
def test_an_answer_is_saved_to_no_address(target, picture, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TaskError, match=r"://.*seen.* is an address; .* Name a file") as caught:
        found(f"{BOX} cat", picture).save(target)
    assert caught.value.code == "E_TARGET" and not list(tmp_path.iterdir())


def test_an_overlay_goes_onto_whatever_shows_a_picture(tmp_path: Path) -> None:
    picture = Image.effect_noise((80, 60), 90).convert("RGB")
    answer = found(CAT_AND_DOG, picture)
    picture.save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    for one in (np.asarray(picture), tmp_path / "a.png", str(tmp_path / "a.png"), data, picture):
        assert answer.overlay(one).tobytes() == answer.overlay().tobytes()


@pytest.mark.parametrize("script", [CAT_AND_DOG, CAT_WITH_MASK, ""], ids=["boxes", "mask", "none"])
def test_an_overlay_onto_a_picture_of_another_size_is_refused(script: str, picture) -> None:
    answer = found(script, picture)
    for other in (Image.new("RGB", (9, 9)), np.zeros((9, 9, 3), np.uint8)):
        with pytest.raises(OverlayError, match="9 x 9"):
            answer.overlay(other)


def test_an_overlay_needs_its_picture(tmp_path: Path) -> None:
    read = gemma_vision.read(f"{BOX} cat", (64, 48))
    with pytest.raises(ValueError, match="picture"):
        read.save(tmp_path / "seen.png")
    assert read.save(tmp_path / "seen.csv")[0].is_file()
