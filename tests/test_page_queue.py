"""The page's queue is looked at often while things happen, and seldom while nothing does."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from fake_engine import fake_pipeline

from gemma_vision.web.app import build_app
from gemma_vision.web.server import page_queue
from gemma_vision.web.server.page_queue import PageQueue


@pytest.fixture
def queue() -> PageQueue:
    """The queue of a page that was just built."""

    async def build() -> Any:  # outside a running loop Gradio opens several and closes none
        return build_app(fake_pipeline())._queue

    built = asyncio.run(build())
    assert isinstance(built, PageQueue)
    return built


def test_the_pauses_grow_once_nothing_happens(
    queue: PageQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert queue.sleep_when_free == page_queue.AWAKE_PAUSE
    assert queue.progress_update_sleep_when_free == page_queue.AWAKE_PROGRESS
    later = time.monotonic() + page_queue.AWAKE + 0.1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert queue.sleep_when_free == page_queue.RESTING_PAUSE
    assert queue.progress_update_sleep_when_free == page_queue.RESTING_PROGRESS


def test_what_runs_keeps_it_awake(queue: PageQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    queue.active_jobs = [None, ["an event"]]  # type: ignore[list-item]
    later = time.monotonic() + page_queue.AWAKE + 0.1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert queue.sleep_when_free == page_queue.AWAKE_PAUSE
    queue.active_jobs = [None, None]
    assert queue.sleep_when_free == page_queue.AWAKE_PAUSE, "a moment ago something ran"
