"""Door: `POST /live`, one frame of a camera in, what was found in it out.

A body is a line of JSON and the picture's bytes; the answer is a line of JSON for each state of it,
the last with a `finish`. No frame waits in a queue: a page has one under way, its newest.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gemma_vision.errors import describe
from gemma_vision.web.api.live.frame_call import MAX_BODY, FrameError, read_frame
from gemma_vision.web.api.live.frame_line import MAX_FRAMES, FrameLine
from gemma_vision.web.api.live.frame_run import JSON, FrameRun
from gemma_vision.web.server.live_switch import VARIABLE, is_live

T = TypeVar("T")

PATH = "/live"
SILENCE = 10.0  # seconds without a byte of a frame after which it is given up
CLOSED = f"No cameras are looked at here; whoever runs the app allows it with {VARIABLE}=on."
METHOD = "A frame is sent by POST."
CACHING = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
LINES = "application/x-ndjson"
# What a code means in HTTP; others of a person's mistakes are 422.
STATUSES = {
    "E_BUSY": 429,
    "E_STOPPED": 409,
    "E_LOADING": 503,
    "E_CUT_OFF": 503,
    "E_DEADLINE": 504,
    "E_INTERNAL": 500,
    "E_IMAGE_TOO_LARGE": 413,
}
WAIT = {429: "1", 503: "2"}  # seconds after which the next frame may be taken


def live_routes(app: Any) -> list[Route]:
    """The route over a page with a `pipeline`; a refusal alone where cameras are not allowed."""
    frame = LiveDoor(app).frame if is_live() else refuse(404, "E_LIVE", CLOSED)
    return [
        Route(PATH, frame, methods=["POST"]),
        Route(PATH, refuse(405, "E_ARGUMENTS", METHOD), methods=["GET", "PUT", "PATCH", "DELETE"]),
    ]


class LiveDoor:
    """The frames of all cameras on an app's pipeline."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._line = FrameLine()
        self._threads: CapacityLimiter | None = None

    async def frame(self, request: Request) -> Response:
        """One frame: what was found in it, as lines while it grows."""
        try:
            client = self._line.enter(request)
        except Exception as error:
            return refusal(error)
        leave = partial(self._line.leave, client)
        response: Response | None = None
        try:
            call = read_frame(await read_body(request))
            run = FrameRun(self._app.pipeline, call)
            steps = run.states()
            self._line.begin(call.page, run)
            leave = partial(self._leave, client, call.page, run, steps)
            response = await self._answer(request, run, steps, leave)
            return response
        except Exception as error:
            return refusal(error)
        finally:
            if not isinstance(response, FrameLines):
                leave()

    async def _answer(
        self, request: Request, run: FrameRun, steps: Iterator[JSON], leave: Callable[[], None]
    ) -> Response:
        """Refusals show by the status; so nothing is sent before there is something to draw."""
        watch = asyncio.create_task(stop_when_left(request, run))
        try:
            state = await self._off_loop(next, steps, END)
        finally:
            watch.cancel()
        if state["finish"]:
            return Response(line(state), headers=CACHING, media_type=LINES)
        return FrameLines(self._lines(steps, state), leave)

    async def _lines(self, steps: Iterator[JSON], state: JSON) -> AsyncIterator[str]:
        try:
            while state is not END:
                yield line(state)
                state = await self._off_loop(next, steps, END)
        except Exception as error:
            code, message = describe(error)
            yield line({"code": code, "message": message})

    def _leave(self, client: str | None, page: str, run: FrameRun, steps: Any) -> None:
        steps.close()  # nobody asks it for more by now
        self._line.end(page, run)
        self._line.leave(client)

    async def _off_loop(self, work: Callable[..., T], *arguments: Any) -> T:
        """Done in a thread: waiting for tokens."""
        if self._threads is None:
            self._threads = CapacityLimiter(MAX_FRAMES)
        return await to_thread.run_sync(partial(work, *arguments), limiter=self._threads)


END: Any = object()


class FrameLines(StreamingResponse):
    """States as lines; however it ends, nothing goes on for it."""

    def __init__(self, lines: AsyncIterator[str], leave: Callable[[], None]) -> None:
        super().__init__(lines, headers=CACHING, media_type=LINES)
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As every response; then the run is let go of."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()


async def stop_when_left(request: Request, run: FrameRun) -> None:
    """End a frame that nobody waits for; all that comes behind a body is that somebody has left."""
    await request.receive()
    run.stop()


async def read_body(request: Request) -> bytes:
    """The body; FrameError for one that is too long, or does not come."""
    body = bytearray()
    pieces = request.stream()
    try:
        while piece := await asyncio.wait_for(anext(pieces, b""), SILENCE):
            body += piece
            if len(body) > MAX_BODY:
                message = f"The frame is larger than {MAX_BODY // 2**20} MiB; send a smaller one."
                raise FrameError(message, "E_IMAGE_TOO_LARGE")
    except TimeoutError:
        raise FrameError("The frame did not come to its end; send it again.") from None
    return bytes(body)


def line(state: JSON) -> str:
    """A state on a line."""
    return json.dumps(state, ensure_ascii=False, separators=(",", ":")) + "\n"


def refusal(error: Exception) -> JSONResponse:
    """An error as the contract has it: {"code", "message"}."""
    code, message = describe(error)
    status = STATUSES.get(code, 422)
    waiting = {"Retry-After": WAIT[status]} if status in WAIT else {}
    return JSONResponse({"code": code, "message": message}, status, CACHING | waiting)


def refuse(status: int, code: str, message: str) -> Any:
    """An end that refuses everything."""

    async def end(request: Request) -> Response:
        return JSONResponse({"code": code, "message": message}, status, CACHING)

    return end
