"""Run and Stop are the same in every tab: what is begun is followed, ended, and said when wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from gemma_vision.errors import INTERNAL
from gemma_vision.requests.validation import TaskError
from gemma_vision.web.jobs.events import Carrier, busy, idle
from gemma_vision.web.jobs.job import StreamRun

VISITOR: Any = SimpleNamespace(session_hash="one")
STRANGER: Any = SimpleNamespace(session_hash="two")


class Counting:
    """Work that counts to a number, as far as a gate lets it."""

    def __init__(
        self, gate: threading.Semaphore | None = None, fails_at: int | None = None
    ) -> None:
        self.gate = gate
        self.fails_at = fails_at

    def begin(self, count: int) -> StreamRun[int, str]:
        if count < 0:
            raise TaskError("Fewer than none cannot be counted; count up.")
        return StreamRun(lambda: self.count(count), "about")

    def count(self, count: int) -> Iterator[int]:
        for number in range(1, count + 1):
            if self.gate:
                assert self.gate.acquire(timeout=10)
            if number == self.fails_at:
                raise RuntimeError("a secret")
            yield number

    def growing(self, states: Iterator[int | None], about: str) -> Iterator[list[Any]]:
        for state in states:
            yield ["growing", state, about]

    def finished(self, state: int | None, about: str, is_whole: bool) -> list[Any]:
        return ["whole" if is_whole else "stopped", state, about]

    def failed(self, sentence: str, state: int | None) -> list[Any]:
        return [sentence, state, ""]


def test_work_grows_and_ends_with_its_last_state_and_free_buttons() -> None:
    *growing, last = Carrier(Counting(), 3).start(VISITOR, 5)
    assert {update[0] for update in growing} == {"growing"} and growing[-1][1] == 5
    assert last == ["whole", 5, "about", *idle()]


def test_what_cannot_begin_is_said_in_words() -> None:
    (update,) = Carrier(Counting(), 3).start(VISITOR, -1)
    assert update == ["Fewer than none cannot be counted; count up.", None, "", *idle()]


def test_a_failure_keeps_what_is_there_and_tells_no_secrets() -> None:
    *_, last = Carrier(Counting(fails_at=4), 3).start(VISITOR, 9)
    assert last == [INTERNAL, 3, "", *idle()]


def test_stop_keeps_what_is_done() -> None:
    gate = threading.Semaphore(2)
    carrier = Carrier(Counting(gate), 3)
    updates = carrier.start(VISITOR, 100)
    while next(updates)[1] != 2:
        pass
    threading.Timer(0.2, gate.release).start()  # the step that is under way ends
    assert carrier.halt(VISITOR) == ["stopped", 3, "about", *idle()]


def test_stop_is_the_visitors_own() -> None:
    gate = threading.Semaphore(1)
    carrier = Carrier(Counting(gate), 3)
    updates = carrier.start(VISITOR, 2)
    next(updates)
    assert len(carrier.halt(STRANGER)) == 3 + len(idle())
    gate.release()
    *_, last = updates
    assert last[0] == "whole"


def test_stop_after_the_end_changes_nothing_but_the_buttons() -> None:
    carrier = Carrier(Counting(), 3)
    list(carrier.start(VISITOR, 2))
    *shown, run, stop = carrier.halt(VISITOR)
    assert [run, stop] == idle() and all(one == {"__type__": "update"} for one in shown)


def test_whoever_looks_away_stops_the_work() -> None:
    gate = threading.Semaphore(1)
    work = Counting(gate)
    runs: list[StreamRun[int, str]] = []
    begin = work.begin
    work.begin = lambda count: runs.append(begin(count)) or runs[0]  # type: ignore
    updates = Carrier(work, 3).start(VISITOR, 100)
    next(updates)
    updates.close()  # type: ignore[attr-defined]
    gate.release()
    assert runs[0].join(10) and not runs[0].is_whole


@pytest.mark.parametrize("run, stop, buttons", [(False, True, busy()), (True, False, idle())])
def test_only_one_of_the_buttons_can_be_pressed(run: bool, stop: bool, buttons: list[Any]) -> None:
    assert [button["interactive"] for button in buttons] == [run, stop]
