"""Rates: how much one client, and all together, may ask for in a time, where the operator says so.

Off unless the environment names a rate. Counted are requests that make the model or the disk work;
looking at the page costs nothing. The counting is that of the package `limits`.
"""

from __future__ import annotations

import math
import os
import time
from typing import TYPE_CHECKING, Any

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from gemma_vision.extras import require
from gemma_vision.web.server.guards.clients import client_of
from gemma_vision.web.server.guards.guard_errors import refusal
from postprocess.errors import UserError

if TYPE_CHECKING:
    from limits import RateLimitItem

EACH = "GEMMA_VISION_RATE"  # of one client: "30/minute", or several: "5/second;500/hour"
ALL = "GEMMA_VISION_RATE_ALL"  # of all clients together
WORK = (
    "/queue/join",
    "/call/",
    "/run/",
    "/api/",
    "/upload",
    "/mcp",
    "/component_server",
    "/v1/",
    "/live",
    "/label-studio",
)
BUSY = "That is more than may be asked for in that time; try again in {seconds} s."


class RateError(UserError):
    """A rate that cannot be meant; the message is one sentence."""

    CODE = "E_RATE"


def rates(variable: str) -> list[RateLimitItem]:
    """The rates of a variable of the environment; none where it is not set. Raises RateError."""
    given = os.environ.get(variable, "").strip()
    if not given:
        return []
    require("limits")
    from limits import parse_many

    try:
        return parse_many(given)
    except ValueError as error:
        message = f"{variable} is {given!r}; write a rate such as 30/minute, or 5/second;500/hour."
        raise RateError(message) from error


class Rates:
    """ASGI middleware: 429, with the seconds to wait, for what is more than a rate allows."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._each, self._all = rates(EACH), rates(ALL)
        self._window: Any = None
        if self._each or self._all:
            from limits.storage import MemoryStorage
            from limits.strategies import SlidingWindowCounterRateLimiter

            self._window = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_work = scope["type"] == "http" and scope["method"] == "POST"
        if self._window is None or not is_work or not any(one in scope["path"] for one in WORK):
            await self._app(scope, receive, send)
            return
        seconds = self._wait(client_of(scope))
        if seconds == 0:
            await self._app(scope, receive, send)
            return
        headers = {"Retry-After": str(seconds)}
        answer = refusal(scope, 429, "E_BUSY", BUSY.format(seconds=seconds), headers)
        await answer(scope, receive, send)

    def _wait(self, client: str | None) -> int:
        """Seconds until this client may ask again; 0 where it may now, which is then counted.

        Whoever cannot be told from others has the common rate alone.
        """
        wanted = [(rate, "all") for rate in self._all]
        wanted += [(rate, f"client {client}") for rate in self._each if client is not None]
        full = [one for one in wanted if not self._window.test(*one)]
        if not full:
            for one in wanted:
                self._window.hit(*one)
            return 0
        resets = [self._window.get_window_stats(*one).reset_time for one in full]
        return int(max(1, math.ceil(max(resets) - time.time())))


RATES = Middleware(Rates)
