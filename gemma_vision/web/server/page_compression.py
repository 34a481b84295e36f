"""Page compression: the front page travels compressed. Gradio compresses its scripts, not the page.

Brotli where the browser takes it, as browsers do over HTTPS: it sees across the whole page, where
the script of a viewer stands once for each tab. Gzip elsewhere.
"""

from __future__ import annotations

from gradio.brotli_middleware import BrotliMiddleware
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

PAGES = ("/", "/config")
LEVEL = 5  # of 9: a few milliseconds for half a megabyte, a quarter of which is left


class PageBrotli(BrotliMiddleware):
    """Brotli for whatever is sent: which path is a page, `CompressedPage` decides."""

    def _is_compressible_file_type(self, scope: Scope) -> bool:
        return True


class CompressedPage:
    """ASGI middleware; everything but the page itself goes through as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._gzip = GZipMiddleware(app, compresslevel=LEVEL)
        self._brotli = PageBrotli(app, quality=LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._way(scope)(scope, receive, send)

    def _way(self, scope: Scope) -> ASGIApp:
        if scope["type"] != "http" or scope["path"] not in PAGES:
            return self._plain
        accepted = Headers(scope=scope).get("accept-encoding", "")
        return self._brotli if "br" in accepted else self._gzip


COMPRESSED_PAGE = Middleware(CompressedPage)  # as a launch's `app_kwargs["middleware"]` takes it
