"""Telling: the page of a run, for a run that is killed too, and figures sent elsewhere."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from gemma_vision.extras import MissingPackageError
from gemma_vision.finetuning.results.progress_page import (
    DONE,
    MAX_POINTS,
    RUNNING,
    chart,
    duration,
    thinned,
    write_page,
)
from gemma_vision.finetuning.results.reporting import print_sentence
from gemma_vision.finetuning.results.trackers import figures_of, open_tracker

ROWS = [
    {"steps": n, "seconds": n, "progress": n / 40, "left": 300.0, "loss": 5 / n, "place_error": 0.1}
    for n in range(1, 20)
]
SCORED = {
    "steps": 20,
    "seconds": 20,
    "progress": 0.5,
    "left": 300.0,
    "held_score": 0.5,
    "held_new_found": 31,
    "held_new_of": 45,
    "held_new_invented": 4,
    "held_old_found": 38,
    "held_old_of": 41,
}


def page_of(folder: Path, rows, **more) -> str:
    options = {"name": "cups", "resume": "gemma-vision finetune cups --resume", "state": RUNNING}
    return write_page(folder, rows, **(options | more)).read_text("utf-8")


def test_the_page_says_in_words_how_it_goes(tmp_path) -> None:
    page = page_of(tmp_path, [*ROWS, SCORED])
    assert "50% done after 20 steps, about 5 minutes left." in page
    assert "Of what it is to learn it finds 31 of 45 things, and sees 4 that are not" in page
    assert "Of the drawings that it knew it finds 38 of 41 things." in page
    assert page.count("<polyline") == 4 and 'http-equiv="refresh"' in page


def test_the_page_fetches_nothing_and_holds_no_markup_of_others(tmp_path) -> None:
    page = page_of(tmp_path, [SCORED | {"held_<b>_found": 1, "held_<b>_of": 2}], name="<script>x")
    assert "<script>x" not in page and "<b>" not in page.replace("<body>", "")
    assert not re.search(r'(src|href)="', page)


def test_a_page_that_no_longer_changes_tells_how_to_go_on(tmp_path) -> None:
    page = page_of(tmp_path, ROWS)
    assert "gemma-vision finetune cups --resume" in page and "running = true" in page
    done = page_of(tmp_path, ROWS, state=DONE, said="It is in out.")
    assert "running = false" in done and "It is in out." in done and "refresh" not in done


def test_a_run_that_has_not_begun_has_a_page_too(tmp_path) -> None:
    assert "have not been asked about yet" in page_of(tmp_path, [])
    assert chart({}) == ""


@pytest.mark.parametrize(
    "seconds, words",
    [
        pytest.param(45, "45 seconds", id="seconds"),
        pytest.param(300, "5 minutes", id="minutes"),
        pytest.param(7300, "2 hours", id="hours"),
    ],
)
def test_durations_are_words(seconds, words) -> None:
    assert duration(seconds) == words


def test_long_curves_are_thinned_and_keep_their_end() -> None:
    curve = [(float(n), float(n)) for n in range(5000)]
    few = thinned(curve)
    assert len(few) <= MAX_POINTS + 1 and few[-1] == curve[-1]


class Recorder(ModuleType):
    """Stands for trackio, and notes what it is given."""

    def __init__(self) -> None:
        super().__init__("trackio")
        self.calls: list[tuple] = []

    def init(self, **options) -> None:
        self.calls.append(("init", options["project"], options["name"]))

    def log(self, figures, *, step) -> None:
        self.calls.append(("log", step, figures))

    def finish(self) -> None:
        self.calls.append(("finish",))


def test_figures_go_to_trackio(monkeypatch, tmp_path) -> None:
    trackio = Recorder()
    monkeypatch.setitem(sys.modules, "trackio", trackio)
    monkeypatch.setattr("gemma_vision.extras.is_installed", lambda module: True)
    tracker = open_tracker("trackio", folder=tmp_path, name="cups", settings={"seed": 1})
    tracker.add(SCORED)
    tracker.close()
    init, log, finish = trackio.calls
    assert init == ("init", "gemma-vision", "cups") and finish == ("finish",)
    assert log[1] == 20 and log[2]["held/score"] == 0.5 and "progress" not in log[2]


@pytest.mark.parametrize("kind", ["tensorboard", "trackio"])
def test_a_tracker_that_is_not_installed_is_refused(kind, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("gemma_vision.extras.is_installed", lambda module: False)
    with pytest.raises(MissingPackageError, match=rf"gemma-vision\[{kind}\]"):
        open_tracker(kind, folder=tmp_path, name="cups", settings={})


def test_without_a_tracker_nothing_happens(tmp_path) -> None:
    tracker = open_tracker(None, folder=tmp_path, name="cups", settings={})
    tracker.add(SCORED)
    tracker.close()
    assert not list(tmp_path.iterdir())
    assert figures_of({"steps": 1, "loss": 2.0}) == {"loss": 2.0}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("is_there", [True, False])
def test_a_run_goes_on_where_what_it_tells_cannot_be_written(is_there, monkeypatch) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stderr", full if is_there else None)
        print_sentence("asking base about 3 new pictures")
