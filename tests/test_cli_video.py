"""The verb for videos: an MP4, a timeline on standard output, one sentence when it cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fake_engine import CAT_AND_DOG, fake_pipeline
from films import film, watch

from gemma_vision.cli import main

Ended = tuple[int, str, str]


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A scripted model in the place of every checkpoint; `loaded` counts how often."""
    pipeline: Any = fake_pipeline(CAT_AND_DOG)
    pipeline.loaded = 0

    def load(*named: str, **options: Any) -> Any:
        pipeline.loaded += 1
        return pipeline

    monkeypatch.setattr("gemma_vision.registry.loading.load", load)
    monkeypatch.setattr("gemma_vision.registry.loading.check_request", lambda name, asked: None)
    return pipeline


def run(capsys: pytest.CaptureFixture[str], *words: object) -> Ended:
    code = main(["video", *map(str, words)])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_a_video_is_written_and_its_timeline_printed(
    capsys: Any, pipeline: Any, tmp_path: Path
) -> None:
    video, out = film(tmp_path / "a.webm", count=20), tmp_path / "out.mp4"
    code, printed, err = run(capsys, video, out, "cat ; dog", "--every", 5)
    timeline = json.loads(printed)
    assert code == 0 and err.splitlines()[-1] == f"wrote {out}"
    assert [row["frame"] for row in timeline["frames"]] == [0, 5, 10, 15]
    assert [row["label"] for row in timeline["objects"]] == ["cat", "dog"]
    assert timeline["prompt"] == "detect cat ; dog" and len(watch(out)) == 20


def test_options_reach_the_model(capsys: Any, pipeline: Any, tmp_path: Path) -> None:
    video, out = film(tmp_path / "a.mp4", count=20), tmp_path / "out.mp4"
    words = [
        "--task",
        "caption",
        "--limit",
        "2",
        "--every",
        "3",
        "--max-tokens",
        "7",
        "--seed",
        "5",
    ]
    code, printed, _ = run(capsys, video, out, *words)
    assert code == 0 and json.loads(printed)["finish"] == "limit"
    assert [(p.text, p.max_tokens, p.seed) for p in pipeline.engine.prompts] == [
        ("caption en", 7, 5)
    ] * 2


def test_what_is_done_stays_when_somebody_interrupts(
    capsys: Any, pipeline: Any, tmp_path: Path
) -> None:
    asked = iter([CAT_AND_DOG, CAT_AND_DOG])

    def script(prompt: Any) -> Any:
        text = next(asked, None)
        if text is None:
            raise KeyboardInterrupt
        return text

    pipeline.engine.script = script
    video, out = film(tmp_path / "a.mp4", count=20), tmp_path / "out.mp4"
    code, printed, _ = run(capsys, video, out, "cat", "--every", 5)
    assert code == 130 and len(watch(out)) == 10
    assert json.loads(printed)["finish"] == "cancelled"


@pytest.mark.parametrize(
    "words, said",
    [
        (["{video}", "{folder}/out.avi", "cat"], "name it"),
        (["{folder}/none.mp4", "{folder}/out.mp4", "cat"], "There is no file"),
        (["{text}", "{folder}/out.mp4", "cat"], "no video that can be read"),
        (["{video}", "{folder}/out.mp4"], "Nothing to detect"),
        (["{video}", "{folder}/out.mp4", "cat", "--every", "0"], "--every is 0"),
        (["{video}", "{folder}/out.mp4", "cat", "--limit", "0"], "--limit is 0"),
        (["{video}", "{video}", "cat"], "the video itself"),
        (["{video}"], "OUT"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    capsys: Any, pipeline: Any, tmp_path: Path, words: list[str], said: str
) -> None:
    (tmp_path / "text.mp4").write_text("hello")
    known = {
        "video": film(tmp_path / "a.mp4"),
        "text": tmp_path / "text.mp4",
        "folder": tmp_path,
    }
    code, printed, err = run(capsys, *(word.format(**known) for word in words))
    assert (code, printed, len(err.splitlines())) == (2, "", 1) and said in err
    assert not (tmp_path / "out.mp4").exists()


def test_a_file_that_is_no_video_is_refused_before_a_model_is_loaded(
    capsys: Any, pipeline: Any, tmp_path: Path
) -> None:
    (tmp_path / "text.mp4").write_text("hello")
    assert run(capsys, tmp_path / "text.mp4", tmp_path / "out.mp4", "cat")[0] == 2
    assert pipeline.loaded == 0
