"""Whether the app can answer is asked of the engine, which may be slow to say so elsewhere."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from gemma_vision.web.api.label_studio.door import ADDRESS, label_studio_routes
from gemma_vision.web.api.model import state_route
from gemma_vision.web.api.openai.call_line import CallLine
from gemma_vision.web.server.guards.health import health_routes

WAIT = 10.0  # seconds in which whatever is not held up has answered


class SlowEngine:
    """An engine whose server takes its time, as one does that hangs."""

    def __init__(self) -> None:
        self.asked, self.answers = threading.Event(), threading.Event()

    def ready(self) -> bool:
        """Once it may."""
        self.asked.set()
        return self.answers.wait(WAIT)


@pytest.mark.parametrize("path", ["/readyz", "/model", "/metrics", "/label-studio/health"])
def test_an_engine_that_is_slow_to_answer_holds_up_nobody(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ADDRESS, "http://127.0.0.1:8080")
    engine = SlowEngine()
    queue = SimpleNamespace(event_queue_per_concurrency_id={})
    app: Any = SimpleNamespace(pipeline=SimpleNamespace(engine=engine), _queue=queue)
    switcher: Any = SimpleNamespace(state=lambda: {"ready": engine.ready()})
    routes = [
        *health_routes(app),
        state_route(switcher),
        *label_studio_routes(app, CallLine(queue, 32)),
    ]

    async def ask() -> tuple[int, int]:
        transport = httpx.ASGITransport(Starlette(routes=routes))
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            slow = asyncio.create_task(client.get(path))
            assert await asyncio.to_thread(engine.asked.wait, WAIT)
            lives = await client.get("/healthz")
            is_held_up = slow.done()
            engine.answers.set()
            assert not is_held_up, "the loop stood still until the engine had answered"
            return lives.status_code, (await slow).status_code

    assert asyncio.run(ask()) == (200, 200)
