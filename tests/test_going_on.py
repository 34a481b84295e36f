"""A run over many pictures that is ended in the middle goes on there, complete and each once."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from fake_engine import CAT_AND_DOG, fake_pipeline
from films import film, watch
from PIL import Image

from gemma_vision.cli import main
from gemma_vision.cli import saving as cli_saving
from gemma_vision.cli.saving import Saver
from gemma_vision.cli.unfinished import UNFINISHED, UnfinishedRun
from gemma_vision.video import VideoError
from gemma_vision.video.writer import Writer
from postprocess.exports import READERS

ROOT = Path(__file__).parent.parent
COUNT = 12


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
def pictures(tmp_path: Path) -> list[str]:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(COUNT):
        Image.new("RGB", (64, 48), (number * 20, 90, 90)).save(folder / f"{number:02d}.png")
    return sorted(map(str, folder.iterdir()))


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Any:
    known = fake_pipeline(CAT_AND_DOG)
    monkeypatch.setattr("gemma_vision.registry.loading.load", lambda *given, **named: known)
    return known


def command(pictures: list[str], out: Path, *more: str) -> list[str]:
    return ["detect", *pictures, "cat ; dog", "--save", str(out), "--as", "coco,overlay", *more]


def killed_after(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """The process is gone in the middle of the picture after so many."""
    save, seen = Saver.save, []

    def dying(self: Saver, path: str, *given: Any, **named: Any) -> Any:
        seen.append(path)
        if len(seen) > count:
            raise Killed
        return save(self, path, *given, **named)

    monkeypatch.setattr(Saver, "save", dying)


def run(capsys: pytest.CaptureFixture[str], words: list[str]) -> list[dict[str, Any]]:
    assert main(words) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_same_command_goes_on(
    pipeline: Any,
    pictures: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with monkeypatch.context() as context, pytest.raises(Killed):
        killed_after(context, 5)
        main(command(pictures, tmp_path / "out"))
    capsys.readouterr()
    pipeline.engine.prompts.clear()
    rows = run(capsys, command(pictures, tmp_path / "out"))
    assert len(pipeline.engine.prompts) == COUNT - 5
    assert sorted(row["file"] for row in rows) == pictures
    assert all(len(row["instances"]) == 2 for row in rows)
    found = READERS["coco"](tmp_path / "out")
    assert sorted(one.file_name for one in found) == [Path(one).name for one in pictures]
    assert len(list((tmp_path / "out").glob("*.overlay.png"))) == COUNT
    assert not (tmp_path / "out" / UNFINISHED).exists()
    pipeline.engine.prompts.clear()
    run(capsys, command(pictures, tmp_path / "out"))  # a run that ended is no unfinished one
    assert len(pipeline.engine.prompts) == COUNT


@pytest.mark.parametrize("change", ["words", "option", "picture", "file", "half a line", "kinds"])
def test_what_is_another_command_or_another_picture_is_done_anew(
    change: str,
    pipeline: Any,
    pictures: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    words = command(pictures, out)
    with monkeypatch.context() as context, pytest.raises(Killed):
        killed_after(context, 5)
        main(words)
    capsys.readouterr()
    fresh = COUNT
    if change == "words":
        words = ["detect", *pictures, "cat", *words[words.index("--save") :]]
    elif change == "option":
        words = [*words, "--seed", "3"]
    elif change == "kinds":
        words = [*words[:-1], "voc"]
    elif change == "picture":
        Image.new("RGB", (64, 48), "white").save(pictures[2])
        fresh = COUNT - 4
    elif change == "file":
        (out / "01.overlay.png").unlink()
        fresh = COUNT - 4
    else:
        path = out / UNFINISHED
        path.write_text(path.read_text()[:-40])
        fresh = COUNT - 4
    pipeline.engine.prompts.clear()
    rows = run(capsys, words)
    assert len(pipeline.engine.prompts) == fresh and len(rows) == COUNT


def test_other_weights_are_another_command(tmp_path: Path, pictures: list[str]) -> None:
    done = UnfinishedRun(tmp_path, {"weights": "a"})
    done.add(pictures[0], {"file": pictures[0]}, [])
    assert UnfinishedRun(tmp_path, {"weights": "a"}).answer_to(pictures[0])
    assert UnfinishedRun(tmp_path, {"weights": "b"}).answer_to(pictures[0]) is None
    assert UnfinishedRun(tmp_path, {"weights": "a"}).answer_to(pictures[1]) is None


def test_files_of_all_pictures_are_written_at_intervals(
    pipeline: Any,
    pictures: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each time they are read and written whole: of many pictures most of the time went there."""
    clock = iter(range(10_000))
    monkeypatch.setattr(cli_saving.time, "monotonic", lambda: float(next(clock)))
    assert main(command(pictures, tmp_path / "out")) == 0
    told = capsys.readouterr().err
    assert told.count("annotations.json") < COUNT / 3  # a second a picture, and one to write them
    assert told.count(".overlay.png") == COUNT
    assert len(READERS["coco"](tmp_path / "out")) == COUNT


