"""The Compare tab: two answers side by side, and in what they differ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_engine import CAT_AND_DOG, FakeEngine, fake_pipeline
from PIL import Image

from gemma_vision.errors import CheckpointError
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.family import Family
from gemma_vision.requests.prompts import GEMMA3, PALIGEMMA
from gemma_vision.requests.request import Request
from gemma_vision.runtime.engine import Prompt
from gemma_vision.web.tabs.compare import CompareTab
from gemma_vision.web.tabs.compare_run import (
    ModelCache,
    Pair,
    differences,
    family_of,
    summary,
)

CAT = "<loc0102><loc0102><loc0512><loc0460> cat"
NEAR_CAT = "<loc0110><loc0102><loc0512><loc0460> cat"
DOG = "<loc0307><loc0562><loc0921><loc0972> dog"


def pair(left: str, right: str, task: str = "detect") -> Pair:
    image = Image.new("RGB", (100, 80))
    answers = [
        fake_pipeline(text).run(Request(image, task, "" if task == "caption" else "cat ; dog"))
        for text in (left, right)
    ]
    return Pair(*answers, is_over=True)


@pytest.mark.parametrize(
    "left, right, both, only_left, only_right",
    [
        pytest.param(CAT, CAT, 1, [], [], id="the same"),
        pytest.param(CAT_AND_DOG, CAT, 1, [1], [], id="one more on the left"),
        pytest.param(CAT, f"{DOG} ; {NEAR_CAT}", 1, [], [0], id="another order, nearly there"),
        pytest.param(CAT, CAT.replace("cat", "dog"), 0, [0], [0], id="another name"),
        pytest.param("", DOG, 0, [], [0], id="nothing on the left"),
    ],
)
def test_what_only_one_side_found_is_told(
    left: str, right: str, both: int, only_left: list[int], only_right: list[int]
) -> None:
    found = differences(pair(left, right))
    assert (found["both"], found["left"], found["right"]) == (both, only_left, only_right)
    assert (found["overlap"] is None) == (both == 0)


def test_boxes_that_nearly_agree_say_by_how_much() -> None:
    assert summary(differences(pair(CAT, CAT)))["overlap"] == 1.0
    assert 0.9 < summary(differences(pair(CAT, NEAR_CAT)))["overlap"] < 1.0


def test_words_are_compared_as_words() -> None:
    assert differences(pair("a lawn", "a lawn", "caption"))["same_text"]
    assert not differences(pair("a lawn", "a dog", "caption"))["same_text"]


def by_temperature(prompt: Prompt) -> str:
    return CAT if prompt.temperature else CAT_AND_DOG


def test_both_sides_are_asked_with_their_own_options_and_taken_home(
    picture_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    sides = [{"words": "cat", "temperature": warmth} for warmth in (0.0, 0.7)]
    last = follow({"path": str(picture_file)}, *sides)[-1]
    assert [len(last[f"{side}.json"]["instances"]) for side in ("left", "right")] == [2, 1]
    for side in ("left", "right"):
        menu = last[f"{side}.take_home"]
        assert {"overlay", "coco"} <= set(menu["kinds"]) and menu["code"]


def test_a_side_that_knows_none_of_the_names_leads_on(
    picture_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    pipeline = fake_pipeline(CAT)
    pipeline.card["names"] = ["cat", "dog"]
    values = form({"path": str(picture_file)}, {"words": "zebra"}, {"words": "cat"})
    *_, last = tab_of(pipeline).runner.start(values, "one")
    left, right = last["left.viewer"], last["right.viewer"]
    assert (left["status"]["state"], right["status"]["state"]) == ("empty", "done")
    assert [line["say"] for line in left["guidance"]] == ["unknown", "knows"]
    assert last["left.take_home"] is None and last["differences"]["right"] == 1


def test_two_sides_that_find_nothing_are_not_told_to_agree() -> None:
    assert summary(differences(pair("", "")))["blank"]
    assert not summary(differences(pair("a lawn", "a lawn", "caption")))["blank"]
    assert not summary(differences(pair(CAT, "")))["blank"]


def test_a_second_checkpoint_is_loaded_once_and_a_third_takes_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [{"id": "a", "here": True}, {"id": "b", "here": True}, {"id": "far", "here": False}]
    monkeypatch.setattr("gemma_vision.registry.model_cache.models", lambda: rows)
    loaded: list[str] = []

    def load(name: str) -> Pipeline:
        loaded.append(name)
        return fake_pipeline(name=name)

    model_cache = ModelCache(fake_pipeline(), load)
    assert model_cache.names() == ["fake", "a", "b"]
    assert [model_cache.get(name).name for name in ("a", "fake", "a", "b", "a")] == [
        "a",
        "fake",
        "a",
        "b",
        "a",
    ]
    assert loaded == ["a", "b", "a"]


@pytest.mark.parametrize("name", ["/etc", "somebody/else", "far", ""])
def test_a_visitor_may_not_name_a_checkpoint_of_their_own(name: str) -> None:
    with pytest.raises(CheckpointError, match="no such checkpoint here"):
        ModelCache(fake_pipeline(), lambda name: pytest.fail("loaded")).get(name)


@pytest.mark.parametrize(
    "family, crops",
    [
        pytest.param(GEMMA3, [False, True], id="as ticked"),
        pytest.param(PALIGEMMA, [False, False], id="a value from before says nothing"),
    ],
)
def test_one_wish_is_compared_with_and_without_crops(
    family: Family, crops: list[bool], picture_file: Path, monkeypatch: Any, tmp_path: Path
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    engine = FakeEngine("a lawn")
    sides = [{"pan_and_scan": ticked} for ticked in (False, True)]
    values = form({"path": str(picture_file)}, *sides, task="caption")
    *_, last = tab_of(Pipeline(engine, family, name="fake")).runner.start(values, "one")
    assert "same" in last["differences"]
    assert [prompt.pan_and_scan for prompt in engine.prompts] == crops


def test_which_checkpoints_look_at_crops_is_known_before_they_are_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [{"id": "a/g", "family": "gemma3"}, {"id": "a/p", "family": "paligemma"}]
    monkeypatch.setattr("gemma_vision.web.tabs.compare_run.models", lambda: rows)
    model_cache = ModelCache(fake_pipeline(), lambda name: pytest.fail("loaded"))
    names = ("fake", "a/g", "a/p", "somebody's", None)
    known = [family_of(model_cache, name) for name in names]
    assert [one and one.has_pan_and_scan for one in known] == [False, True, False, None, None]
    model_cache.pipeline.family = GEMMA3
    assert has_crops(family_of(model_cache, "fake"))


def has_crops(family: Family | None) -> bool:
    return family is not None and family.has_pan_and_scan


def tab_of(pipeline: Pipeline) -> CompareTab:
    return CompareTab(pipeline, ModelCache(pipeline))


def form(picture: Any, left: Any, right: Any, task: str = "detect") -> dict[str, Any]:
    """What the page sends: values by the name of their field."""
    values = {"upload": picture, "task": task}
    for name, side in (("left", left), ("right", right)):
        values |= {f"{name}.{key}": value for key, value in ({"model": "fake"} | side).items()}
    return values


def follow(picture: Any, left: Any, right: Any) -> list[Any]:
    runner = tab_of(fake_pipeline(by_temperature)).runner
    return list(runner.start(form(picture, left, right), "one"))


def test_the_side_that_found_more_has_it_marked(
    picture_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    sides = {"words": "cat ; dog"}, {"words": "cat", "temperature": 0.7}
    last = follow({"path": str(picture_file)}, *sides)[-1]
    told, left, right = (last[name] for name in ("differences", "left.viewer", "right.viewer"))
    assert (told["both"], told["left"], told["right"]) == (1, 1, 0)
    assert ["only" in thing for thing in left["instances"]] == [False, True]
    assert not any("only" in thing for thing in right["instances"])
    assert (
        left["status"]["state"] == right["status"]["state"] == "done" and last["run"]["interactive"]
    )


def test_what_cannot_work_is_said() -> None:
    (update,) = follow({"path": "/etc/passwd"}, {"words": "cat"}, {"words": "cat"})
    assert "no uploaded file" in update["differences"]["note"]


def test_a_checkpoint_of_ones_own_is_refused_in_words(
    picture_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    sides = {"model": "/etc", "words": "cat"}, {"words": "cat"}
    update = follow({"path": str(picture_file)}, *sides)[-1]
    assert update["differences"]["note"].startswith(
        "E_CHECKPOINT: There is no such checkpoint here"
    )
