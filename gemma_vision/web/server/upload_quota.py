"""Upload quota: what visitors upload stays within bounds, all together and each for themselves.

Gradio limits each file and deletes old ones, but anyone may send as many as they like. Room is
reserved by the length that a request announces, so that requests side by side do not pass the bound
together; what was broken off or refused gives its room back.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections import Counter
from pathlib import Path

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gemma_vision.web.server.guards.body_limits import SILENCE
from gemma_vision.web.server.guards.clients import client_of
from gemma_vision.web.server.guards.sweeper import sweep_broken_off
from gemma_vision.web.server.uploads import UploadError, upload_folder

VARIABLE = "GEMMA_VISION_MAX_UPLOADS_GB"
LIMIT = 8.0  # gigabytes; a free Space has 50 of disk
SHARE = 0.5  # of the limit that one client may send within an hour
HOUR = 3600.0  # seconds, after which uploads go
MAX_AGE = 2.0  # seconds for which a count is believed
MAX_REQUESTS = 8  # of one client, under way side by side
UNKNOWN = 100 * 2**20  # bytes reserved for a request that announces no length
SPARE = 64 * 2**20  # bytes of the disk that stay free
FULL = "E_STORAGE_FULL: The app holds as many files as it may; try again in a few minutes."
ENOUGH = "E_BUSY: You sent as much as one visitor may for now; try again later."
LENGTH = "E_ARGUMENTS: The request's Content-Length is no number of bytes; leave it to your client."


def max_bytes() -> int:
    """What all uploads together may take, by the environment; raises UploadError."""
    given = os.environ.get(VARIABLE, "").strip() or str(LIMIT)
    try:
        gigabytes = float(given)
    except ValueError:
        gigabytes = 0.0
    if not 0 < gigabytes < float("inf"):
        raise UploadError(f"{VARIABLE} is {given!r}; it has to be a number of gigabytes above 0.")
    return int(gigabytes * 1e9)


def num_bytes(folder: Path) -> int:
    """What the files of a folder and of all below it take; those that go meanwhile count 0."""
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(where, name)).st_size
            except OSError:
                continue
    return total


class UploadQuota:
    """ASGI middleware: 507 where there is no room for an upload, 429 for too many of one client."""

    def __init__(self, app: ASGIApp, limit: int | None = None) -> None:
        self._app = app
        self._limit = max_bytes() if limit is None else limit
        self._counted = (float("-inf"), 0)  # when, bytes
        self._reserved = 0  # bytes of the requests under way
        self._running: Counter[str | None] = Counter()  # requests under way, by client
        self._sent: Counter[str | None] = Counter()  # bytes of this hour, by client
        self._hour = time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_upload = scope["type"] == "http" and scope["path"].rstrip("/").endswith("/upload")
        if not is_upload or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", str(UNKNOWN))
        if not length.isascii() or not length.isdecimal() or len(length) > 18:
            await JSONResponse({"detail": LENGTH}, 400)(scope, receive, send)
            return
        client, wanted = client_of(scope), int(length)
        free = await asyncio.to_thread(free_bytes)
        used = await self._used()
        refusal = self._refusal(client, wanted, used, free)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        self._running[client] += 1  # nobody else is let through between the check and this
        self._reserved += wanted
        try:
            await self._pass(scope, receive, send, client, wanted)
        finally:
            self._reserved -= wanted
            self._running -= Counter({client: 1})
            self._counted = (float("-inf"), 0)
            if not self._running:
                await asyncio.to_thread(sweep_broken_off)

    async def _pass(
        self, scope: Scope, receive: Receive, send: Send, client: str | None, wanted: int
    ) -> None:
        """Let the request through, no more of it than it announced; a full disk is 507."""
        received, has_started = 0, False

        async def counted() -> Message:
            nonlocal received
            try:
                message = await asyncio.wait_for(receive(), SILENCE)
            except TimeoutError:
                return {"type": "http.disconnect"}
            received += len(message.get("body", b""))
            self._sent[client] += len(message.get("body", b""))
            return {"type": "http.disconnect"} if received > wanted else message

        async def forward(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await self._app(scope, counted, forward)
        except OSError:
            if has_started:
                raise
            await JSONResponse({"detail": FULL}, 507)(scope, receive, send)

    def _refusal(
        self, client: str | None, wanted: int, used: int, free: int
    ) -> JSONResponse | None:
        """The answer to a request that there is no room for, or not for this client, if known."""
        if time.monotonic() - self._hour > HOUR:
            self._sent.clear()
            self._hour = time.monotonic()
        is_greedy = self._sent[client] + wanted > SHARE * self._limit and self._sent[client] > 0
        if client is not None and (is_greedy or self._running[client] >= MAX_REQUESTS):
            return JSONResponse({"detail": ENOUGH}, 429)
        has_room = used < self._limit and used + self._reserved + wanted <= self._limit
        if not has_room or free < self._reserved + wanted + SPARE:
            return JSONResponse({"detail": FULL}, 507)
        return None

    async def _used(self) -> int:
        """Bytes of all files, counted now or a moment ago."""
        when, used = self._counted
        if time.monotonic() - when > MAX_AGE:
            used = await asyncio.to_thread(num_bytes, upload_folder())
            self._counted = (time.monotonic(), used)
        return used


def free_bytes() -> int:
    """What the disk of the uploads has left."""
    folder = upload_folder()
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


UPLOAD_QUOTA = Middleware(UploadQuota)
