"""The Video tab's values: what is taken, what is refused, what is shown, where it is written."""

from __future__ import annotations

import json
import threading
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake_engine import CAT_AND_DOG, fake_pipeline
from films import film, watch
from served import TWO_MASKS

from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.validation import TaskError
from gemma_vision.video import VideoError
from gemma_vision.web.jobs.video_values import MAX_TRACKS, progress_value, tracks, without_masks
from gemma_vision.web.server.uploads import UploadError
from gemma_vision.web.tabs.video import VideoTab
from gemma_vision.web.tabs.video_run import (
    MAX_EVERY,
    MAX_FRAMES,
    VideoJob,
    VideoValues,
    plan_value,
)

ENDING = ("gallery", "result", "download", "drawer")


@pytest.fixture(autouse=True)
def uploads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder that visitors' files lie in."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    return folder


@pytest.fixture
def video(uploads: Path) -> dict[str, str]:
    """A visitor's video of 2.4 seconds, as the page sends it."""
    return {"path": str(film(uploads / "a.mp4", count=24))}


def run(pipeline: Pipeline, video: Any, task: str = "segment", *numbers: int) -> list[Any]:
    every, most = numbers or (8, 32)
    values = form(video, task, "cat ; dog", every, most)
    return list(VideoTab(pipeline).runner.start(values, "one"))


def form(video: Any, task: str, words: str, every: Any, most: Any) -> dict[str, Any]:
    """What the page sends: values by the name of their field."""
    own = {"every": every, "num_frames": most}
    return {"upload": video, "task": task, "words": words, **own, "max_tokens": 256}


def begin(video: Any, task: str, words: str, every: Any, most: Any) -> None:
    values = VideoValues(video, task, words, every=every, num_frames=most)
    VideoJob(fake_pipeline(), values).begin()


def test_a_video_and_its_timeline_are_there_at_the_end(uploads: Path, video: Any) -> None:
    *_, last = run(fake_pipeline(TWO_MASKS), video)
    gallery, result, download, drawer = (last[name] for name in ENDING)
    assert last["progress"] == {"state": "done", "notes": [], "done": 3, "total": 3, "objects": 2}
    assert gallery["visible"] is True and drawer["visible"] is True
    assert [caption for _, caption in gallery["value"]] == ["0.0 s: 2", "0.8 s: 2", "1.6 s: 2"]
    assert last["frame_viewer"]["status"]["state"] == "done"
    assert "overlay" in last["frame_take_home"]["kinds"]
    assert len(last["frame_json"]["instances"]) == 2
    for update in (result, download):
        assert update["visible"] and Path(update["value"]).is_relative_to(uploads)
    assert len(watch(Path(result["value"]))) == 24
    timeline = json.loads(Path(download["value"]).read_text("utf-8"))
    assert timeline["frames"][0]["instances"][0]["mask"]["size"] == [96, 128]
    data = last["json"]
    assert "mask" not in data["frames"][0]["instances"][0]
    assert data["objects"] == timeline["objects"]
    assert [row["spans"] for row in last["timeline"]["objects"]] == [
        [[0.0, pytest.approx(2.4)]]
    ] * 2


def test_frames_are_shown_as_they_are_done(video: Any) -> None:
    first, *growing, _ = run(fake_pipeline(CAT_AND_DOG, delay=0.03), video, "detect")
    assert first["progress"] == {"state": "running", "notes": []}
    views = [update["frame_viewer"] for update in growing if "frame_viewer" in update]
    assert views and {view["status"]["state"] for view in views} == {"running"}
    shown = [update for update in growing if "progress" in update]
    done = [update["progress"]["done"] for update in shown]
    assert done == sorted(set(done)) and done
    assert shown[0]["progress"]["total"] == 3 and shown[0]["progress"]["left"] >= 0
    assert [len(update["gallery"]["value"]) for update in shown] == done


def test_a_video_is_cut_only_where_that_is_allowed_and_says_so(video: Any) -> None:
    values = form(video, "detect", "cat", 5, 2)
    *_, whole = VideoTab(fake_pipeline(CAT_AND_DOG)).runner.start(values, "one")
    assert "also" not in whole["progress"] and whole["progress"]["done"] == 2
    assert len(watch(Path(whole["result"]["value"]))) == 24
    *_, cut = VideoTab(fake_pipeline(CAT_AND_DOG)).runner.start(values | {"may_cut": True}, "one")
    facts = cut["progress"]
    assert (facts["also"], facts["seconds"], facts["done"]) == ("video_limit", "1.0", 2)
    assert len(watch(Path(cut["result"]["value"]))) == 10


