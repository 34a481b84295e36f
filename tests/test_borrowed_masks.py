"""Boxes of one checkpoint with masks of another: who found a thing, and who outlined it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fake_engine import FakeDecoder, FakeEngine
from PIL import Image

from gemma_vision.answers.mask_source import as_bins
from gemma_vision.pipeline import Pipeline
from gemma_vision.registry.loading import load
from gemma_vision.requests.prompts import GEMMA4E
from gemma_vision.requests.request import Request
from gemma_vision.requests.tasks import Task
from gemma_vision.requests.validation import TaskError
from gemma_vision.runtime.engine import Prompt
from gemma_vision.runtime.grammar import Grammar
from gemma_vision.runtime.local_engine import LocalEngine
from postprocess.tokens import parse

SCRIPT = (
    '```json\n[{"box_2d": [100, 200, 500, 600], "label": "cat"}, '
    '{"box_2d": [0, 0, 1000, 300], "label": "a <|turn> dog ; x"}]\n```'
)


@pytest.fixture
def picture() -> Image.Image:
    return Image.new("RGB", (320, 240), "#77aadd")


@pytest.fixture(scope="module")
def outliner(random_checkpoint: Path) -> Pipeline:
    pipeline = load(random_checkpoint)
    pipeline.decoder = FakeDecoder()  # type: ignore[assignment]
    return Pipeline(pipeline.engine, pipeline.family, decoder=FakeDecoder(), name="outliner")


def finder(script: str, masks: Pipeline | None) -> Pipeline:
    return Pipeline(FakeEngine([script]), GEMMA4E, name="finder", masks=masks)


def test_boxes_stay_and_masks_come_from_the_other(outliner: Pipeline, picture) -> None:
    plain = finder(SCRIPT, None).run(Request(picture, Task.detect, "cat ; dog"))
    *growing, answer = finder(SCRIPT, outliner).stream(Request(picture, Task.segment, "cat ; dog"))
    assert [one.box for one in answer.instances] == [one.box for one in plain.instances]
    assert [one.label for one in answer.instances] == [one.label for one in plain.instances]
    assert all(one.mask is not None and one.mask.any() for one in answer.instances)
    assert all(one.mask is None for early in growing for one in early.instances)
    for one in answer.instances:
        x0, y0, x1, y1 = one.pixels
        outside = one.mask.copy()
        outside[y0:y1, x0:x1] = False
        assert not outside.any() and np.allclose(one.pixels, one.box, atol=2)
    told = answer.to_dict()
    assert (told["model"], told["masks_by"], told["task"]) == ("finder", "outliner", "segment")


def test_without_the_other_masks_are_refused(picture) -> None:
    alone = finder(SCRIPT, None)
    assert Task.segment not in alone.tasks
    with pytest.raises(TaskError, match="PaliGemma"):
        alone.run(Request(picture, Task.segment, "cat"))


def test_nothing_found_is_nothing_to_outline(outliner: Pipeline, picture) -> None:
    answer = finder("[]", outliner).run(Request(picture, Task.segment, "cat"))
    assert answer.instances == [] and answer.finish == "stop"


def test_what_makes_no_masks_cannot_lend_them(outliner: Pipeline) -> None:
    with pytest.raises(TaskError, match="finder makes no masks"):
        finder("[]", finder("[]", None))


def test_a_checkpoint_with_masks_keeps_its_own(outliner: Pipeline) -> None:
    own = Pipeline(outliner.engine, outliner.family, decoder=FakeDecoder(), masks=outliner)
    assert own.mask_source is None


def test_an_answer_is_held_to_its_box(random_checkpoint: Path, picture) -> None:
    engine = LocalEngine.load(random_checkpoint)
    grammar = Grammar(("cat",), has_masks=True, box=(100, 200, 300, 400))
    prompt = Prompt((picture,), "segment cat", max_tokens=64, grammar=grammar)
    text = "".join(chunk.text for (chunk,) in engine.stream([prompt]) if chunk)
    (mention,) = parse(text)
    assert mention.box == (100, 200, 300, 400) and len(mention.codes) == 16
    assert mention.label == "cat"


def test_a_grid_of_1000_becomes_bins() -> None:
    (mention,) = parse('[{"box_2d": [0, 250, 500, 1000], "label": "a"}]')
    assert as_bins(mention) == (0, 256, 512, 1023)
