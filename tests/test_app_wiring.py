"""Run and Stop are the same in every tab: what is begun is followed, ended, and said when wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from fake_engine import fake_pipeline

from gemma_vision.errors import INTERNAL
from gemma_vision.registry.model_cache import ModelCache
from gemma_vision.registry.model_switcher import ModelSwitcher
from gemma_vision.requests.validation import TaskError
from gemma_vision.web import app as web_app
from gemma_vision.web.components.model_choice import Choice
from gemma_vision.web.jobs.events import JobRunner, by_component, skip
from gemma_vision.web.jobs.job import MANY_SECONDS, MAX_SECONDS, model_lock

BUSY = {"run": False, "stop": True}
IDLE = {"run": True, "stop": False}


class Counting:
    """A job that counts to a number, as far as a gate lets it."""

    def __init__(
        self,
        count: int,
        gate: threading.Semaphore | None = None,
        fails_at: int | None = None,
    ) -> None:
        self.count = count
        self.gate = gate
        self.fails_at = fails_at
        self.is_closed = threading.Event()

    def begin(self) -> Mapping[str, Any]:
        if self.count < 0:
            raise TaskError("Fewer than none cannot be counted; count up.")
        return {"says": "begun"}

    def stream(self) -> Iterator[int]:
        try:
            for number in range(1, self.count + 1):
                if self.gate:
                    assert self.gate.acquire(timeout=10)
                if number == self.fails_at:
                    raise RuntimeError("a secret")
                yield number
        finally:
            self.is_closed.set()

    def updates(self, state: int | None) -> Mapping[str, Any]:
        return {"says": "growing", "state": state}

    def finished(self, state: int | None, is_whole: bool) -> Mapping[str, Any]:
        return {"says": "whole" if is_whole else "stopped", "state": state}

    def failed(self, sentence: str, state: int | None) -> Mapping[str, Any]:
        return {"says": sentence, "state": state}


def runner(
    gate: threading.Semaphore | None = None, fails_at: int | None = None, **options: Any
) -> JobRunner[int]:
    return JobRunner(lambda values, _: Counting(values["count"], gate, fails_at), **options)


def start(one: JobRunner[int], count: int, visitor: str = "one") -> Any:
    return one.start({"count": count}, visitor)


def buttons(updates: Mapping[str, Any]) -> dict[str, bool]:
    """Whether each of the buttons can be pressed, where that changes."""
    return {name: updates[name]["interactive"] for name in ("run", "stop") if name in updates}


def test_a_job_grows_and_ends_with_its_last_state_and_free_buttons() -> None:
    first, *growing, last = start(runner(), 5)
    assert (first["says"], buttons(first)) == ("begun", BUSY)
    assert {update["says"] for update in growing} == {"growing"} and growing[-1]["state"] == 5
    assert (last["says"], last["state"], buttons(last)) == ("whole", 5, IDLE)


def test_what_cannot_begin_is_said_in_words() -> None:
    (update,) = start(runner(), -1)
    assert update["says"] == "E_REQUEST: Fewer than none cannot be counted; count up."
    assert update["state"] is None and buttons(update) == IDLE


def test_a_failure_keeps_what_is_there_and_tells_no_secrets() -> None:
    *_, last = start(runner(fails_at=4), 9)
    assert (last["says"], last["state"], buttons(last)) == (f"E_INTERNAL: {INTERNAL}", 3, IDLE)


def test_a_job_has_a_deadline_and_keeps_what_is_there() -> None:
    *_, last = start(runner(seconds=0.0), 10_000)
    assert last["says"].startswith("E_DEADLINE: ") and last["state"] == 1
    assert buttons(last) == IDLE


def test_every_tab_has_a_deadline() -> None:
    tabs = web_app.build_tabs(
        fake_pipeline(), Choice(ModelSwitcher(ModelCache(fake_pipeline()), model_lock))
    )
    seconds = {tab.name: tab.runner._seconds for tab in tabs}
    many = {"batch", "video"}
    assert {name for name, value in seconds.items() if value == MANY_SECONDS} == many
    assert {seconds[name] for name in seconds.keys() - many} == {MAX_SECONDS}


def test_stop_keeps_what_is_done() -> None:
    gate = threading.Semaphore(2)
    one = runner(gate)
    updates = start(one, 100)
    while next(updates).get("state") != 2:
        pass
    threading.Timer(0.2, gate.release).start()  # the step that is under way ends
    last = one.stop("one")
    assert (last["says"], last["state"], buttons(last)) == ("stopped", 3, IDLE)


def test_stop_is_heard_at_every_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pressed when the job was last known to be wanted, and no run of it could be found yet."""
    one = runner()
    has = one._beginnings.has

    def has_until_stopped(visitor: str, run: Any) -> bool:
        answer = has(visitor, run)
        pressed.append(one.stop(visitor))
        return answer

    pressed: list[Mapping[str, Any]] = []
    monkeypatch.setattr(one._beginnings, "has", has_until_stopped)
    *_, last = start(one, 5)
    assert last["says"] == "begun" and pressed[0]["says"] == "stopped"
    assert one._runs.end("one") is None


def test_stop_is_the_visitors_own() -> None:
    gate = threading.Semaphore(1)
    one = runner(gate)
    updates = start(one, 2)
    next(updates), next(updates)
    assert set(one.stop("two")) == {"run", "stop"}
    gate.release()
    *_, last = updates
    assert last["says"] == "whole"


def test_stop_after_a_failure_at_once_leaves_what_was_told() -> None:
    one = runner(fails_at=1)
    *_, failed = start(one, 5)
    assert failed["says"].startswith("E_INTERNAL")
    assert set(one.stop("one")) == {"run", "stop"}


def test_stop_after_the_end_changes_nothing_but_the_buttons() -> None:
    one = runner()
    list(start(one, 2))
    last = one.stop("one")
    assert set(last) == {"run", "stop"} and buttons(last) == IDLE


@pytest.mark.parametrize(
    "go",
    [
        pytest.param(lambda one, updates: updates.close(), id="whoever looks away"),
        pytest.param(lambda one, updates: one.leave("one"), id="whoever leaves"),
    ],
)
def test_whoever_goes_stops_the_job(go: Callable[[Any, Any], None]) -> None:
    gate = threading.Semaphore(1)
    job = Counting(100, gate)
    one: JobRunner[int] = JobRunner(lambda values, visitor: job)
    updates = one.start({}, "one")
    next(updates), next(updates)
    go(one, updates)
    gate.release()
    assert job.is_closed.wait(10)


def test_a_job_without_a_model_does_not_wait_for_one_and_has_no_buttons() -> None:
    with model_lock:
        *_, last = start(runner(controls=(), lock=None), 2)
    assert last == {"says": "whole", "state": 2}


def test_updates_go_to_the_components_that_they_name() -> None:
    outputs: Any = {"a": "component a", "b": "component b"}
    assert by_component({"b": 1}, outputs) == {"component b": 1}
    assert by_component({}, outputs) == skip()
    with pytest.raises(KeyError):
        by_component({"c": 1}, outputs)