@pytest.mark.parametrize(
    "numbers, may_cut, said",
    [
        pytest.param((8, 32), False, ("plan_whole", 3, "0.8", "2.4"), id="as asked for"),
        pytest.param((1, 6), False, ("plan_whole", 6, "0.4", "2.4"), id="less often than asked"),
        pytest.param((1, 6), True, ("plan_cut", 6, "0.1", "0.6"), id="cut"),
        pytest.param((24, 32), False, ("plan_whole_one", 1, "2.4", "2.4"), id="one frame"),
        pytest.param((8, 1), True, ("plan_cut_one", 1, "0.8", "0.8"), id="one frame, cut"),
    ],
)
def test_what_will_be_looked_at_is_said_in_seconds_before_it_starts(
    video: Any, numbers: tuple[int, int], may_cut: bool, said: tuple[Any, ...]
) -> None:
    every, most = numbers
    value = plan_value(VideoValues(video, every=every, num_frames=most, may_cut=may_cut))
    assert value is not None and value["seconds"] == "2.4"
    assert (value["say"], value["looks"], value["gap"], value["seen"]) == said


def test_the_gap_of_a_long_video_is_a_number_that_people_read(uploads: Path) -> None:
    slow = film(uploads / "slow.mp4", count=40, rate=Fraction(1, 10))
    value = plan_value(VideoValues({"path": str(slow)}, every=20, num_frames=2))
    assert value is not None and value["gap"] == "200"


def test_without_a_video_nothing_is_planned() -> None:
    assert plan_value(VideoValues(None)) is None


@pytest.mark.parametrize("words, state", [("", "blank"), ("nothing with a name", "empty")])
def test_a_video_has_no_answer_only_where_no_word_came(video: Any, words: str, state: str) -> None:
    *_, end = run(fake_pipeline(words, name="tiny"), video, "caption")
    assert end["progress"]["state"] == state


def test_a_video_of_nothing_known_is_not_done_but_leads_on(video: Any) -> None:
    *_, blank = run(fake_pipeline(""), video)
    assert blank["progress"]["state"] == "empty"
    assert blank["frame_viewer"]["status"]["state"] == "empty"
    assert blank["frame_viewer"]["guidance"][0]["say"] == "nothing_open"
    pipeline = fake_pipeline(CAT_AND_DOG)
    pipeline.card["names"] = ["horse"]
    *_, unknown = run(pipeline, video)
    assert unknown["progress"] is None and pipeline.engine.prompts == []
    assert unknown["frame_viewer"]["guidance"][0]["say"] == "unknown"


def test_a_frame_opens_by_its_time_and_stays_open(video: Any) -> None:
    tab = VideoTab(fake_pipeline(CAT_AND_DOG))
    list(tab.runner.start(form(video, "detect", "cat", 8, 32), "one"))
    gallery = tab._galleries.get("one")
    assert [page.time for page in gallery.pages] == pytest.approx([0.0, 0.8, 1.6])
    assert [gallery.place_at(at) for at in (-1, 0, 0.79, 0.81, 99)] == [-1, 0, 0, 1, 2]
    page = gallery.open(1)
    assert page is not None and gallery.opened == 1 and page.result is not None
    assert page.result.name == "a-8.jpg"
    assert gallery.open(3) is None and gallery.open("1") is None and gallery.opened == 1


def test_warnings_about_a_video_have_a_code_that_the_page_translates(video: Any) -> None:
    progress = SimpleNamespace(
        done=1,
        total=1,
        left=None,
        timeline=SimpleNamespace(
            warnings=[{"code": "no_sound", "message": "No."}], objects={}, finish="stop"
        ),
    )
    notes = progress_value(progress, "done")["notes"]  # type: ignore[arg-type]
    assert notes == ["W_NO_SOUND: No."]


def test_stop_keeps_the_frames_that_are_done(video: Any) -> None:
    gate = threading.Semaphore(2)

    def script(prompt: Any) -> str:
        """Two answers at once; the third when it is let through."""
        assert gate.acquire(timeout=30)
        return CAT_AND_DOG

    pipeline = fake_pipeline(script)
    runner = VideoTab(pipeline).runner
    updates = runner.start(form(video, "detect", "cat", 4, 32), "one")
    next(update for update in updates if update.get("progress", {}).get("done", 0) == 2)
    while len(pipeline.engine.prompts) < 3:
        next(updates)
    steps = pipeline.engine.steps
    threading.Timer(0.2, gate.release).start()
    last = runner.stop("one")
    facts = last["progress"]
    assert (facts["state"], facts["done"], facts["total"]) == ("stopped", 2, 6)
    assert len(watch(Path(last["result"]["value"]))) == 8
    assert pipeline.engine.steps <= steps + 1


