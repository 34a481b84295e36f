"""Request log: every request has a number, which its sender sees and the log has beside its lines.

`GEMMA_VISION_LOG=json` writes the log as a JSON object a line, with a line for each request: when,
how long, which door, which status. Never what was sent: no words, no names of files, no addresses.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import sys
import time
from pathlib import Path
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gemma_vision.errors import request_id
from gemma_vision.requests.tasks import PARSE, TASKS
from postprocess.errors import UserError

VARIABLE = "GEMMA_VISION_LOG"  # "json", or "plain" as where nothing is said
HEADER = "X-Request-Id"
KEY = "gemma_vision.request_id"  # in the scope of a request, for events that run after it
PLAIN = "%(asctime)s %(levelname)s %(message)s"
MCP = "mcp"  # a package that quotes in its log
UNREADABLE = "A request over MCP failed, or could not be read (%s, line %d)."
FIELDS = ("method", "door", "status", "milliseconds")

log = logging.getLogger("gemma_vision.requests")

# Parts of paths that are Gradio's and ours; any other may be what somebody wrote.
_PARTS = """
api app_id assets call cancel chat choose completions component_server config data deep_link
gradio_api healthz heartbeat info join live login logout mcp metrics model models monitoring
openapi.json queue readyz reset run schema startup-events static stream theme.css token
upload upload_progress v1 v2
"""
_KNOWN = {*_PARTS.split(), *TASKS, PARSE}


class LogError(UserError):
    """A kind of log that there is not."""

    CODE = "E_LOG"


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON, with the number of the request that it belongs to."""

    def format(self, record: logging.LogRecord) -> str:
        """{"time", "level", "logger", "message", "request", ...}"""
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        row: dict[str, Any] = {
            "time": f"{at}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request": getattr(record, "request", None) or request_id.get() or None,
        }
        row |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info and record.exc_info[0] is not None:
            row["error"] = record.exc_info[0].__name__  # its words may be somebody's
        return json.dumps(row, ensure_ascii=False)


def is_json() -> bool:
    """Whether the environment wants JSON; raises LogError for what is neither that nor plain."""
    given = os.environ.get(VARIABLE, "").strip().lower() or "plain"
    if given not in ("json", "plain"):
        raise LogError(f"{VARIABLE} is {given!r}; write json or plain.")
    return given == "json"


def quote_nobody() -> None:
    """Have every handler write where the package mcp complains, and nothing of what was sent."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(leave_out_words)


def leave_out_words(record: logging.LogRecord) -> bool:
    """Let no record of mcp's, by whatever logger, quote a caller."""
    if MCP in Path(record.pathname).parts:
        record.msg, record.args = UNREADABLE, (record.module, record.lineno)
        record.exc_info = record.exc_text = None
    return True


def set_up_log() -> None:
    """Write what the program logs to standard error, a line each; as JSON where that is wanted."""
    logging.basicConfig(level=logging.WARNING, format=PLAIN)  # before a package does, in its way
    if is_json():
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonFormatter())
        logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
        log.setLevel(logging.INFO)


def door_of(path: str) -> str:
    """A request's path without what somebody may have written into it.

    /gradio_api/file=cat.png  ->  /gradio_api/...
    """
    kept: list[str] = []
    for part in filter(None, path.split("/")):
        if part not in _KNOWN:
            return "/".join(["", *kept, "..."])
        kept.append(part)
    return "/" + "/".join(kept)


class RequestLog:
    """ASGI middleware, the outermost: numbers requests, and logs those that are over."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._is_logging = is_json()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number, began, status = secrets.token_hex(6), time.monotonic(), 500
        scope[KEY] = number
        token = request_id.set(number)

        async def forward(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = number
            await send(message)

        try:
            await self._app(scope, receive, forward)
        finally:
            request_id.reset(token)
            if self._is_logging:
                spent = round(1000 * (time.monotonic() - began))
                door = door_of(scope["path"])
                row = {"method": scope["method"], "door": door, "status": status}
                extra = row | {"milliseconds": spent, "request": number}
                log.info("request", extra=extra)


REQUEST_LOG = Middleware(RequestLog)
