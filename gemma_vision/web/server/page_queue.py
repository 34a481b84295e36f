"""The page's queue: how many may wait, a share and a turn for each client, rest while nobody asks.

Gradio's queue asks itself every millisecond whether something came, which takes 5 % of a core of a
laptop for as long as a page is served; fifty times a second take less than 1 %.
"""

from __future__ import annotations

import time
from typing import Any

from gradio.queueing import Event, Queue

from gemma_vision.web.server.guards.queue_share import bring_next, share_queue

MAX_WAITING = 32  # wishes in the queue; more are told to come back
RUNNING = 4  # of those that need no model, at once
AWAKE = 2.0  # seconds after the last request in which the next is likely
AWAKE_PAUSE, RESTING_PAUSE = 0.003, 0.02  # seconds from look to look
AWAKE_PROGRESS, RESTING_PROGRESS = 0.01, 0.1  # the same for lines about progress


class PageQueue(Queue):
    """Gradio's queue; clients take turns in it, and its pauses grow when there is nothing to do."""

    last_busy: float

    @property
    def is_awake(self) -> bool:
        """Whether something waits, runs, or did so a moment ago."""
        if len(self) or any(self.active_jobs):
            self.last_busy = time.monotonic()
        return time.monotonic() - self.last_busy < AWAKE

    @property
    def sleep_when_free(self) -> float:  # type: ignore[override]
        """Seconds until the queue is looked at again."""
        return AWAKE_PAUSE if self.is_awake else RESTING_PAUSE

    @property
    def progress_update_sleep_when_free(self) -> float:  # type: ignore[override]
        """Seconds until progress is looked at again."""
        return AWAKE_PROGRESS if self.is_awake else RESTING_PROGRESS

    def get_events(self) -> tuple[list[Event], bool, str] | None:
        """The events that are next, whether they are a batch, and their line; None for none.

        A line whose clients have their parts at work is out of sight for as long as this takes.
        """
        at_work = [event for events in self.active_jobs if events for event in events]
        held = []
        for name, line in self.event_queue_per_concurrency_id.items():
            running = [event for event in at_work if event.concurrency_id == name]
            if line.queue and line.concurrency_limit and not bring_next(line, running):
                held.append((line, line.queue))
                line.queue = []
        try:
            return super().get_events()
        finally:
            for line, waiting in held:
                line.queue = waiting


def open_queue(app: Any) -> None:
    """Give a Gradio page its queue."""
    app.queue(max_size=MAX_WAITING, default_concurrency_limit=RUNNING, api_open=False)
    share_queue(app)
    queue = app._queue
    for name in ("sleep_when_free", "progress_update_sleep_when_free"):
        del queue.__dict__[name]  # the class answers for them now
    queue.last_busy = time.monotonic()
    queue.__class__ = PageQueue
