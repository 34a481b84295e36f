"""Sessions: what the app keeps of whoever speaks to it, small, and gone when they are.

Gradio copies the settings of the whole page for every page that is opened and every call of a
program, the newest values of a visitor among them, and keeps ten thousand of those. Here a session
has what differs from the page alone, a program's call has none, and answers that nobody fetches are
dropped.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections import ChainMap
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import gradio as gr
from gradio.blocks import BlocksConfig
from gradio.state_holder import SessionState, StateHolder

from gemma_vision.web.server.guards.memory_return import return_memory

CAPACITY = 2000  # sessions; the one longest unused goes first
MAX_AGE = 3600.0  # seconds without a sign after which a session goes
EVERY = 10.0  # seconds between two looks
UNREAD = 300.0  # seconds for which a finished answer waits to be fetched further
MAX_MAILBOXES = 512  # sessions that messages wait for


class Session(SessionState):
    """What one visitor's page has changed, over the page as everybody gets it.

    Nothing is kept of the values that were sent and shown: they are wanted for deep links alone,
    which this page has none of.
    """

    def __init__(self, blocks: Any) -> None:
        shared = blocks.default_config
        self.blocks_config = BlocksConfig(blocks)
        self.blocks_config.blocks = ChainMap({}, shared.blocks)  # type: ignore[assignment]
        self.blocks_config.fns = shared.fns
        self.blocks_config.fn_id = shared.fn_id
        self.blocks_config.renderables = shared.renderables
        self.config_values = {}
        self.state_data = {}
        self._state_ttl = {}
        self.is_closed = False
        self.STATE_TTL_WHEN_CLOSED = int(MAX_AGE)

    def __setitem__(self, key: int, value: Any) -> None:
        block = self.blocks_config.blocks.get(key)
        if isinstance(block, gr.State):
            self._state_ttl[key] = (block.time_to_live, datetime.now())
            self.state_data[key] = value
        else:
            self.blocks_config.blocks[key] = value

    def _update_config(self, key: int) -> None:
        """Nothing is kept."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Nothing is kept."""


class Sessions(StateHolder):
    """The sessions of a page. A program's call is one of its own, which is not kept."""

    def __init__(self, app: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.set_blocks(app)
        self.capacity = CAPACITY

    def __getitem__(self, session_id: str) -> Session:
        if session_id in self.blocks._queue.event_ids_to_events:
            return Session(self.blocks)
        with self.lock:
            if session_id not in self.session_data:
                self.session_data[session_id] = Session(self.blocks)
        self.update(session_id)
        self.time_last_used[session_id] = datetime.now()
        found = self.session_data.get(session_id)
        return found if isinstance(found, Session) else Session(self.blocks)

    def forget(self, max_age: float = MAX_AGE) -> None:
        """Let go of sessions that gave no sign for so many seconds."""
        before = datetime.now() - timedelta(seconds=max_age)
        with self.lock:
            for name, used in list(self.time_last_used.items()):
                if used <= before:
                    self.session_data.pop(name, None)
                    self.time_last_used.pop(name, None)


class Mailboxes:
    """The messages of a Gradio queue that wait for somebody to fetch them."""

    def __init__(self, queue: Any) -> None:
        self._queue = queue
        self._seen: dict[str, tuple[int, float]] = {}  # by session: how many, since when
        queue.pending_messages_per_session.max_size = MAX_MAILBOXES
        queue.ANALYTICS_MAX_EVENTS = 1  # each event would go through a table of all the former ones
        queue.ANAYLTICS_CACHE_FREQUENCY = sys.maxsize  # Gradio writes it so

    def drop_unread(self, max_age: float = UNREAD) -> None:
        """Drop the messages of runs that are over, where nobody took one for so many seconds."""
        now, waiting = time.monotonic(), dict(self._waiting())
        self._seen = {
            name: self._seen[name] if self._seen.get(name, (-1,))[0] == count else (count, now)
            for name, count in waiting.items()
        }
        for name, (_, since) in list(self._seen.items()):
            if now - since >= max_age:
                self._queue.pending_messages_per_session.pop(name, None)
                self._queue.pending_event_ids_session.pop(name, None)
                del self._seen[name]

    def _waiting(self) -> Iterator[tuple[str, int]]:
        """Sessions without a run, and how many messages each has."""
        running = {event.session_hash for event in list(self._queue.event_ids_to_events.values())}
        boxes = self._queue.pending_messages_per_session
        for name in {*list(boxes), *list(self._queue.pending_event_ids_session)} - running:
            box = boxes.get(name)
            yield name, 0 if box is None else box.qsize()


def keep_sessions_small(app: Any) -> None:
    """Give a launched page sessions that stay small, and look after them while the app runs."""
    sessions, mailboxes = Sessions(app), Mailboxes(app._queue)
    app.app.state_holder = sessions

    def work() -> None:
        while app.is_running:
            time.sleep(EVERY)
            with contextlib.suppress(Exception):  # the next look comes
                sessions.forget()
                mailboxes.drop_unread()
                app.app.iterators_to_reset &= set(app._queue.event_ids_to_events)
                return_memory()

    threading.Thread(target=work, name="sessions", daemon=True).start()
