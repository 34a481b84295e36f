"""Many pictures at once: what is taken, what is refused, what is written."""

from __future__ import annotations

import gc
import json
import time
import zipfile
from pathlib import Path

import pytest
from fake_engine import FakeEngine, fake_pipeline
from PIL import Image
from served import TWO_MASKS

from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.prompts import FAMILIES
from gemma_vision.requests.validation import TaskError
from gemma_vision.web.jobs import batch_state
from gemma_vision.web.jobs.batch_state import BatchState, UnfinishedBatches
from gemma_vision.web.jobs.downloads import offered, write_download
from gemma_vision.web.jobs.result_gallery import ResultGallery
from gemma_vision.web.server.picture_uploads import (
    MAX_PICTURES,
    PictureUpload,
    collect_pictures,
)
from gemma_vision.web.server.uploads import UploadError
from gemma_vision.web.tabs.batch import BatchTab
from gemma_vision.web.tabs.batch_run import names_of, pack, run_batch


@pytest.fixture(autouse=True)
def uploads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder that visitors' files lie in."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    return folder


def picture(path: Path) -> Path:
    Image.new("RGB", (64, 48), "teal").save(path)
    return path


def packed(path: Path, names: list[str], content: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return path


def last(path: Path | list[Path], words: str = "cat") -> BatchState:
    paths = path if isinstance(path, list) else [path]
    items = collect_pictures([str(one) for one in paths])
    *_, batch = run_batch(fake_pipeline(TWO_MASKS), items, "segment", words)
    return batch


def test_pictures_of_a_zip_are_taken_and_everything_else_left(uploads: Path) -> None:
    content = picture(uploads / "one.png").read_bytes()
    names = ["a.png", "deep/b.JPG", "__MACOSX/._a.png", ".c.png", "notes.txt", "folder/"]
    items = collect_pictures([str(packed(uploads / "some.zip", names, content))])
    assert [item.name for item in items] == ["a.png", "b.JPG"]


def test_a_name_that_climbs_out_stays_a_name(uploads: Path) -> None:
    content = picture(uploads / "one.png").read_bytes()
    bad = packed(uploads / "bad.zip", ["../../etc/evil.png", "/etc/evil.png"], content)
    batch = last(bad)
    target = pack(batch)
    assert target is not None and target.is_relative_to(uploads)
    with zipfile.ZipFile(target) as archive:
        assert all(".." not in name and not name.startswith("/") for name in archive.namelist())
        assert "evil.overlay.png" in archive.namelist()


@pytest.mark.parametrize("count", [MAX_PICTURES + 1, 5000])
def test_too_many_pictures_are_refused_before_any_work(uploads: Path, count: int) -> None:
    many = packed(uploads / "many.zip", [f"{n}.png" for n in range(count)], b"x")
    with pytest.raises(UploadError) as refusal:
        collect_pictures([str(many)])
    assert refusal.value.code == "E_TOO_MANY_IMAGES"


@pytest.mark.parametrize("files", [None, [], ()])
def test_no_pictures_are_refused(files: list[str] | None) -> None:
    with pytest.raises(UploadError) as refusal:
        collect_pictures(files)
    assert refusal.value.code == "E_NO_IMAGE"


def test_a_file_that_was_not_uploaded_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UploadError):
        collect_pictures([str(picture(tmp_path / "private.png"))])


def test_a_damaged_member_of_a_zip_is_a_sentence(uploads: Path) -> None:
    """The checksum in the zip tells."""
    data = bytearray(packed(uploads / "good.zip", ["a.png"], b"x" * 100).read_bytes())
    data[60] ^= 0xFF  # within the stored bytes of a.png
    (uploads / "bad.zip").write_bytes(data)
    (failure,) = last(uploads / "bad.zip").failures
    assert failure.startswith("E_UPLOAD: a.png: ") and "zip" in failure


def test_a_zip_without_its_table_is_refused(uploads: Path) -> None:
    good = packed(uploads / "good.zip", ["a.png"], b"x" * 100).read_bytes()
    (uploads / "bad.zip").write_bytes(good.replace(b"PK\x01\x02", b"PK\xff\xff"))
    with pytest.raises(UploadError, match="zip"):
        collect_pictures([str(uploads / "bad.zip")])


