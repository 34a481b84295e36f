"""Body limits: how much a request may bring and how long it may take, at every door.

Uploads and the doors of assistants, of OpenAI's API and of Label Studio have larger bodies, with
limits of their own; how long they may stay silent is the same everywhere, and how long they may
take that of all but uploads and assistants.
"""

from __future__ import annotations

import asyncio
import math
import time

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gemma_vision.web.server.guards.guard_errors import LABEL_STUDIO, OPENAI, refusal

SILENCE = 60.0  # seconds without a byte after which a request is given up
LONGEST = 300.0  # seconds for a body that is no upload, however steadily it drips
MAX_BODY = 8 * 2**20  # bytes of a call: what a page sends at most, masks among it
LARGE = ("/upload", "/upload/", "/mcp", "/mcp/")  # ends of doors that bound their bodies themselves
LARGE_UNDER = (OPENAI, f"{LABEL_STUDIO}/")  # whose line bounds them, one by one and together
GONE = {"type": "http.disconnect"}
TOO_LARGE = f"The call is larger than {MAX_BODY // 2**20} MiB; upload files and send their paths."
TOO_SLOW = "The call did not come to its end in time; send it again."


class BodyLimits:
    """ASGI middleware: 413 for a body that is too large, 408 for one that does not come."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        body, has_started = Body(scope, receive), False

        async def forward(message: Message) -> None:
            nonlocal has_started
            if body.why is None or has_started:  # else it speaks of a client who has gone
                has_started = True
                await send(message)

        if body.why is None:
            try:
                await self._app(scope, body.receive, forward)
            except Exception:
                if body.why is None:
                    raise
        if body.why is not None and not has_started:
            answer = refusal(scope, *body.why, headers={"Connection": "close"})
            await answer(scope, receive, send)


class Body:
    """A request's body on its way in; `why` it is not read any further: status, code, sentence."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        path, length = scope["path"], Headers(scope=scope).get("content-length", "")
        self._receive = receive
        is_upload = path.endswith(LARGE)
        self._is_own = is_upload or path.startswith(LARGE_UNDER)
        self._latest = math.inf if is_upload else time.monotonic() + LONGEST
        self._received, self._is_over = 0, False
        self.why: tuple[int, str, str] | None = None
        if length.isdecimal():
            self._bound(int(length))

    async def receive(self) -> Message:
        """The next part; that the client has gone, where it is too much or does not come."""
        if self._is_over:
            return await self._receive()  # news of whoever leaves
        left = min(SILENCE, self._latest - time.monotonic())
        try:
            message = await asyncio.wait_for(self._receive(), max(left, 0.0))
        except TimeoutError:
            self.why = (408, "E_SLOW", TOO_SLOW)
            return GONE
        self._received += len(message.get("body", b""))
        self._is_over = not message.get("more_body", False)
        self._bound(self._received)
        return message if self.why is None else GONE

    def _bound(self, num_bytes: int) -> None:
        if num_bytes > MAX_BODY and not self._is_own:
            self.why = (413, "E_TOO_LARGE", TOO_LARGE)


BODY_LIMITS = Middleware(BodyLimits)
