"""The token of the Hub, from the page of a machine's own people: `POST` and `DELETE /model/token`.

No event of Gradio, so that the token enters no queue, no component's value and no schema. It comes
in the body of a request, and no answer has it: what is told is where the Hub's token is from.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from gemma_vision.checkpoints.access_token import TokenError
from gemma_vision.errors import describe
from gemma_vision.web.components.model_choice import Choice

PATH = "/model/token"
MAX_BODY = 4096  # bytes; a token has about forty
CACHING = {"Cache-Control": "no-store"}


def token_route(choice: Choice) -> Route:
    """POST {"token": ...} gives one, DELETE forgets it; where it is not allowed, 403 and why."""

    async def give_or_forget(request: Request) -> JSONResponse:
        if request.method == "DELETE":
            return answer(choice, lambda: choice.forget_token(request.headers))
        text = await read_token(request)
        return answer(choice, lambda: choice.give_token(text, request.headers))

    return Route(PATH, give_or_forget, methods=["POST", "DELETE"])


async def read_token(request: Request) -> object:
    """What stands in the body as the token; None where it is too long or no such JSON."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY:
            return None
    try:
        values = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return values.get("token") if isinstance(values, dict) else None


def answer(choice: Choice, action: Callable[[], None]) -> JSONResponse:
    """Where the token is from after the action, or the code and the sentence of its refusal."""
    try:
        action()
    except Exception as error:
        code, message = describe(error)
        status = 422 if isinstance(error, TokenError) else 403
        return JSONResponse({"code": code, "message": message}, status, CACHING)
    return JSONResponse(choice.token_state(), headers=CACHING)