def test_a_picture_that_cannot_be_read_is_a_sentence_and_no_end(uploads: Path) -> None:
    broken = uploads / "broken.png"
    broken.write_text("hello")
    batch = last([broken, picture(uploads / "one.png")])
    assert len(batch.failures) == 1 and batch.failures[0].startswith("E_IMAGE_FORMAT: broken.png: ")
    assert batch.done == 2 and batch.num_objects == 2


def test_a_batch_counts_what_failed_and_is_not_done_where_nothing_was_read(uploads: Path) -> None:
    broken = uploads / "broken.png"
    broken.write_text("hello")
    progress = last([broken, picture(uploads / "one.png")]).progress("done")
    assert (progress["state"], progress["also"], progress["failed"]) == ("done", "batch_failed", 1)
    assert last(broken).progress("done")["state"] == "error"
    assert "also" not in last(picture(uploads / "one.png")).progress("done")


@pytest.mark.parametrize("task, state", [("segment", "empty"), ("caption", "blank")])
def test_a_batch_of_which_nothing_came_is_not_done(uploads: Path, task: str, state: str) -> None:
    items = collect_pictures([str(picture(uploads / "one.png"))])
    *_, batch = run_batch(fake_pipeline(""), items, task, "" if task == "caption" else "cat")
    assert batch.progress("done")["state"] == state
    assert batch.results.pages[0].view["guidance"]


def test_a_batch_in_which_nothing_was_seen_has_an_answer(uploads: Path) -> None:
    items = collect_pictures([str(picture(uploads / "one.png"))])
    *_, batch = run_batch(fake_pipeline("nothing with a name", name="tiny"), items, "caption", "")
    assert batch.results.pages[0].view["words"] == "nothing with a name"
    assert batch.progress("done")["state"] == "empty"


def test_a_batch_for_unknown_names_asks_nobody_and_leads_on(uploads: Path) -> None:
    pipeline = fake_pipeline(TWO_MASKS)
    pipeline.card["names"] = ["cat"]
    tab = BatchTab(pipeline)
    files = [str(picture(uploads / "one.png"))]
    *_, end = tab.runner.start({"upload": files, "task": "detect", "words": "zebra"}, "one")
    assert end["progress"]["state"] == "empty" and pipeline.engine.prompts == []  # type: ignore[attr-defined]
    assert [line["say"] for line in end["viewer"]["guidance"]] == ["unknown", "knows"]
    assert end["take_home"] is None and end["download"]["visible"] is False


def test_each_picture_opens_in_the_viewer_and_is_taken_home(uploads: Path) -> None:
    tab = BatchTab(fake_pipeline(TWO_MASKS))
    packed_one = packed(
        uploads / "a.zip", ["deep/two.png"], picture(uploads / "x.png").read_bytes()
    )
    files = [str(picture(uploads / "one.png")), str(packed_one)]
    *_, end = tab.runner.start({"upload": files, "task": "segment", "words": "cat"}, "one")
    assert [words for _, words in end["gallery"]["value"]] == [
        "2 \u00b7 one.png",
        "2 \u00b7 two.png",
    ]
    first = tab.results.get("one")
    assert first is not None and first.name == "one.png" and end["viewer"]["text"] == TWO_MASKS
    page = tab._galleries.get("one").open(1)
    assert page is not None and page.result is not None and page.result.name == "two.png"
    for kind in offered(page.result):
        assert write_download(page.result, kind).is_file()
    tab.leave("one")
    assert tab.results.get("one") is None and tab._galleries.get("one").pages == []


def test_a_name_in_a_zip_that_no_disk_takes_is_no_failure(uploads: Path) -> None:
    content = picture(uploads / "one.png").read_bytes()
    names = [f"{'w' * 2000}.png", "<img src=x>.png", "a\\b:c?.png"]
    batch = last(packed(uploads / "odd.zip", names, content))
    assert batch.failures == [] and batch.done == 3


def test_a_wish_that_cannot_work_ends_the_batch(uploads: Path) -> None:
    with pytest.raises(TaskError):
        last(picture(uploads / "one.png"), words=" ; ")


