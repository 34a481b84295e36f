"""Health: whether the process lives (`/healthz`), can answer (`/readyz`), and its numbers.

`/metrics` is text as Prometheus reads it. Labels come from fixed sets; nothing of a visitor is in
it.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import psutil  # type: ignore[import-untyped]
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from gemma_vision.web.server.upload_quota import num_bytes
from gemma_vision.web.server.uploads import upload_folder

UNCACHED = {"Cache-Control": "no-store"}
KINDS = ("2xx", "3xx", "4xx", "5xx")
TEXT = "text/plain; version=0.0.4; charset=utf-8"


class ResponseCounts:
    """What is counted while the app runs."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def count(self, status: int) -> None:
        """Count an answer by the kind of its status."""
        with self._lock:
            self._counts[f"{status // 100}xx"] += 1

    def text(self, app: Any) -> str:
        """All numbers, as Prometheus reads them."""
        lines = app._queue.event_queue_per_concurrency_id.values()
        gauges = {
            "gemma_vision_ready": int(app.pipeline.engine.ready()),
            "gemma_vision_queue_waiting": sum(len(line.queue) for line in lines),
            "gemma_vision_memory_bytes": psutil.Process().memory_info().rss,
            "gemma_vision_threads": threading.active_count(),
            "gemma_vision_upload_bytes": num_bytes(upload_folder()),
        }
        with self._lock:
            answers = [
                f'gemma_vision_responses_total{{status="{kind}"}} {self._counts[kind]}'
                for kind in KINDS
            ]
        told = [f"# TYPE {name} gauge\n{name} {value}" for name, value in gauges.items()]
        told += ["# TYPE gemma_vision_responses_total counter", *answers]
        return "\n".join(told) + "\n"


NUMBERS = ResponseCounts()


def health_routes(app: Any) -> list[Route]:
    """The three routes over a page with a `pipeline`."""

    async def lives(request: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"}, headers=UNCACHED)

    def can_answer(request: Request) -> JSONResponse:  # in a thread: an engine elsewhere is asked
        is_ready = bool(app.pipeline.engine.ready())
        state = {"status": "ready" if is_ready else "not ready"}
        return JSONResponse(state, 200 if is_ready else 503, UNCACHED)

    def numbers(request: Request) -> PlainTextResponse:
        return PlainTextResponse(NUMBERS.text(app), headers=UNCACHED, media_type=TEXT)

    doors = {"/healthz": lives, "/readyz": can_answer, "/metrics": numbers}
    return [Route(path, endpoint, methods=["GET"]) for path, endpoint in doors.items()]
