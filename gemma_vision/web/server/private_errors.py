"""Private errors: what fails before a handler is reached becomes a sentence and stays unlogged.

Gradio prints such errors with all that a visitor sent: words, and the names of pictures.
"""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from gradio.exceptions import InvalidPathError
from gradio.route_utils import FnIndexInferError
from gradio.utils import get_function_params
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gemma_vision.errors import describe, place_of, request_id
from gemma_vision.web.server.errors import to_client
from gemma_vision.web.server.guards.guard_errors import WHERE
from gemma_vision.web.server.guards.request_log import KEY
from gemma_vision.web.server.uploads import UploadError, resolve_upload
from postprocess.errors import UserError

log = logging.getLogger("gemma_vision.web")

GRADIO = "/gradio_api/"
WEB = Path(__file__).resolve().parent.parent  # the files of the page
BEFORE_HANDLERS = ("preprocess_data", "validate_inputs", "special_args")  # of Gradio
MISFITS = (AttributeError, LookupError, TypeError, ValueError)
ADDRESSES = ("http://", "https://")
NO_JSON = "The call is no JSON"
PAGE = "page"  # before the names of its own handlers


class ArgumentsError(UserError):
    """A call that does not fit its endpoint; the message is one sentence, without what was sent."""

    CODE = "E_ARGUMENTS"


class PrivateErrorBlocks(gr.Blocks):
    """A page whose refusals all have a code. A call that leaves options out gets their defaults."""

    def __exit__(self, *arguments: Any) -> None:
        """As gr.Blocks.__exit__; what is the page's own is then reached by no name.

        Gradio names it after its function, and would answer to that. The page goes by numbers.
        """
        super().__exit__(*arguments)
        for block_fn in self.fns.values():
            if block_fn.api_visibility == "private":
                # no part of an address has a slash
                block_fn.api_name = f"{PAGE}/{block_fn.api_name}"

    def validate_inputs(self, block_fn: Any, inputs: list[Any]) -> None:
        """Fill up `inputs` in place; raises ArgumentsError where one without a default is left out.

        Clients do this by themselves; a bare list of values leaves it to the server.
        """
        missing = parameters(block_fn)[len(inputs) :]
        for name, has_default, default, _ in missing:
            if not has_default:
                raise ArgumentsError(f"The call has no {name}; {WHERE}")
            inputs.append(default)
        if len(inputs) < len(block_fn.inputs):
            counts = f"{len(inputs)} values of {len(block_fn.inputs)}"
            raise ArgumentsError(f"The call has {counts}; {WHERE}")

    async def process_api(self, *arguments: Any, **options: Any) -> Any:
        """As gr.Blocks.process_api; what it raises becomes an error that Gradio does not log.

        Events run after the request that asked for them; its number is theirs.
        """
        scope = getattr(getattr(options.get("request"), "request", None), "scope", {})
        if KEY in scope:
            request_id.set(scope[KEY])
        try:
            check_files((arguments, options.get("inputs")))
            return await super().process_api(*arguments, **options)
        except gr.Error as error:
            error.print_exception = False
            raise
        except InvalidPathError:
            message = "The file is no uploaded file; upload it and try again."
            raise to_client(UploadError(message)) from None
        except Exception as error:
            block_fn = options.get("block_fn", arguments[0] if arguments else None)
            raise to_client(fetch_error(error) or misfit(error, block_fn) or error) from None


def check_files(values: Any) -> None:
    """UploadError where a client names a file that it did not upload, before Gradio looks at it.

    A folder is none either. Addresses are for Gradio, which fetches from public hosts alone.
    """
    pending = [values]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            path = value.get("path")
            if isinstance(path, str) and path and not path.lower().startswith(ADDRESSES):
                resolve_upload(path)
            pending += value.values()
        elif isinstance(value, (list, tuple)):
            pending += value