def test_stop_before_the_first_frame_shows_no_video(video: Any) -> None:
    runner = VideoTab(fake_pipeline(CAT_AND_DOG, delay=0.05)).runner
    updates = runner.start(form(video, "detect", "cat", 4, 32), "one")
    next(updates), next(updates)
    last = runner.stop("one")
    assert last["progress"]["state"] == "stopped" and last["result"]["visible"] is False


@pytest.mark.parametrize(
    "every, most, code",
    [
        (0, 9, "E_EVERY"),
        (MAX_EVERY + 1, 9, "E_EVERY"),
        (9, 0, "E_FRAMES"),
        (9, MAX_FRAMES + 1, "E_FRAMES"),
        ("9", 9, "E_EVERY"),
    ],
)
def test_a_client_may_not_ask_for_more_than_the_page_offers(
    video: Any, every: Any, most: Any, code: str
) -> None:
    with pytest.raises(TaskError) as refusal:
        begin(video, "detect", "cat", every, most)
    assert refusal.value.code == code


def test_a_wish_that_cannot_work_is_refused_at_once(uploads: Path, video: Any) -> None:
    with pytest.raises(TaskError):
        begin(video, "detect", " ; ", 9, 9)
    with pytest.raises(TaskError):
        begin(video, "nonsense", "cat", 9, 9)
    assert [path.name for path in uploads.iterdir()] == ["a.mp4"]


def test_a_file_that_was_not_uploaded_is_refused(tmp_path: Path) -> None:
    private = film(tmp_path / "private.mp4")
    for path in (str(private), "/etc/passwd", None):
        with pytest.raises(UploadError, match="video") as refusal:
            begin({"path": path}, "detect", "cat", 9, 9)
    assert refusal.value.code == "E_NO_VIDEO"


def test_what_is_no_video_is_a_sentence(uploads: Path) -> None:
    (uploads / "a.mp4").write_text("hello")
    with pytest.raises(VideoError):
        begin({"path": str(uploads / "a.mp4")}, "detect", "cat", 9, 9)
    (update,) = run(fake_pipeline(), {"path": str(uploads / "a.mp4")})
    facts = update["progress"]
    assert facts["state"] == "error" and "no video" in facts["notes"][0]


def timeline(rows: list[list[int]]) -> Any:
    """Samples a second apart with these ids."""
    ids = dict.fromkeys(one for row in rows for one in row)
    return SimpleNamespace(
        seconds=float(len(rows)),
        colors={"cat": (1, 2, 255)},
        objects={one: {"id": one, "label": "cat"} for one in ids},
        samples=[
            {"time": float(at), "instances": [{"id": one} for one in row]}
            for at, row in enumerate(rows)
        ],
    )


def test_a_lane_has_a_span_for_each_time_that_a_thing_was_there() -> None:
    drawn = tracks(timeline([[1], [1, 2], [2], [1], []]))
    assert [(row["id"], row["spans"]) for row in drawn["objects"]] == [
        (1, [[0.0, 2.0], [3.0, 4.0]]),
        (2, [[1.0, 3.0]]),
    ]
    assert drawn["objects"][0]["color"] == "#0102ff" and drawn["seconds"] == 5.0


def test_more_things_than_fit_are_counted() -> None:
    drawn = tracks(timeline([list(range(MAX_TRACKS + 7))]))
    assert (len(drawn["objects"]), drawn["more"]) == (MAX_TRACKS, 7)


def test_the_timeline_for_reading_has_no_pixels() -> None:
    whole = {"frames": [{"instances": [{"id": 1, "mask": {}, "polygons": [], "label": "cat"}]}]}
    shown = without_masks(SimpleNamespace(to_dict=lambda: whole))  # type: ignore[arg-type]
    assert shown["frames"][0]["instances"] == [{"id": 1, "label": "cat"}]
    assert "mask" in whole["frames"][0]["instances"][0]


def test_stop_is_heard_between_the_opening_and_the_first_look(video: Any) -> None:
    """The page shows it as running by then; it did so for ever."""
    pipeline = fake_pipeline(CAT_AND_DOG)
    runner = VideoTab(pipeline).runner
    updates = runner.start(form(video, "detect", "cat", 8, 32), "one")
    next(one for one in updates if "frame_viewer" in one)
    assert runner.stop("one")["progress"]["state"] == "stopped"
    assert list(updates) == [] and pipeline.engine.prompts == []  # type: ignore[attr-defined]
    assert "progress" not in runner.stop("one")