def test_the_zip_holds_one_coco_file_masks_and_answers(uploads: Path) -> None:
    batch = last([picture(uploads / "one.png"), picture(uploads / "two.png")])
    target = pack(batch)
    assert target is not None
    with zipfile.ZipFile(target) as archive:
        names = archive.namelist()
        coco = json.loads(archive.read("annotations.json"))
        lines = archive.read("answers.jsonl").decode().splitlines()
    assert [row["file_name"] for row in coco["images"]] == ["one.png", "two.png"]
    assert len(coco["annotations"]) == 4 and all(row["segmentation"] for row in coco["annotations"])
    assert [json.loads(line)["file"] for line in lines] == ["one.png", "two.png"]
    assert {"one.masks.png", "two.overlay.png"} <= set(names)


@pytest.mark.parametrize(
    "family, ticked, has_crops",
    [
        pytest.param("gemma3", True, True, id="ticked"),
        pytest.param("gemma3", False, False, id="not ticked"),
        pytest.param("paligemma", True, False, id="ticked, but hidden now"),
    ],
)
def test_long_pictures_are_cropped_where_that_is_wished_and_known(
    uploads: Path, family: str, ticked: bool, has_crops: bool
) -> None:
    engine = FakeEngine("a lawn")
    Image.new("RGB", (800, 300)).save(uploads / "long.png")
    files = [str(uploads / "long.png"), str(picture(uploads / "small.png"))]
    values = {"upload": files, "task": "caption", "max_tokens": 16, "pan_and_scan": ticked}
    *_, last = BatchTab(Pipeline(engine, FAMILIES[family], name=family)).runner.start(values, "one")
    assert [len(prompt.crops[0]) for prompt in engine.prompts] == [3 * has_crops, 0]
    with zipfile.ZipFile(last["download"]["value"]) as archive:
        lines = archive.read("answers.jsonl").decode().splitlines()
    assert [len(json.loads(line).get("crops", [[]])[0]) for line in lines] == [3 * has_crops, 0]


def test_nothing_done_packs_nothing(uploads: Path) -> None:
    broken = uploads / "broken.png"
    broken.write_text("hello")
    assert pack(last(broken)) is None


def test_the_working_folder_goes_with_the_batch(uploads: Path) -> None:
    batch = last(picture(uploads / "one.png"))
    folder = batch.folder
    assert folder.is_dir()
    del batch
    gc.collect()
    assert not folder.exists()


def loose(name: str) -> PictureUpload:
    return PictureUpload(name, Path(f"uploads/{name}"))


def zipped(member: str, archive: str = "some.zip") -> PictureUpload:
    return PictureUpload(Path(member).name, Path(f"uploads/{archive}"), member)


@pytest.mark.parametrize(
    "items, names",
    [
        pytest.param([loose("IMG (1).jpg"), loose("IMG_1.jpg")], ["IMG (1).jpg", "IMG_1.jpg"]),
        pytest.param([zipped("d/x.jpg"), loose("y.jpg")], ["x.jpg", "y.jpg"], id="own names"),
        pytest.param(
            [loose("x.jpg"), zipped("d/x.jpg"), loose("x-2.jpg")],
            ["x.jpg", "some/d/x.jpg", "x-2.jpg"],
            id="a zip is the folder it unpacks to",
        ),
        pytest.param(
            [zipped("a/x.jpg"), zipped("b/x.jpg"), zipped("x.jpg")],
            ["a/x.jpg", "b/x.jpg", "x.jpg"],
            id="folders of a zip",
        ),
        pytest.param(
            [zipped("x.jpg", "one.zip"), zipped("x.jpg", "two.zip")],
            ["one/x.jpg", "two/x.jpg"],
            id="two zips",
        ),
        pytest.param(
            [loose("a.png"), loose("a.png"), loose("a-2.png")],
            ["a.png", "a-3.png", "a-2.png"],
            id="nothing tells them apart",
        ),
        pytest.param(
            [zipped("../../etc/x.png"), zipped("/etc/x.png"), loose("x.png")],
            ["some/etc/x.png", "some/etc/x-2.png", "x.png"],
            id="climbing out",
        ),
    ],
)
def test_a_data_set_calls_pictures_what_they_came_as(
    items: list[PictureUpload], names: list[str]
) -> None:
    assert [name for name, _ in names_of(items)] == names
    assert len({stem.casefold() for _, stem in names_of(items)}) == len(items)


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["IMG (1).jpg", "IMG_1.jpg"], id="alike once cleaned"),
        pytest.param(["x.jpg", "d/x.jpg", "x-2.jpg", "X.jpg"], id="alike but for a number"),
        pytest.param([f"{'a' * 120}{n}.jpg" for n in range(3)], id="alike at the beginning"),
    ],
)
def test_no_picture_of_a_batch_is_lost(uploads: Path, names: list[str]) -> None:
    content = picture(uploads / "one.jpg").read_bytes()
    batch = last(packed(uploads / "some.zip", names, content))
    coco = json.loads((batch.folder / "annotations.json").read_text("utf-8"))
    lines = (batch.folder / "answers.jsonl").read_text("utf-8").splitlines()
    assert batch.done == len(names) and batch.failures == []
    assert [row["file_name"] for row in coco["images"]] == names
    assert [json.loads(line)["file"] for line in lines] == names
    for pattern in ("*.overlay.png", "*.masks.png"):
        stems = {path.name.casefold() for path in batch.folder.glob(pattern)}
        assert len(stems) == len(names)


