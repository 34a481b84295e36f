"""API errors: every refusal in the shape that clients of OpenAI's API read.

{"error": {"message": ..., "type": ..., "param": ..., "code": ...}}
"""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse

from gemma_vision.errors import describe
from postprocess.errors import UserError

# What a code means in HTTP; others of a person's mistakes are 400.
STATUSES = {
    "E_BUSY": 429,
    "E_LOADING": 503,
    "E_CUT_OFF": 503,
    "E_DEADLINE": 504,
    "E_INTERNAL": 500,
}
TYPES = {404: "invalid_request_error", 429: "rate_limit_error"}
CACHING = {"Cache-Control": "no-store"}
FINAL = (400, 404, 405, 413, 504)  # which clients must not ask again


class ApiError(UserError):
    """A refusal of this API; the message is one sentence. param: what of the call it is about."""

    CODE = "invalid_request"

    def __init__(
        self, message: str, code: str | None = None, *, param: str | None = None, status: int = 400
    ) -> None:
        super().__init__(message, code)
        self.param = param
        self.status = status


def error_json(error: Exception) -> tuple[int, dict[str, Any]]:
    """The status and the body that tell of an error; nothing of what a visitor sent is logged."""
    code, message = describe(error)
    status = error.status if isinstance(error, ApiError) else STATUSES.get(code, 400)
    kind = TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    param = error.param if isinstance(error, ApiError) else None
    return status, {"error": {"message": message, "type": kind, "param": param, "code": code}}


def error_response(error: Exception) -> JSONResponse:
    """An error as the answer to a call."""
    status, body = error_json(error)
    headers = dict(CACHING)
    if status in FINAL:
        headers["x-should-retry"] = "false"
    elif status in (429, 503):
        headers["retry-after"] = "2"
    return JSONResponse(body, status, headers)
