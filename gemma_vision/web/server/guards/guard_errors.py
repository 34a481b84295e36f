"""Refusals: what a guard answers, in the shape that the clients of a door read."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse
from starlette.types import Scope

OPENAI = "/v1/"
LABEL_STUDIO = "/label-studio"
WHERE = "GET /gradio_api/info has every endpoint and what it takes."  # for whose call fits none
# What clients of OpenAI's API tell errors apart by.
TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
CODES = {401: "invalid_api_key"}


def refusal(
    scope: Scope, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """A refusal with its code and sentence; at the door of OpenAI's API as that API has it.

    Elsewhere "code" and "message", and both as Gradio's "detail", which its client shows.
    """
    if scope["path"].startswith(OPENAI):
        kind = TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
        error = {
            "message": message,
            "type": kind,
            "param": None,
            "code": CODES.get(status, code),
        }
        return JSONResponse({"error": error}, status, headers)
    body = {"code": code, "message": message, "detail": f"{code}: {message}"}
    return JSONResponse(body, status, headers)
