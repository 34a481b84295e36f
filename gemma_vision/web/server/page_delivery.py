"""Page delivery: how the page and what it is built of get to a browser.

The page itself is compressed, which Gradio leaves undone; it is the same for one visitor after
the other, and compressed anew when it is not. Gradio's scripts and styles, a hundred of them to a
page, have a digest of their content in their names: a browser may keep them for good, and each is
compressed once, where Gradio does all of them for every visitor.

Brotli where the browser takes it, as browsers do over HTTPS: it sees across the whole page, where
the script of a viewer stands once for each tab. Gzip elsewhere.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from posixpath import normpath

import brotli  # type: ignore[import-untyped]
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGES = ("/", "/config")
LEVEL = 5  # of 9: 17 ms for the page's megabyte, a seventh of which is left
KEPT_PAGES = 8
ASSETS = "/assets/"
CACHING = "Cache-Control"
FOR_GOOD = "public, max-age=31536000, immutable"  # a year, and no asking whether it changed
TEXTS = (".js", ".css", ".svg", ".json")  # what is smaller when compressed
KEPT_BYTES = 32_000_000  # of all assets together; a page takes two
THERE = (200, 206, 304)
REFUSED = re.compile(r"\s*q\s*=\s*0(\.0*)?\s*")  # the weight of an encoding that is not wanted
CONDITIONS = ("range", "if-none-match", "if-modified-since", "if-range")


class CompressedPage:
    """ASGI middleware; everything but the page itself goes through as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in PAGES and scope["method"] == "GET":
            send = Packer(send, encoding_for(Headers(scope=scope)), compressed).forward
        await self._app(scope, receive, send)


@dataclass(frozen=True)
class Packed:
    """A file of the page as it is sent: headers and body."""

    headers: list[tuple[bytes, bytes]]
    body: bytes


class AssetCache:
    """ASGI middleware: assets are compressed once, kept in memory, and browsers told to keep them.

    There are as many as Gradio brings along: what it does not have is not kept.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._kept: dict[tuple[str, str], Packed] = {}
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_asset = scope["type"] == "http" and scope["path"].startswith(ASSETS)
        if not is_asset or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        headers, path = Headers(scope=scope), normpath(scope["path"])  # each file has one name
        is_whole = not any(name in headers for name in CONDITIONS)
        encoding = encoding_for(headers) if path.endswith(TEXTS) else ""
        asset = self._kept.get((path, encoding)) if is_whole else None
        if asset is None:
            packer = Packer(send, encoding if is_whole else "", compress, {CACHING: FOR_GOOD})
            await self._app(scope, receive, packer.forward)
            if is_whole and packer.packed is not None:
                self._keep(path, encoding, packer.packed)
            return
        response = Response(asset.body)
        response.raw_headers = list(asset.headers)
        await response(scope, receive, send)

    def _keep(self, path: str, encoding: str, asset: Packed) -> None:
        if self._bytes + len(asset.body) <= KEPT_BYTES and (path, encoding) not in self._kept:
            self._kept[path, encoding] = asset
            self._bytes += len(asset.body)


class Packer:
    """Sends an answer on, compressed where it is a whole file; `packed` is what was sent then."""

    def __init__(
        self,
        send: Send,
        encoding: str,
        compress: Callable[[str, bytes], bytes],
        told: Mapping[str, str] | None = None,
    ) -> None:
        """told: headers of what is there. encoding: "" to leave it as it is."""
        self._send = send
        self._encoding = encoding
        self._compress = compress
        self._told = told or {}
        self._start: Message = {}
        self._body = bytearray()
        self.packed: Packed | None = None

    async def forward(self, message: Message) -> None:
        """Take a message of the answer; what is no whole file goes on at once."""
        if message["type"] == "http.response.start":
            self._start = message
            if message["status"] in THERE:
                MutableHeaders(scope=message).update(self._told)
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
            body = self._compress(self._encoding, body)
            headers["Content-Encoding"] = self._encoding
            headers.add_vary_header("Accept-Encoding")
        headers["Content-Length"] = str(len(body))
        self.packed = Packed(list(self._start["headers"]), body)
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": body})


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {  # by what a browser calls them, best first
    "br": partial(brotli.compress, quality=LEVEL),
    "gzip": partial(gzip.compress, compresslevel=LEVEL, mtime=0),
}


def compress(encoding: str, body: bytes) -> bytes:
    """Text as a browser that takes this encoding gets it."""
    return COMPRESSORS[encoding](body)


compressed = lru_cache(KEPT_PAGES)(compress)  # for what is the same again


def encoding_for(headers: Headers) -> str:
    """What to send to a browser that takes those encodings; "" for text as it is.

    br;q=0, gzip  ->  gzip
    """
    taken = set()
    for part in ",".join(headers.getlist("accept-encoding")).lower().split(","):
        name, _, weight = part.partition(";")
        if not REFUSED.fullmatch(weight):
            taken.add(name.strip())
    return next((encoding for encoding in COMPRESSORS if encoding in taken), "")


COMPRESSED_PAGE = Middleware(CompressedPage)  # as a launch's `app_kwargs["middleware"]` takes it
ASSET_CACHE = Middleware(AssetCache)
