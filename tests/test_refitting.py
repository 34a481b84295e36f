"""The page's forms follow the checkpoint that answers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from fake_engine import FakeEngine, fake_pipeline

from gemma_vision.pipeline import Pipeline
from gemma_vision.registry.model_cache import ModelCache
from gemma_vision.registry.model_switcher import ModelSwitcher
from gemma_vision.requests.prompts import GEMMA3
from gemma_vision.requests.tasks import Task
from gemma_vision.web import app as web_app
from gemma_vision.web.components.model_choice import ANY, Choice
from gemma_vision.web.tabs.model_change import FormUpdater

WORDLESS = (Task.caption, Task.free, Task.chat)


@pytest.fixture
def switcher(monkeypatch: pytest.MonkeyPatch) -> ModelSwitcher:
    rows = [{"id": name, "here": True, "family": "paligemma"} for name in ("fake", "other")]
    monkeypatch.setattr("gemma_vision.registry.model_cache.models", lambda: rows)
    monkeypatch.setattr("gemma_vision.web.tabs.compare_run.models", lambda: rows)
    return ModelSwitcher(
        ModelCache(fake_pipeline(tasks=[Task.detect, Task.ask, Task.free])), threading.Lock()
    )


@pytest.fixture
def updater(switcher: ModelSwitcher) -> FormUpdater:
    """The one that the page connects to its events."""

    async def build() -> Any:  # outside a running loop Gradio opens several and closes none
        return web_app.build_app(switcher.pipeline, Choice(switcher, ANY))

    page = asyncio.run(build())
    owners = [getattr(fn.fn, "__self__", None) for fn in page.fns.values()]
    (updater,) = {one for one in owners if isinstance(one, FormUpdater)}
    return updater


def changed(updater: FormUpdater, **chosen: Any) -> Mapping[str, Any]:
    """What each component becomes, by its id; `chosen` says what the page has, by prefix."""
    now = [chosen.get(one.elem_id.replace("-", "_"), one.value) for one in updater.inputs]
    updates = updater.refresh(*now)
    assert list(updates) == updater.outputs
    return {one.elem_id: update for one, update in updates.items()}


def offered(update: Mapping[str, Any]) -> list[str]:
    return [value for _, value in update["choices"]]


def test_tasks_that_the_new_one_lacks_go_and_others_come(
    switcher: ModelSwitcher, updater: FormUpdater
) -> None:
    switcher.pipeline.become(fake_pipeline(tasks=WORDLESS, name="other"))
    new = changed(updater)
    assert offered(new["task"]) == ["caption", "free"] and new["task"]["value"] == "caption"
    assert offered(new["batch-task"]) == ["caption"]  # which never offers free prompts
    assert not new["words"]["visible"] and new["language"]["visible"]
    assert new["examples"] == {"tasks": ["caption", "free"], "names": []}


def test_what_was_chosen_stays_where_it_can(switcher: ModelSwitcher, updater: FormUpdater) -> None:
    switcher.pipeline.become(fake_pipeline(tasks=[Task.ask, Task.detect], name="other"))
    new = changed(updater, task="ask", compare_task="free")
    assert new["task"]["value"] == "ask" and new["words"]["visible"]
    assert new["compare-task"]["value"] == "detect"


def test_the_sides_of_a_comparison_follow(switcher: ModelSwitcher, updater: FormUpdater) -> None:
    switcher.pipeline.become(fake_pipeline(name="other"))
    new = changed(updater, compare_model_right="fake")
    assert new["compare-model-left"]["value"] == "other"
    assert new["compare-model-right"]["value"] == "fake"
    assert [one for _, one in new["compare-model-left"]["choices"]] == ["other", "fake"]


def boxes(new: Mapping[str, Any]) -> dict[str, tuple[bool, bool]]:
    """Whether each box for crops is there and ticked."""
    return {
        name: (update["visible"], update["value"])
        for name, update in new.items()
        if "crops" in str(name)
    }


TABS = ("live", "batch", "video", "chat", "inside")
CROPS = ("crops", *(f"{tab}-crops" for tab in TABS), "compare-crops-left", "compare-crops-right")


def test_boxes_for_crops_come_and_go_with_the_checkpoint(
    switcher: ModelSwitcher, updater: FormUpdater
) -> None:
    assert boxes(changed(updater)) == dict.fromkeys(CROPS, (False, False))
    switcher.pipeline.become(Pipeline(FakeEngine(), GEMMA3, name="other"))
    ticked = {"batch_crops": True, "chat_crops": True}
    expected = {name: (True, name in ("batch-crops", "chat-crops")) for name in CROPS}
    expected["live-crops"] = (False, False)  # it names no places
    new = boxes(changed(updater, **ticked))
    right = new.pop("compare-crops-right")  # which asks the former one still
    assert new == {name: expected[name] for name in new} and right == (False, False)
    switcher.pipeline.become(fake_pipeline(name="other"))
    assert boxes(changed(updater, **ticked)) == dict.fromkeys(CROPS, (False, False))


@pytest.mark.parametrize("right, is_there", [("other", True), ("fake", False)])
def test_a_side_has_a_box_where_its_own_checkpoint_looks_at_crops(
    switcher: ModelSwitcher, updater: FormUpdater, right: str, is_there: bool
) -> None:
    switcher.pipeline.become(Pipeline(FakeEngine(), GEMMA3, name="other"))
    ticked = {"compare_crops_left": True, "compare_crops_right": True}
    new = boxes(changed(updater, compare_model_right=right, **ticked))
    assert new["compare-crops-left"] == (True, True)
    assert new["compare-crops-right"] == (is_there, is_there)


def test_the_chat_is_there_while_somebody_can_chat(
    switcher: ModelSwitcher, updater: FormUpdater
) -> None:
    def is_there() -> bool:
        updates = updater.refresh(*[one.value for one in updater.inputs])
        (place,) = [place for place, tab in updater.tabs.items() if tab.name == "chat"]
        return bool(updates[place]["visible"])

    assert not is_there()
    switcher.pipeline.become(fake_pipeline(tasks=WORDLESS, name="other"))
    assert is_there()
