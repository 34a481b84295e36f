"""Door: the routes that Label Studio calls, over the app's pipeline.

Open where the environment names the Label Studio whose pictures may be fetched.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gemma_vision.errors import describe
from gemma_vision.web.api.label_studio.label_config import read_config
from gemma_vision.web.api.label_studio.prediction_run import (
    CallError,
    PredictionRun,
    read_call,
    read_object,
)
from gemma_vision.web.api.label_studio.task_pictures import StudioFiles
from gemma_vision.web.api.label_studio.task_results import JSON
from gemma_vision.web.api.openai.api_errors import CACHING, STATUSES, ApiError
from gemma_vision.web.api.openai.call_line import CallLine, CallPlace, read_body
from gemma_vision.web.jobs.job import MAX_SECONDS, StreamRun
from gemma_vision.web.server.guards.guard_errors import LABEL_STUDIO
from postprocess.errors import UserError

T = TypeVar("T")

ADDRESS = "GEMMA_VISION_LABEL_STUDIO"  # http://HOST:PORT
TOKEN = "LABEL_STUDIO_API_KEY"  # as Label Studio's own programs call it
PREFIX = LABEL_STUDIO
CLOSED = f"This door is closed here; whoever runs the app opens it with {ADDRESS}=http://HOST:PORT."
WHERE = f"There is no such door; {PREFIX}/health, /setup and /predict are here."
ANY = ["GET", "POST", "PUT", "PATCH", "DELETE"]
END: list[JSON] | None = None
LOG = logging.getLogger(__name__)


def files_of_environment() -> StudioFiles | None:
    """The Label Studio that the environment names; None where it names none.

    Raises UserError for what is no address.
    """
    address = os.environ.get(ADDRESS, "").strip().rstrip("/")
    if not address:
        return None
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query:
        raise UserError(f"{ADDRESS} is no address; write it as http://HOST:PORT.", "E_ADDRESS")
    return StudioFiles(address, os.environ.get(TOKEN, "").strip())


def label_studio_routes(app: Any, line: CallLine) -> list[Route]:
    """The routes over a page with a `pipeline`; refusals alone where nobody opened them."""
    files = files_of_environment()
    if files is None:
        return [Route(f"{PREFIX}/{{rest:path}}", refuse(CLOSED), methods=ANY)]
    door = LabelStudioDoor(app, files, line)
    return [
        Route(f"{PREFIX}/", door.health, methods=["GET"]),
        Route(f"{PREFIX}/health", door.health, methods=["GET"]),
        Route(f"{PREFIX}/setup", door.setup, methods=["POST"]),
        Route(f"{PREFIX}/predict", door.predict, methods=["POST"]),
        Route(f"{PREFIX}/versions", door.versions, methods=["GET", "POST"]),
        Route(f"{PREFIX}/webhook", door.hook, methods=["POST"]),
        Route(f"{PREFIX}/{{rest:path}}", refuse(WHERE), methods=ANY),
    ]


class LabelStudioDoor:
    """The calls of Label Studio on an app's pipeline."""

    def __init__(self, app: Any, files: StudioFiles, line: CallLine) -> None:
        self._app, self._files, self._line = app, files, line
        self._threads: CapacityLimiter | None = None

    async def health(self, request: Request) -> Response:
        """Whether the backend lives: 503 while no model can answer."""
        is_ready = bool(await to_thread.run_sync(self._app.pipeline.engine.ready))
        told = {"status": "UP" if is_ready else "DOWN", "model_class": "gemma-vision"}
        return JSONResponse(told, 200 if is_ready else 503, CACHING)

    async def setup(self, request: Request) -> Response:
        """A project comes: its interface is read, and the model's version told."""
        return await self._answer(request, self._set_up)

    async def versions(self, request: Request) -> Response:
        """The model's one version."""
        return JSONResponse({"versions": [self._app.pipeline.name]}, headers=CACHING)

    async def hook(self, request: Request) -> Response:
        """What happens in a project; nothing is learned from it here."""
        return JSONResponse({"result": {}, "status": "ok"}, 201, CACHING)

    async def predict(self, request: Request) -> Response:
        """The predictions of some tasks, one for each, in their order."""
        return await self._answer(request, self._predict)

    def _set_up(self, body: bytes) -> Iterator[JSON]:
        schema = read_object(body).get("schema")
        if not isinstance(schema, str):
            raise CallError("schema has to be the labelling interface.")
        read_config(schema)
        yield {"model_version": self._app.pipeline.name}

    def _predict(self, body: bytes) -> Iterator[JSON]:
        pipeline = self._app.pipeline
        run = PredictionRun(pipeline, self._files, read_call(body))
        for done in run.predictions():
            yield {"results": done, "model_version": pipeline.name}
        for message in dict.fromkeys(run.errors):
            LOG.warning("a task of Label Studio has no prediction: %s", message)

    async def _answer(self, request: Request, work: Callable[[bytes], Iterator[JSON]]) -> Response:
        """What the work comes to; it is let go of when nobody waits for it any more."""
        place: CallPlace | None = None
        try:
            place = self._line.enter(request)
            body = await read_body(request, self._line, place)
            run = StreamRun(lambda: work(body), None, seconds=MAX_SECONDS)
            beats = run.result()
            try:
                while await self._off_loop(beat, beats):
                    if await request.is_disconnected():
                        return Response(status_code=499)
            finally:
                await self._off_loop(beats.close)
            return JSONResponse(run.latest, headers=CACHING)
        except Exception as error:
            return error_response(error)
        finally:
            if place is not None:
                self._line.leave(place)

    async def _off_loop(self, work: Callable[..., T], *arguments: Any) -> T:
        if self._threads is None:
            self._threads = CapacityLimiter(self._line.most)
        return await to_thread.run_sync(partial(work, *arguments), limiter=self._threads)


def beat(beats: Iterator[None]) -> bool:
    """Wait a moment; whether it goes on. Raises what ended it."""
    for _ in beats:
        return True
    return False


def error_response(error: Exception) -> JSONResponse:
    """An error as the answer to a call: its code, and one sentence."""
    code, message = describe(error)
    status = error.status if isinstance(error, ApiError) else STATUSES.get(code, 400)
    return JSONResponse({"code": code, "message": message}, status, CACHING)


def refuse(message: str) -> Any:
    """An end that refuses everything."""

    async def end(request: Request) -> Response:
        return error_response(ApiError(message, "E_ADDRESS", status=404))

    return end