def test_what_is_answered_is_written_when_a_run_is_interrupted(
    pipeline: Any, pictures: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli_saving, "_PAUSE", 1e9)  # never due but for the first
    with monkeypatch.context() as context, pytest.raises(Killed):
        killed_after(context, 5)
        main(command(pictures, tmp_path / "out"))
    assert len(READERS["coco"](tmp_path / "out")) == 5
    assert len((tmp_path / "out" / UNFINISHED).read_text().split()) > 5


def test_one_picture_that_a_form_refuses_keeps_no_other_back(tmp_path: Path) -> None:
    from postprocess.instances import Instance

    box = Instance("cat", (1.0, 1.0, 9.0, 9.0), (1, 1, 9, 9))
    point = Instance("cat", (1.0, 1.0, 1.0, 1.0), (1, 1, 1, 1), point=(1.0, 1.0))
    saver = Saver(str(tmp_path), "yolo", ["a.png", "b.png", "c.png"])
    saver._last, saver._cost = 1e12, 1.0  # nothing is due
    for name, thing in (("a.png", box), ("b.png", point), ("c.png", box)):
        assert saver.save(name, cli_saving.PictureFacts((20, 20), [thing], None)) == []
    failed = {saved.path: saved.failed for saved in saver.flush()}
    assert [bool(failed[name]) for name in ("a.png", "b.png", "c.png")] == [False, True, False]
    assert [one.file_name for one in READERS["yolo"](tmp_path)] == ["a.png", "c.png"]


def test_a_run_goes_on_where_nothing_can_be_noted(
    pipeline: Any,
    pictures: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fill(number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fill)
    assert main(command(pictures, tmp_path / "out")) == 0
    out, told = capsys.readouterr()
    assert len(out.splitlines()) == COUNT
    assert told.count("No space left on device. Free") == 1 and "begins anew" in told


def test_without_a_folder_nothing_is_kept(pictures: list[str]) -> None:
    run = UnfinishedRun(None, None)
    run.add(pictures[0], {}, [])
    assert run.answer_to(pictures[0]) is None
    run.end()


def test_a_copied_picture_is_whole_or_not_there(
    tmp_path: Path, pictures: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(source: Path, target: Path) -> None:
        Path(target).write_bytes(b"half")
        raise Killed

    monkeypatch.setattr(cli_saving.shutil, "copyfile", half)
    with pytest.raises(Killed):
        cli_saving.bring_picture(Path(pictures[0]), "a.png", tmp_path / "out")
    assert list((tmp_path / "out" / "images").iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("after", [1, 4, 9])
def test_kill_minus_nine_loses_nothing(after: int, pictures: list[str], tmp_path: Path) -> None:
    """The real program over the checkpoint inside, ended by the system at a moment."""
    words = [sys.executable, "-m", "gemma_vision", *command(pictures, tmp_path / "out")]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        words, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for _ in range(after):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    ended = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    rows = [json.loads(line) for line in ended.stdout.splitlines()]
    assert sorted(row["file"] for row in rows) == pictures
    found = READERS["coco"](tmp_path / "out")
    assert sorted(one.file_name for one in found) == [Path(one).name for one in pictures]
    for path in (tmp_path / "out").glob("*.png"):
        if not path.name.startswith("."):  # a draft that was under way
            Image.open(path).load()


def test_a_video_has_its_name_once_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    writer = Writer(target, (64, 48), Fraction(10), Fraction(1, 10))
    for ticks in range(4):
        writer.write(Image.new("RGB", (64, 48)), ticks)
        assert not target.exists()
    writer.close()
    assert len(watch(target)) == 4 and [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_the_video_before_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    target = film(tmp_path / "out.mp4", count=7)
    with pytest.raises(Killed), Writer(target, (64, 48), Fraction(10), Fraction(1, 10)) as writer:
        writer.write(Image.new("RGB", (64, 48)), 0)
        assert len(watch(target)) == 7
        raise Killed


def test_a_folder_in_the_place_of_a_video_is_told_at_the_first_frame(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").mkdir()
    writer = Writer(tmp_path / "out.mp4", (64, 48), Fraction(10), Fraction(1, 10))
    with pytest.raises(VideoError, match="Is a directory"):
        writer.write(Image.new("RGB", (64, 48)), 0)


@pytest.mark.slow
def test_a_video_that_is_killed_leaves_nothing_half(tmp_path: Path) -> None:
    video, target = film(tmp_path / "a.mp4", count=40), tmp_path / "out.mp4"
    words = [sys.executable, "-m", "gemma_vision", "video", str(video), str(target), "cat"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([*words, "--every", "2"], cwd=ROOT, env=environment)
    latest = time.monotonic() + 120
    while not list(tmp_path.glob(".*out.mp4")) and time.monotonic() < latest:
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert not target.exists()
