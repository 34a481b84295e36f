"""A run is whole, or stopped, or an error; nothing cut is given as complete."""

from __future__ import annotations

from collections.abc import Iterator

import gradio as gr
import pytest
from fake_engine import FakeEngine, fake_pipeline
from PIL import Image
from served import CAT_AND_DOG

from gemma_vision.web.api import answering
from gemma_vision.web.api.answering import answers
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
