"""The Video tab's values: what is taken, what is refused, what is shown, where it is written."""

from __future__ import annotations

import json
import threading
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
from gemma_vision.web.jobs.events import Carrier
from gemma_vision.web.server.uploads import UploadError
from gemma_vision.web.tabs.video import NUM_SHOWN, Films
from gemma_vision.web.tabs.video_run import MAX_EVERY, MAX_LANES, MAX_LOOKED, lanes, thread, told

VISITOR: Any = SimpleNamespace(session_hash="one")


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
    every, looked = numbers or (8, 32)
    carrier = Carrier(Films(pipeline), NUM_SHOWN)
    return list(carrier.start(VISITOR, video, task, "cat ; dog", every, looked))


def test_a_video_and_its_timeline_are_there_at_the_end(uploads: Path, video: Any) -> None:
    *_, last = run(fake_pipeline(TWO_MASKS), video)
    facts, newest, result, drawn, download, drawer, data, *_ = last
    assert facts == {"state": "done", "notes": [], "done": 3, "total": 3, "objects": 2}
    assert newest["visible"] is False and drawer["visible"] is True
    for update in (result, download):
        assert update["visible"] and Path(update["value"]).is_relative_to(uploads)
    assert len(watch(Path(result["value"]))) == 24
    timeline = json.loads(Path(download["value"]).read_text("utf-8"))
    assert timeline["frames"][0]["instances"][0]["mask"]["size"] == [96, 128]
    assert "mask" not in data["frames"][0]["instances"][0]
    assert data["objects"] == timeline["objects"]
    assert [row["spans"] for row in drawn["objects"]] == [[[0.0, pytest.approx(2.4)]]] * 2


def test_frames_are_shown_as_they_are_done(video: Any) -> None:
    first, *growing, _ = run(fake_pipeline(CAT_AND_DOG, delay=0.03), video, "detect")
    assert first[0] == {"state": "running", "notes": []}
    shown = [update for update in growing if "done" in update[0]]
    assert [update[0]["done"] for update in shown] == sorted({u[0]["done"] for u in shown})
    assert shown[0][0]["total"] == 3 and shown[0][0]["left"] >= 0
    assert all(Path(update[1]["value"]).suffix == ".jpg" for update in shown)


def test_the_limit_is_said_and_how_far_it_went(video: Any) -> None:
    facts = run(fake_pipeline(), video, "detect", 5, 2)[-1][0]
    assert (facts["also"], facts["seconds"], facts["done"]) == ("video_limit", "1.0", 2)


def test_stop_keeps_the_frames_that_are_done(video: Any) -> None:
    gate = threading.Semaphore(2)

    def script(prompt: Any) -> str:
        """Two answers at once; the third when it is let through."""
        assert gate.acquire(timeout=30)
        return CAT_AND_DOG

    pipeline = fake_pipeline(script)
    carrier = Carrier(Films(pipeline), NUM_SHOWN)
    updates = carrier.start(VISITOR, video, "detect", "cat", 4, 32)
    next(update for update in updates if update[0].get("done", 0) == 2)
    while len(pipeline.engine.prompts) < 3:
        next(updates)
    steps = pipeline.engine.steps
    threading.Timer(0.2, gate.release).start()
    facts, _, result, *_ = carrier.halt(VISITOR)
    assert (facts["state"], facts["done"], facts["total"]) == ("stopped", 2, 6)
    assert len(watch(Path(result["value"]))) == 8
    assert pipeline.engine.steps <= steps + 1


def test_stop_before_the_first_frame_shows_no_video(video: Any) -> None:
    carrier = Carrier(Films(fake_pipeline(CAT_AND_DOG, delay=0.05)), NUM_SHOWN)
    updates = carrier.start(VISITOR, video, "detect", "cat", 4, 32)
    next(updates), next(updates)
    facts, _, result, *_ = carrier.halt(VISITOR)
    assert facts["state"] == "stopped" and result["visible"] is False


@pytest.mark.parametrize(
    "every, looked, code",
    [
        (0, 9, "E_EVERY"),
        (MAX_EVERY + 1, 9, "E_EVERY"),
        (9, 0, "E_FRAMES"),
        (9, MAX_LOOKED + 1, "E_FRAMES"),
        ("9", 9, "E_EVERY"),
    ],
)
def test_a_client_may_not_ask_for_more_than_the_page_offers(
    video: Any, every: Any, looked: Any, code: str
) -> None:
    with pytest.raises(TaskError) as refusal:
        thread(video, "detect", "cat", every, looked)
    assert refusal.value.code == code


def test_a_wish_that_cannot_work_is_refused_at_once(uploads: Path, video: Any) -> None:
    with pytest.raises(TaskError):
        thread(video, "detect", " ; ", 9, 9)
    with pytest.raises(TaskError):
        thread(video, "nonsense", "cat", 9, 9)
    assert [path.name for path in uploads.iterdir()] == ["a.mp4"]


def test_a_file_that_was_not_uploaded_is_refused(tmp_path: Path) -> None:
    private = film(tmp_path / "private.mp4")
    for path in (str(private), "/etc/passwd", None):
        with pytest.raises(UploadError, match="video") as refusal:
            thread({"path": path}, "detect", "cat", 9, 9)
    assert refusal.value.code == "E_NO_VIDEO"


def test_what_is_no_video_is_a_sentence(uploads: Path) -> None:
    (uploads / "a.mp4").write_text("hello")
    with pytest.raises(VideoError):
        thread({"path": str(uploads / "a.mp4")}, "detect", "cat", 9, 9)
    (update,) = run(fake_pipeline(), {"path": str(uploads / "a.mp4")})
    assert update[0]["state"] == "error" and "no video" in update[0]["notes"][0]


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
    drawn = lanes(timeline([[1], [1, 2], [2], [1], []]))
    assert [(row["id"], row["spans"]) for row in drawn["objects"]] == [
        (1, [[0.0, 2.0], [3.0, 4.0]]),
        (2, [[1.0, 3.0]]),
    ]
    assert drawn["objects"][0]["color"] == "#0102ff" and drawn["seconds"] == 5.0


def test_more_things_than_fit_are_counted() -> None:
    drawn = lanes(timeline([list(range(MAX_LANES + 7))]))
    assert (len(drawn["objects"]), drawn["more"]) == (MAX_LANES, 7)


def test_the_timeline_for_reading_has_no_pixels() -> None:
    whole = {"frames": [{"instances": [{"id": 1, "mask": {}, "polygons": [], "label": "cat"}]}]}
    shown = told(SimpleNamespace(to_dict=lambda: whole))  # type: ignore[arg-type]
    assert shown["frames"][0]["instances"] == [{"id": 1, "label": "cat"}]
    assert "mask" in whole["frames"][0]["instances"][0]
