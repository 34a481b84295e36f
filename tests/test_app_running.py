"""A run goes on in a thread of its own, is followed at a gentle pace and stops when told."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from gemma_vision.web.jobs.job import BEAT, MAX_RUNS, StreamRun, VisitorRuns, model_lock
from gemma_vision.web.jobs.model_turns import MODEL_RUNS, ModelTurns


class Counting:
    """A stream of numbers that notes whether it was closed and where."""

    def __init__(self, count: int, gate: threading.Semaphore | None = None) -> None:
        self.count = count
        self.gate = gate
        self.given = 0
        self.thread = ""
        self.is_closed = False

    def __call__(self) -> Iterator[int]:
        self.thread = threading.current_thread().name
        try:
            for number in range(self.count):
                if self.gate:
                    assert self.gate.acquire(timeout=10)
                self.given = number + 1
                yield number
        finally:
            self.is_closed = True


def test_the_last_value_is_always_seen_and_seen_last() -> None:
    seen = list(StreamRun(Counting(1000), None).follow())
    assert seen[-1] == 999
    assert [n for n in seen if n is not None] == sorted(n for n in seen if n is not None)


def test_values_come_at_a_gentle_pace() -> None:
    """A thousand values in no time are not a thousand updates of the page."""
    assert len(list(StreamRun(Counting(1000), None).follow())) < 20


def test_the_stream_runs_beside_whoever_looks() -> None:
    stream = Counting(3)
    run = StreamRun(stream, None)
    assert run.join(10) and stream.given == 3
    assert stream.thread == "run" != threading.current_thread().name


def test_a_silent_stream_still_gives_a_beat() -> None:
    """Between two beats Gradio can tell the generator that nobody looks any more."""
    gate = threading.Semaphore(0)
    run = StreamRun(Counting(1, gate), None)
    follower = run.follow()
    began = time.monotonic()
    assert next(follower) is None and next(follower) is None
    assert time.monotonic() - began >= BEAT
    gate.release()
    assert list(follower)[-1] == 0


def test_stop_closes_the_stream_at_its_next_value() -> None:
    gate = threading.Semaphore(2)
    stream = Counting(100, gate)
    run = StreamRun(stream, None)
    run.stop()
    gate.release()
    assert run.join(10)
    assert stream.given <= 3 and stream.is_closed


def test_closing_the_follower_stops_the_run() -> None:
    gate = threading.Semaphore(1)
    stream = Counting(100, gate)
    run = StreamRun(stream, None)
    follower = run.follow()
    next(follower)
    follower.close()  # type: ignore[attr-defined]
    assert run.stopped.is_set()
    gate.release()
    assert run.join(10) and stream.is_closed


def test_an_error_reaches_the_follower() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        list(StreamRun(broken, None).follow())
    assert not model_lock.locked()


def test_runs_share_the_model() -> None:
    gate = threading.Semaphore(0)
    first, second = Counting(1, gate), Counting(1)
    runs = [StreamRun(first, None), StreamRun(second, None)]
    assert runs[1].join(10) and second.given == 1
    assert not runs[0].join(0) and model_lock.locked()
    gate.release()
    assert runs[0].join(10) and not model_lock.locked()


def test_a_change_of_checkpoint_goes_before_new_runs_and_waits_for_old_ones() -> None:
    gate = threading.Semaphore(0)
    old = StreamRun(Counting(1, gate), None)
    while not model_lock.locked():
        time.sleep(0.01)
    assert not model_lock.acquire(timeout=0.05)
    fresh = StreamRun(Counting(1), None)
    gate.release()
    assert old.join(10)
    with model_lock:
        assert not fresh.join(0.2)
    assert fresh.join(10)


def test_no_more_runs_share_the_model_than_are_meant_to() -> None:
    turns = ModelTurns()
    assert all(turns.share(0) for _ in range(MODEL_RUNS)) and not turns.share(0.01)
    turns.unshare()
    assert turns.share(0)


def test_a_run_that_waits_for_the_model_can_be_stopped() -> None:
    with model_lock:
        stream = Counting(1)
        run = StreamRun(stream, None)
        run.stop()
        assert run.join(10)
    assert stream.given == 0 and list(run.follow()) == [None]


def test_a_visitors_new_run_ends_the_old_one() -> None:
    runs: VisitorRuns[int, None] = VisitorRuns()
    old, new = StreamRun(Counting(1), None), StreamRun(Counting(1), None)
    runs.add("ann", old)
    runs.add("ann", new)
    assert old.stopped.is_set() and not new.stopped.is_set()
    assert runs.take("ann") is new and runs.take("ann") is None


def test_forgetting_an_old_run_leaves_the_new_one() -> None:
    runs: VisitorRuns[int, None] = VisitorRuns()
    old, new = StreamRun(Counting(1), None), StreamRun(Counting(1), None)
    runs.add("ann", new)
    runs.forget("ann", old)
    assert runs.take("ann") is new


def test_runs_are_kept_in_bounds() -> None:
    runs: VisitorRuns[int, None] = VisitorRuns()
    kept = [StreamRun(Counting(1), None) for _ in range(MAX_RUNS + 3)]
    for number, run in enumerate(kept):
        runs.add(str(number), run)
    assert [run.stopped.is_set() for run in kept] == [True] * 3 + [False] * MAX_RUNS


def test_closing_what_waits_for_a_result_stops_the_run() -> None:
    gate = threading.Semaphore(1)
    stream = Counting(100, gate)
    run = StreamRun(stream, None)
    waiting = run.result()
    assert next(waiting) is None
    waiting.close()
    assert run.stopped.is_set()
    gate.release()
    assert run.join(10) and stream.is_closed and stream.given < 5
