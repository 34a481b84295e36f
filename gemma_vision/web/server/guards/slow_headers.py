"""Slow headers: a connection that does not come to a request is closed.

The server waits for headers as long as it takes, so that a thousand clients who send a letter now
and then would hold every connection there may be. Whoever reads an answer slowly is no such client.
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

SECONDS = 30.0  # for the headers of a request
EVERY = 5.0  # seconds between two looks


class HeaderWatch:
    """Looks at the connections of a uvicorn server now and then, in a thread of its own."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._since: dict[int, float] = {}  # by connection that has no request

    def start(self) -> None:
        """Watch until the server ends."""
        threading.Thread(target=self._work, name="header watch", daemon=True).start()

    def close_idle(self, now: float) -> None:
        """Close what has had no request for too long; now: seconds of a clock that goes on."""
        idle = {id(one): one for one in list(self._server.server_state.connections) if waits(one)}
        self._since = {key: self._since.get(key, now) for key in idle}
        for key, since in self._since.items():
            if now - since >= SECONDS:
                transport = idle[key].transport
                idle[key].loop.call_soon_threadsafe(transport.close)

    def _work(self) -> None:
        while not self._server.should_exit:
            time.sleep(EVERY)
            with contextlib.suppress(Exception):  # the next look comes
                self.close_idle(time.monotonic())


def waits(connection: Any) -> bool:
    """Whether a connection has no request under way."""
    cycle = getattr(connection, "cycle", None)
    return cycle is None or bool(cycle.response_complete)