def several(uploads: Path, count: int = 5) -> list[str]:
    """Pictures that differ, as they were uploaded."""
    paths = [uploads / f"{number}.png" for number in range(count)]
    for number, path in enumerate(paths):
        Image.new("RGB", (64, 48), (40 * number, 90, 90)).save(path)
    return list(map(str, paths))


def stopped_after(
    pipeline: Pipeline, paths: list[str], store: UnfinishedBatches, done: int, words: str = "cat"
) -> None:
    """A batch that is ended in the middle of the picture after so many."""
    steps = run_batch(pipeline, collect_pictures(paths), "segment", words, unfinished=store)
    for batch in steps:
        if len(batch.names) == done and batch.now is not None and batch.now[1] is not None:
            break
    steps.close()  # type: ignore[attr-defined]


def asked(pipeline: Pipeline) -> list[object]:
    return pipeline.engine.prompts  # type: ignore[attr-defined, no-any-return]


def test_a_batch_that_was_stopped_goes_on_where_it_was(uploads: Path) -> None:
    pipeline, store, paths = fake_pipeline(TWO_MASKS), UnfinishedBatches(), several(uploads)
    stopped_after(pipeline, paths, store, 3)
    asked(pipeline).clear()
    gallery = ResultGallery()
    *_, batch = run_batch(
        pipeline, collect_pictures(paths), "segment", "cat", results=gallery, unfinished=store
    )
    assert len(asked(pipeline)) == 2 and batch.done == len(gallery.pages) == 5
    assert batch.num_objects == 10
    target = pack(batch)
    assert target is not None
    with zipfile.ZipFile(target) as archive:
        lines = archive.read("answers.jsonl").decode().splitlines()
        images = json.loads(archive.read("annotations.json"))["images"]
    names = [f"{number}.png" for number in range(5)]
    assert sorted(json.loads(line)["file"] for line in lines) == names
    assert sorted(one["file_name"] for one in images) == names
    asked(pipeline).clear()
    list(run_batch(pipeline, collect_pictures(paths), "segment", "cat", unfinished=store))
    assert len(asked(pipeline)) == 5  # one that came to its end is no unfinished one


@pytest.mark.parametrize("change", ["words", "picture", "model", "swept"])
def test_another_batch_begins_anew(uploads: Path, change: str) -> None:
    pipeline, store, paths = fake_pipeline(TWO_MASKS), UnfinishedBatches(), several(uploads)
    stopped_after(pipeline, paths, store, 3)
    asked(pipeline).clear()
    if change == "picture":
        Image.new("RGB", (64, 48), "white").save(paths[4])
    elif change == "model":
        pipeline.source = "another"
    elif change == "swept":
        for path in uploads.rglob("*"):
            if path.is_file() and path.parent != uploads:
                path.unlink()
    words = "dog" if change == "words" else "cat"
    list(run_batch(pipeline, collect_pictures(paths), "segment", words, unfinished=store))
    assert len(asked(pipeline)) == 5


def test_what_was_stopped_is_let_go_of(uploads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_state, "UNFINISHED_SECONDS", 0.05)
    pipeline, store, paths = fake_pipeline(TWO_MASKS), UnfinishedBatches(), several(uploads)
    for number in range(batch_state.MAX_UNFINISHED + 2):
        stopped_after(pipeline, paths, store, 1, f"cat {number}")
        assert len(store._batches) <= batch_state.MAX_UNFINISHED
    latest = time.monotonic() + 10
    while store._batches and time.monotonic() < latest:
        time.sleep(0.02)
    assert not store._batches
