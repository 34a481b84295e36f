"""A checkpoint that was taught things: the form and the examples take the names that it loaded."""

from __future__ import annotations

import pytest
from fake_engine import FakeEngine

from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.prompts import PALIGEMMA
from gemma_vision.web.components.example_strip import strip_value
from gemma_vision.web.forms.task_form import newest_names, words_of

OLD = ["cat", "dog", "car"]


def taught(**card) -> Pipeline:
    return Pipeline(FakeEngine(), PALIGEMMA, name="taught", card=card)


@pytest.mark.parametrize(
    "card, shown",
    [
        pytest.param({}, (), id="an open vocabulary"),
        pytest.param({"names": OLD}, (), id="the usual example is among its names"),
        pytest.param({"names": ["cup", "pen", "fork"]}, ("cup", "pen"), id="other names"),
        pytest.param(
            {"names": [*OLD, "cone", "mug"], "taught": [{"names": ["cone", "mug"]}]},
            ("cone", "mug"),
            id="what it was taught last",
        ),
        pytest.param(
            {
                "names": [*OLD, "mug"],
                "taught": [{"names": ["cone", "mug"]}],
                "forgotten": ["cone"],
            },
            ("mug",),
            id="and still knows",
        ),
    ],
)
def test_the_words_suggest_what_the_checkpoint_was_taught(card, shown) -> None:
    names = newest_names(taught(**card))
    assert names == shown
    placeholder = words_of("detect", names)["placeholder"]
    assert (placeholder == " ; ".join(shown)) is bool(shown)
    assert not isinstance(words_of("ask", names)["placeholder"], str)  # a translated question


def test_the_examples_are_told_which_names_there_are() -> None:
    assert strip_value(["detect"], ("cone",)) == {"tasks": ["detect"], "names": ["cone"]}
