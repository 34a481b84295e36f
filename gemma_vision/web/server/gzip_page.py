"""Gzip page: the front page travels compressed. Gradio compresses its scripts, not the page."""

from __future__ import annotations

from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

PAGES = ("/", "/config")
LEVEL = 5  # of 9: a few milliseconds for half a megabyte, a quarter of which is left


class GzipPage:
    """ASGI middleware; everything but the page itself goes through as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._gzip = GZipMiddleware(app, compresslevel=LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_page = scope["type"] == "http" and scope["path"] in PAGES
        await (self._gzip if is_page else self._plain)(scope, receive, send)


GZIP_PAGE = Middleware(GzipPage)  # as `app_kwargs={"middleware": [...]}` of a launch takes it
