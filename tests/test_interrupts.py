"""Ctrl+C ends whoever it reaches, at any moment, and nobody else."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from gemma_vision.runtime.engine import Prompt
from gemma_vision.runtime.local_engine import LocalEngine

SECONDS = 20.0  # in which a tiny model answers anybody
INNER = "<genexpr>"  # begins again when it is thrown away, where nothing is raised
PLACES = ("scheduler.py", "local_engine.py", "threading.py")


@pytest.fixture
def engine(random_checkpoint: Path) -> LocalEngine:
    return LocalEngine.load(random_checkpoint, "cpu")


def stream(engine: LocalEngine) -> None:
    list(engine.stream([Prompt((), "a", 2)]))


def complete(engine: LocalEngine) -> None:
    engine.complete([Prompt((), "a", 2)], threading.Event())


@contextmanager
def interrupted_at(call: int) -> Iterator[list[str]]:
    """Raise KeyboardInterrupt as the scheduler's so-many-th function begins; which one it was."""
    hit: list[str] = []
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        code = frame.f_code
        if event == "call" and code.co_filename.endswith(PLACES) and code.co_name != INNER:
            count += 1
            if count == call:
                hit.append(code.co_name)
                raise KeyboardInterrupt

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield hit
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("ask", [stream, complete])
def test_an_interrupt_leaves_the_engine_to_others(
    engine: LocalEngine, ask: Callable[[LocalEngine], None]
) -> None:
    ask(engine)  # what is made once is made
    for call in range(1, 1000):
        with interrupted_at(call) as hit:
            with suppress(KeyboardInterrupt):
                ask(engine)
        if not hit:
            break
        other = threading.Thread(target=stream, args=(engine,), daemon=True)
        other.start()
        other.join(SECONDS)
        assert not other.is_alive(), f"nobody is answered after {hit[0]}"
    assert call > 20


@pytest.mark.parametrize("ask", [stream, complete])
def test_an_interrupt_right_after_prompts_were_taken_in_leaves_nothing_to_run(
    engine: LocalEngine, ask: Callable[[LocalEngine], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = engine._scheduler
    submit = scheduler.submit

    def interrupted(rows: Any) -> None:
        submit(rows)
        raise KeyboardInterrupt

    monkeypatch.setattr(scheduler, "submit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ask(engine)
    assert not scheduler._waiting and not scheduler._leaving
