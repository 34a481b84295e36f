"""Which checkpoints may stand beside the one that answers."""

from __future__ import annotations

import weakref

import pytest
from fake_engine import fake_pipeline

from gemma_vision.errors import CheckpointError
from gemma_vision.pipeline import Pipeline
from gemma_vision.registry.model_cache import MOST_LARGE, ModelCache, most_large

BILLIONS = 3 * 10**9
ROWS = [
    {"id": "small", "here": True, "parameters": 10},
    {"id": "large", "here": True, "parameters": BILLIONS},
    {"id": "far", "here": False, "parameters": 10},
]


def made(name: str, parameters: int) -> Pipeline:
    pipeline = fake_pipeline(name=name)
    pipeline.card["parameters"] = parameters
    return pipeline


@pytest.fixture(autouse=True)
def rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gemma_vision.registry.model_cache.models", lambda: ROWS)


def model_cache(parameters: int) -> ModelCache:
    sizes = {"small": 10, "large": BILLIONS}
    return ModelCache(made("first", parameters), lambda name: made(name, sizes[name]))


def test_a_second_large_one_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    assert model_cache(BILLIONS).names() == ["first", "small"]
    assert model_cache(10).names() == ["first", "small", "large"]
    with pytest.raises(CheckpointError, match="take one of the list"):
        model_cache(BILLIONS).get("large")
    monkeypatch.setenv(MOST_LARGE, "2")
    assert model_cache(BILLIONS).names() == ["first", "small", "large"]


def test_a_large_one_beside_makes_room() -> None:
    held = model_cache(10)
    held.get("large")
    assert held.has_room_for(10) and not held.has_room_for(BILLIONS)
    held.evict_other()
    assert held.has_room_for(BILLIONS)


def test_a_small_one_beside_may_stay() -> None:
    held = model_cache(10)
    other = held.get("small")
    held.evict_other()
    assert held.get("small") is other


def test_names_follow_the_checkpoint_that_answers() -> None:
    held = model_cache(10)
    held.pipeline.become(made("large", BILLIONS))
    assert held.names() == ["large", "small"]
    assert held.get("large") is held.pipeline


@pytest.mark.parametrize("given", ["0", "-1", "two", "1.5"])
def test_a_number_that_is_none_is_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MOST_LARGE, given)
    with pytest.raises(CheckpointError, match=f"{MOST_LARGE} is '{given}'"):
        most_large()


def test_one_that_comes_to_answer_does_not_stay_beside() -> None:
    held = model_cache(10)
    double = weakref.ref(held.get("small"))
    held.pipeline.become(made("small", 10))
    held.evict_duplicate()
    assert double() is None and held.get("small") is held.pipeline