def fetch_error(error: Exception) -> UploadError | None:
    """The refusal for an address that a client named and that could not be fetched.

    Gradio fetches it before a handler is reached; None for errors of anything else.
    """
    files = (frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__))
    if not any("safehttpx" in Path(file).parts or "httpx" in Path(file).parts for file in files):
        return None
    return UploadError("The picture's address could not be fetched; upload the picture instead.")


def misfit(error: Exception, block_fn: Any) -> ArgumentsError | None:
    """The refusal of values that do not fit what they were sent to; None for errors of ours.

    Gradio itself trips on them before a handler is reached. The page's own handlers get what the
    page sends, so that what is no such value in them was sent by hand.
    """
    frames = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    is_before = any(code.co_name in BEFORE_HANDLERS for code in frames)
    is_event = frames[-1].co_qualname.startswith("EventData.") if frames else False
    is_private = getattr(block_fn, "api_visibility", "public") != "public"
    is_ours = bool(frames) and WEB in Path(frames[-1].co_filename).parents
    is_kind = isinstance(error, MISFITS) and not isinstance(error, UserError)
    if not is_kind or not (is_before or (is_private and (is_event or is_ours))):
        return None
    if not is_before:
        log.warning("%s", place_of(error))
    return ArgumentsError(f"The call's values do not fit; {WHERE}")


def parameters(block_fn: Any) -> list[tuple[str, bool, Any, Any]]:
    """Name, whether there is a default, the default and the hint of what an endpoint takes.

    Nothing for the page's own events, which leave nothing out.
    """
    is_endpoint = block_fn.api_visibility == "public" and block_fn.fn is not None
    return get_function_params(block_fn.fn) if is_endpoint else []


class ErrorFilter:
    """ASGI middleware: calls that fit no endpoint get 4xx and a code, not 500 and a traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(GRADIO):
            await self._app(scope, receive, send)
            return
        has_started = False

        async def forward(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await self._app(scope, receive, forward)
        except Exception as error:
            if has_started:
                raise
            await refusal(error)(scope, receive, send)


def refusal(error: Exception) -> JSONResponse:
    """The answer to a call that fits no endpoint: the contract's {"code", "message"}."""
    if isinstance(error, (KeyError, FnIndexInferError)):
        body = {"code": "E_ENDPOINT", "message": f"There is no such endpoint; {WHERE}"}
        return JSONResponse(body, 404)
    if not isinstance(error, (TypeError, ValueError)):
        code, message = describe(error)
        return JSONResponse({"code": code, "message": message}, 500)
    if isinstance(error, UnicodeError):
        return misfit_answer("The call holds half of a character")
    is_told = isinstance(error, TypeError) or "JSON" not in str(error)  # else it quotes the call
    return misfit_answer(str(error).split(". ")[0].split("\n")[0][:200] if is_told else NO_JSON)


def misfit_answer(why: str) -> JSONResponse:
    """The answer to a call whose values do not fit, for whatever reason."""
    message = f"{why.encode(errors='replace').decode()}; {WHERE}"  # halves of characters as "?"
    body = {"code": "E_ARGUMENTS", "message": message, "detail": f"E_ARGUMENTS: {message}"}
    return JSONResponse(body, 422)


async def refuse_unreadable(request: Request, error: Exception) -> Response:
    """The answer to a body that is no text, or nested without end; other refusals stay as they are.

    FastAPI raises HTTPException for it, where it finds another shape only after reading it.
    """
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, (UnicodeError, RecursionError)):
        return misfit_answer(NO_JSON)
    return await http_exception_handler(request, error)


async def refuse_body(_: Request, error: Exception) -> JSONResponse:
    """The answer to a body of another shape, without the body, which FastAPI would send back."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return misfit_answer(NO_JSON)
    place = ".".join(str(part) for part in first["loc"][1:]) or "body"
    return misfit_answer(f"The call's {place} does not fit ({first['msg']})")


# As `app_kwargs["exception_handlers"]`.
BODY_REFUSAL = {RequestValidationError: refuse_body, HTTPException: refuse_unreadable}
ERROR_FILTER = Middleware(ErrorFilter)
