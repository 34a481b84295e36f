"""Error codes: what a library under the app refuses in its own words gets a code and a sentence.

Starlette says {"detail": "Not Found"}, the server of MCP a line of text, an error of ours nothing.
"""

from __future__ import annotations

import json
import re

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gemma_vision.errors import describe
from gemma_vision.web.server.guards.guard_errors import WHERE, refusal

BARE = ("application/json", "text/plain", "")  # kinds of what libraries refuse with
CODED = re.compile(r"(E_[A-Z_]+): (.*)", re.DOTALL)
CODES = {401: "E_ACCESS", 403: "E_ACCESS", 404: "E_ENDPOINT", 413: "E_TOO_LARGE", 429: "E_BUSY"}
NOWHERE = re.compile("|Not Found|File not found.*", re.DOTALL)  # what says no more than a 404 does
FILE = re.compile("File not allowed: .*", re.DOTALL)  # of what is not there, too
NO_FILE = "The file is none that is kept here; uploads go after an hour, so upload it again."
MAX_WORDS = 200  # characters of a library's own that are told


class ErrorCoder:
    """ASGI middleware: every refusal is {"code", "message", "detail"}, or as its door has it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] == "HEAD":
            await self._app(scope, receive, send)
            return
        reply = CodedReply(scope, receive, send)
        try:
            await self._app(scope, receive, reply.forward)
        except ClientDisconnect:
            raise
        except Exception as error:
            if reply.has_started and isinstance(error.__cause__, HTTPException):
                await send({"type": "http.response.body"})  # a stream that has told it already
                return
            if reply.has_started:
                raise
            await refusal(scope, 500, *describe(error))(scope, receive, send)


class CodedReply:
    """An answer on its way out; a bare refusal is held back until its words are known."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._head: Message | None = None
        self._body = bytearray()
        self.has_started = False

    async def forward(self, message: Message) -> None:
        """The next part of it."""
        if message["type"] == "http.response.start" and is_bare(message):
            self._head = message
            return
        if self._head is None:
            self.has_started = True
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if not message.get("more_body", False):
            self.has_started = True
            await self._end(self._head, bytes(self._body))

    async def _end(self, head: Message, body: bytes) -> None:
        words = words_of(body)
        if words is None:  # it has a code, in whatever shape
            await self._send(head)
            await self._send({"type": "http.response.body", "body": body})
            return
        kept = dict(Headers(raw=head["headers"]).items())
        for name in ("content-length", "content-type"):  # those of the new body take their place
            kept.pop(name, None)
        told = coded(head["status"], words, self._scope["method"], kept.get("allow", ""))
        answer = refusal(self._scope, head["status"], *told, headers=kept)
        await answer(self._scope, self._receive, self._send)


def is_bare(head: Message) -> bool:
    """Whether an answer is a refusal that may have no code."""
    kind = Headers(raw=head["headers"]).get("content-type", "").split(";")[0]
    return head["status"] >= 400 and kind in BARE


def words_of(body: bytes) -> str | None:
    """What a library says, "" where it says nothing; None where it is an object with more in it."""
    try:
        values = json.loads(body or b'""')
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")
    if isinstance(values, dict) and values.keys() == {"detail"}:
        values = values["detail"]
    return values if isinstance(values, str) else None


def coded(status: int, words: str, method: str, allowed: str) -> tuple[str, str]:
    """The code and the sentence of a refusal; those that its words begin with, where they do."""
    if found := CODED.fullmatch(words):
        return found[1], found[2]
    if status == 404 and NOWHERE.fullmatch(words):
        return "E_ENDPOINT", f"There is no such address; {WHERE}"
    if status == 403 and FILE.fullmatch(words):
        return "E_UPLOAD", NO_FILE
    if status == 405:
        instead = " or ".join(sorted(filter(None, allowed.split(", ")))) or "another method"
        return "E_ENDPOINT", f"This address takes no {method}; send {instead}."
    if status == 503:  # of Gradio's queue, full or at its end
        return "E_BUSY", "Too many requests wait already; try again in a while."
    if status >= 500:
        return describe(RuntimeError())
    said = " ".join(words.split())[:MAX_WORDS].rstrip(".") or "The call does not fit"
    return CODES.get(status, "E_ARGUMENTS"), f"{said}; {WHERE}"


ERROR_CODES = Middleware(ErrorCoder)
