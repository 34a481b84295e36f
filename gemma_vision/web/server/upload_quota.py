"""Upload quota: what visitors upload stays within bounds.

Gradio limits each file and deletes old ones, but anyone may send as many as they like.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gemma_vision.web.server.uploads import UploadError, upload_folder

VARIABLE = "GEMMA_VISION_MAX_UPLOADS_GB"
LIMIT = 8.0  # gigabytes; a free Space has 50 of disk
MAX_AGE = 2.0  # seconds for which a count is believed
FULL = "E_STORAGE_FULL: The app holds as many files as it may; try again in a few minutes."


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
    """ASGI middleware: answers an upload with 507 where there is no room for more."""

    def __init__(self, app: ASGIApp, limit: int | None = None) -> None:
        self._app = app
        self._limit = max_bytes() if limit is None else limit
        self._counted = (0.0, 0)  # when, bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_upload = scope["type"] == "http" and scope["path"].endswith("/upload")
        if is_upload and scope["method"] == "POST" and await self._is_full():
            await JSONResponse({"detail": FULL}, 507)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _is_full(self) -> bool:
        when, used = self._counted
        if time.monotonic() - when > MAX_AGE:
            used = await asyncio.to_thread(num_bytes, upload_folder())
            self._counted = (time.monotonic(), used)
        return used >= self._limit


UPLOAD_QUOTA = Middleware(UploadQuota)
