"""Frame line: the frames under way, few of them, and of a page the newest alone."""

from __future__ import annotations

from collections import Counter
from typing import Protocol

from starlette.requests import Request

from gemma_vision.web.api.openai.call_line import is_loopback
from gemma_vision.web.jobs.model_turns import MODEL_RUNS
from gemma_vision.web.server.guards.clients import client_of
from postprocess.errors import UserError

MAX_FRAMES = MODEL_RUNS // 2  # at once; the other half of the model's turns is for wishes
SHARE = 2  # of one client: two pages, or a frame and the newer one that takes its place
CROWDED = "Too many cameras are looked at just now; yours goes on in a moment."
GREEDY = "Two cameras of yours are looked at already; stop one of them."


class FrameBusyError(UserError):
    """More frames than are looked at side by side."""

    CODE = "E_BUSY"


class Stoppable(Protocol):
    """A frame under way."""

    def stop(self) -> None:
        """End it soon; does not wait."""


class FrameLine:
    """Counts frames, all and of each client, and stops a page's frame when a newer one comes.

    Used from the event loop alone.
    """

    def __init__(self) -> None:
        self._clients: Counter[str | None] = Counter()
        self._frames: dict[str, Stoppable] = {}  # by page

    def enter(self, request: Request) -> str | None:
        """Whose place it is, to be given to `leave` in the end; FrameBusyError for too many.

        None is anybody: the programs of this machine, and who comes through an unnamed proxy.
        """
        known = client_of(request.scope)
        client = None if known is None or is_loopback(known) else known
        if self._clients.total() >= MAX_FRAMES:
            raise FrameBusyError(CROWDED)
        if client is not None and self._clients[client] >= SHARE:
            raise FrameBusyError(GREEDY)
        self._clients[client] += 1
        return client

    def leave(self, client: str | None) -> None:
        """A place is free again."""
        self._clients -= Counter({client: 1})

    def begin(self, page: str, frame: Stoppable) -> None:
        """A page's newest frame; the one before it, if that is under way, is stopped."""
        before = self._frames.get(page)
        if before is not None:
            before.stop()
        self._frames[page] = frame

    def end(self, page: str, frame: Stoppable) -> None:
        """A frame is over."""
        if self._frames.get(page) is frame:
            del self._frames[page]
