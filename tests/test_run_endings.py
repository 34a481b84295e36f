"""A run is whole, or stopped, or an error; nothing cut is given as complete."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import gradio as gr
import pytest
from fake_engine import FakeEngine, fake_pipeline
from PIL import Image
from served import BOX, CAT_AND_DOG

from gemma_vision.web.api import answering, endpoints
from gemma_vision.web.api.answering import answers
from gemma_vision.web.jobs import job
from gemma_vision.web.jobs.job import Deadline, RunCutOff, StreamRun

ENDINGS = [SystemExit, KeyboardInterrupt, GeneratorExit, MemoryError, RuntimeError, StopIteration]


def cut(ending: type[BaseException]) -> Iterator[int]:
    yield 1
    raise ending


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_run_that_was_cut_off_is_an_error(ending: type[BaseException]) -> None:
    run = StreamRun(lambda: cut(ending), None, lock=None)
    with pytest.raises(Exception) as caught:
        list(run.follow())
    assert run.join(5) and not run.is_whole and run.error is caught.value
    if not issubclass(ending, Exception):
        assert isinstance(caught.value, RunCutOff) and ending.__name__ in str(caught.value)


def test_a_stopped_run_is_no_error() -> None:
    def endless() -> Iterator[int]:
        while True:
            yield 1

    run = StreamRun(endless, None, lock=None)
    run.stop()
    assert run.join(5) and run.error is None and not run.is_whole


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_engine_that_dies_gives_a_client_no_answer(ending: type[BaseException]) -> None:
    class Dying(FakeEngine):
        def stream(self, prompts):  # type: ignore[no-untyped-def]
            for count, step in enumerate(super().stream(prompts)):
                yield step
                if count == 5:
                    raise ending("a secret")

    pipeline = fake_pipeline()
    pipeline.engine = Dying(lambda prompt: CAT_AND_DOG)
    with pytest.raises(gr.Error) as caught:
        list(answers(pipeline, Image.new("RGB", (64, 48)), "detect", "cat ; dog"))
    assert "secret" not in str(caught.value.message)


def test_an_answer_has_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "MAX_SECONDS", 0.0)
    with pytest.raises(gr.Error) as caught:
        list(answers(fake_pipeline(CAT_AND_DOG), Image.new("RGB", (64, 48)), "detect", "cat"))
    assert caught.value.title == Deadline.CODE


def test_nobody_waits_for_work_that_does_not_come_to_its_deadline_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between two values nothing of ours can end it."""
    hold = threading.Event()
    monkeypatch.setattr(job, "GRACE", 0.0)

    def stuck() -> Iterator[int]:
        hold.wait(20)
        yield 1

    for wait in (StreamRun.follow, StreamRun.result):
        run: StreamRun[int, None] = StreamRun(stuck, None, lock=None, seconds=0.1)
        began = time.monotonic()
        with pytest.raises(Deadline):
            list(wait(run))
        assert time.monotonic() - began < 5 and run.stopped.is_set()
    hold.set()


def test_a_pasted_answer_has_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    hold = threading.Event()
    monkeypatch.setattr(answering, "PARSE_SECONDS", 0.1)
    monkeypatch.setattr(job, "GRACE", 0.0)
    monkeypatch.setattr(endpoints, "parse_for_visitor", lambda *given, **named: hold.wait(20))
    with pytest.raises(gr.Error) as caught:
        endpoints.parse_endpoint()(BOX, 640, 480)
    assert caught.value.title == Deadline.CODE
    hold.set()
