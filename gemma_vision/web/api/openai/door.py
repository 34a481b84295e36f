"""Door: the routes of OpenAI's API over the app's pipeline, within the limits of every door.

A call is read up to a limit, waits in the line that all doors share, has its pictures opened by the
decoders of the app, and is let go of as soon as nobody waits for its answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gemma_vision.web.api.openai.api_errors import CACHING, ApiError, error_json, error_response
from gemma_vision.web.api.openai.call_line import VARIABLE, CallLine, CallPlace, is_open
from gemma_vision.web.api.openai.chat_call import read_call
from gemma_vision.web.api.openai.chat_run import ChatRun
from gemma_vision.web.api.openai.replies import DONE, WAITING, Reply, event
from gemma_vision.web.api.openai.token_log import Piece
from gemma_vision.web.server.guards.body_limits import SILENCE
from gemma_vision.web.server.guards.request_guard import LOOPBACK

Steps = Iterator[list[Piece]]
T = TypeVar("T")

PREFIX = "/v1"
CLOSED = f"This door is closed here; whoever runs the app opens it with {VARIABLE}=on."
WHERE = f"There is no such door; {PREFIX}/chat/completions and {PREFIX}/models are here."
ANY = ["GET", "POST", "PUT", "PATCH", "DELETE"]
END: list[Piece] | None = None


def openai_routes(app: Any, host: str, max_waiting: int) -> list[Route]:
    """The routes over a page with a `pipeline` and a queue; refusals alone where it is closed."""
    if not is_open(host, LOOPBACK):
        return [Route(f"{PREFIX}/{{rest:path}}", refuse(CLOSED), methods=ANY)]
    door = OpenAiDoor(app, max_waiting)
    doors = {
        f"{PREFIX}/chat/completions": (door.chat, "POST"),
        f"{PREFIX}/models": (door.models, "GET"),
        f"{PREFIX}/models/{{name:path}}": (door.model, "GET"),
    }
    routes = [Route(path, one, methods=[method]) for path, (one, method) in doors.items()]
    others = [Route(path, wrong_method(method), methods=ANY) for path, (_, method) in doors.items()]
    return [*routes, *others, Route(f"{PREFIX}/{{rest:path}}", refuse(WHERE), methods=ANY)]


class OpenAiDoor:
    """The calls of that API on an app's pipeline."""

    def __init__(self, app: Any, max_waiting: int) -> None:
        self._app = app
        self._line = CallLine(app._queue, max_waiting)
        self._threads: CapacityLimiter | None = None
        self._max_waiting = max_waiting
        app.calls_elsewhere = self._line.waiting

    async def models(self, request: Request) -> Response:
        """The checkpoint that answers, as a list of one."""
        listed = {"object": "list", "data": [self._describe()]}
        return JSONResponse(listed, headers=CACHING)

    async def model(self, request: Request) -> Response:
        """One checkpoint; 404 for any but the one that answers."""
        if request.path_params["name"] != self._app.pipeline.name:
            message = f"That model is not here; {self._app.pipeline.name} is."
            return error_response(ApiError(message, "model_not_found", param="model", status=404))
        return JSONResponse(self._describe(), headers=CACHING)

    async def chat(self, request: Request) -> Response:
        """One call: its answer whole, or as a stream of events."""
        try:
            place = self._line.enter(request)
        except ApiError as error:
            return error_response(error)
        leave = partial(self._line.leave, place)
        response: Response | None = None
        try:
            call = await self._off_loop(read_call, await self._read(request, place))
            run = ChatRun(self._app.pipeline, call)
            steps = run.pieces()
            if not call.is_stream:
                return await self._whole(request, run, steps)
            first: list[Piece] | None = []
            while first == [] and not run.is_begun:  # what cannot work shows by its status
                first = await self._off_loop(next, steps, END)
            response = ChatStream(self._events(run, steps, first), steps, leave)
            return response
        except Exception as error:
            return error_response(error)
        finally:
            if response is None:
                leave()

    async def _whole(self, request: Request, run: ChatRun, steps: Steps) -> Response:
        written: list[Piece] = []
        try:
            while (pieces := await self._off_loop(next, steps, END)) is not None:
                written += pieces
                if await request.is_disconnected():
                    return Response(status_code=499)
        finally:
            await self._off_loop(close, steps)
        usage = await self._off_loop(run.usage)
        whole = Reply(run.call).whole(run.content, written, run.finish, usage)
        return JSONResponse(whole, headers=CACHING)

    async def _events(
        self, run: ChatRun, steps: Iterator[list[Piece]], pieces: list[Piece] | None
    ) -> AsyncIterator[str]:
        reply = Reply(run.call)
        yield reply.first()
        try:
            while pieces is not None:
                text = "".join(text for text, _ in pieces)
                yield reply.delta(text, pieces) if pieces else WAITING
                pieces = await self._off_loop(next, steps, END)
            if run.call.is_json:
                yield reply.delta(run.content)
            yield reply.last(run.finish)
            if run.call.has_usage:
                yield reply.usage(await self._off_loop(run.usage))
            yield DONE
        except Exception as error:
            yield event(error_json(error)[1])

    async def _read(self, request: Request, place: CallPlace) -> bytes:
        """The body; ApiError for one that is too long, or does not come."""
        body = bytearray()
        pieces = request.stream()
        try:
            while piece := await asyncio.wait_for(anext(pieces, b""), SILENCE):
                self._line.reserve(place, len(piece))
                body += piece
        except TimeoutError:
            raise ApiError("The call did not come to its end.", status=408) from None
        return bytes(body)

    async def _off_loop(self, work: Callable[..., T], *arguments: Any) -> T:
        """Done in a thread: reading, and waiting for tokens."""
        if self._threads is None:
            self._threads = CapacityLimiter(self._max_waiting)
        return await to_thread.run_sync(partial(work, *arguments), limiter=self._threads)

    def _describe(self) -> dict[str, Any]:
        pipeline = self._app.pipeline
        owner = pipeline.name.partition("/")[0] if "/" in pipeline.name else "gemma-vision"
        return {"id": pipeline.name, "object": "model", "created": 0, "owned_by": owner}


class ChatStream(StreamingResponse):
    """A stream of events; however it ends, nothing goes on for it."""

    def __init__(
        self, events: AsyncIterator[str], steps: Iterator[Any], leave: Callable[[], None]
    ) -> None:
        headers = {**CACHING, "X-Accel-Buffering": "no"}
        super().__init__(events, headers=headers, media_type="text/event-stream")
        self._steps, self._leave = steps, leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As every response; then the run is let go of."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            close(self._steps)
            self._leave()


def close(steps: Iterator[Any]) -> None:
    """Stop what makes the steps."""
    getattr(steps, "close", lambda: None)()


def refuse(message: str) -> Any:
    """An end that refuses everything."""

    async def end(request: Request) -> Response:
        return error_response(ApiError(message, "not_found", status=404))

    return end


def wrong_method(method: str) -> Any:
    """An end for calls by another method than the one there is."""

    async def end(request: Request) -> Response:
        message = f"{request.method} is not for this address; send {method}."
        return error_response(ApiError(message, "method_not_allowed", status=405))

    return end
