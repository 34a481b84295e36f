"""OpenAPI document: Gradio's own, made valid for the version that it names (3.0).

Gradio writes JSON Schema's null type, which OpenAPI has from 3.1 on, and calls a file a string that
must be an object.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATH = "/gradio_api/openapi.json"
NULL = {"type": "null"}
FILE_MARK = 'Must include {"path"'  # how Gradio describes a file
FILE = {
    "type": "object",
    "required": ["path", "meta"],
    "properties": {
        "path": {"type": "string", "description": "What /gradio_api/upload gave."},
        "meta": {
            "type": "object",
            "required": ["_type"],
            "properties": {"_type": {"type": "string", "enum": ["gradio.FileData"]}},
        },
    },
}


def valid_document(part: Any) -> Any:
    """A document, or a part of it, as OpenAPI 3.0 has it.

    {"oneOf": [{"type": "null"}, {"type": "number"}]}  ->  {"type": "number", "nullable": True}
    """
    if isinstance(part, list):
        return [valid_document(one) for one in part]
    if not isinstance(part, dict):
        return part
    if str(part.get("description", "")).startswith(FILE_MARK):
        return {"description": part["description"], **FILE}
    whole = {key: valid_document(value) for key, value in part.items()}
    kinds = whole.get("oneOf")
    if not isinstance(kinds, list) or NULL not in kinds:
        return whole
    del whole["oneOf"]
    others = [kind for kind in kinds if kind != NULL]
    one = others[0] if len(others) == 1 else {"oneOf": others}
    return {**whole, **one, "nullable": True}


class ValidOpenApi:
    """ASGI middleware: the document is rewritten on its way out, everything else passes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            await self._app(scope, receive, send)
            return
        begun: list[Message] = []
        body = bytearray()

        async def collected(message: Message) -> None:
            if message["type"] == "http.response.start":
                begun.append(message)
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body"):
                await send_document(begun[0], bytes(body), send)

        await self._app(scope, receive, collected)


async def send_document(start: Message, body: bytes, send: Send) -> None:
    """The response as it began, with the document made valid; refusals stay what they are."""
    if start["status"] == 200:
        body = json.dumps(valid_document(json.loads(body)), ensure_ascii=False).encode()
        MutableHeaders(raw=start["headers"])["content-length"] = str(len(body))
    await send(start)
    await send({"type": "http.response.body", "body": body})


VALID_OPENAPI = Middleware(ValidOpenApi)
