"""Program doors: the routes for programs that know nothing of Gradio, with one line for all."""

from __future__ import annotations

from typing import Any

from starlette.routing import Route

from gemma_vision.web.api.label_studio.door import label_studio_routes
from gemma_vision.web.api.openai.call_line import CallLine
from gemma_vision.web.api.openai.door import openai_routes


def program_routes(app: Any, host: str, max_waiting: int) -> list[Route]:
    """The routes over a page with a `pipeline` and a queue. max_waiting: calls in all."""
    line = CallLine(app._queue, max_waiting)
    app.calls_elsewhere = line.waiting
    return [*openai_routes(app, host, line), *label_studio_routes(app, line)]
