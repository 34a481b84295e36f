"""Page delivery: how the page and what it is built of get to a browser.

The page itself is compressed at every visit, which Gradio leaves undone. Gradio's scripts and
styles, a hundred of them to a page, have a digest of their content in their names: a browser may
keep them for good, and each is compressed once, where Gradio does all of them for every visitor.

Brotli where the browser takes it, as browsers do over HTTPS: it sees across the whole page, where
the script of a viewer stands once for each tab. Gzip elsewhere.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import brotli  # type: ignore[import-untyped]
from gradio.brotli_middleware import BrotliMiddleware
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGES = ("/", "/config")
LEVEL = 5  # of 9: a few milliseconds for half a megabyte, a quarter of which is left
ASSETS = "/assets/"
FOR_GOOD = "public, max-age=31536000, immutable"  # a year, and no asking whether it changed
TEXTS = (".js", ".css", ".svg", ".json")  # what is smaller when compressed
KEPT_BYTES = 32_000_000  # of all assets together; a page takes two
CONDITIONS = ("range", "if-none-match", "if-modified-since", "if-range")


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


@dataclass(frozen=True)
class Asset:
    """A file of the page as it is sent: headers and body."""

    headers: list[tuple[bytes, bytes]]
    body: bytes


class AssetCache:
    """ASGI middleware: assets are compressed once, kept in memory, and browsers told to keep them.

    There are as many as Gradio brings along: what it does not have is not kept.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._kept: dict[tuple[str, str], Asset] = {}
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(ASSETS):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        is_whole = scope["method"] == "GET" and not any(name in headers for name in CONDITIONS)
        encoding = encoding_for(scope["path"], headers.get("accept-encoding", ""))
        asset = self._kept.get((scope["path"], encoding)) if is_whole else None
        if asset is None:
            maker = AssetMaker(send, encoding if is_whole else "")
            await self._app(scope, receive, maker.forward)
            if is_whole and maker.made is not None:
                self._keep(scope["path"], encoding, maker.made)
            return
        response = Response(asset.body)
        response.raw_headers = list(asset.headers)
        await response(scope, receive, send)

    def _keep(self, path: str, encoding: str, asset: Asset) -> None:
        if self._bytes + len(asset.body) <= KEPT_BYTES and (path, encoding) not in self._kept:
            self._kept[path, encoding] = asset
            self._bytes += len(asset.body)


class AssetMaker:
    """Sends an answer on, as an asset where it is one; `made` is the asset once it is sent."""

    def __init__(self, send: Send, encoding: str) -> None:
        self._send = send
        self._encoding = encoding
        self._start: Message = {}
        self._body = bytearray()
        self.made: Asset | None = None

    async def forward(self, message: Message) -> None:
        """Take a message of the answer; what is no file goes on at once."""
        if message["type"] == "http.response.start":
            self._start = message
            if message["status"] in (200, 206, 304):
                MutableHeaders(scope=message)["Cache-Control"] = FOR_GOOD
        if self._start.get("status") != 200:
            await self._send(message)
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._finish()

    async def _finish(self) -> None:
        headers = MutableHeaders(scope=self._start)
        body = bytes(self._body)
        if self._encoding and "content-encoding" not in headers:
            body = COMPRESSORS[self._encoding](body)
            headers["Content-Encoding"] = self._encoding
            headers.add_vary_header("Accept-Encoding")
        headers["Content-Length"] = str(len(body))
        self.made = Asset(list(self._start["headers"]), body)
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": body})


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {  # by what a browser calls them, best first
    "br": partial(brotli.compress, quality=LEVEL),
    "gzip": partial(gzip.compress, compresslevel=LEVEL, mtime=0),
}


def encoding_for(path: str, accepted: str) -> str:
    """How a file is sent to a browser that takes those encodings; "" as it is."""
    if not path.endswith(TEXTS):
        return ""
    return next((encoding for encoding in COMPRESSORS if encoding in accepted), "")


COMPRESSED_PAGE = Middleware(CompressedPage)  # as a launch's `app_kwargs["middleware"]` takes it
ASSET_CACHE = Middleware(AssetCache)
