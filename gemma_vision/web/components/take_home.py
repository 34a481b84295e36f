"""Take home: a menu of files that can be made of a result, and what was asked for as code.

Its script calls `take` with {"kind"} and `write` with {"address"}; see `take_home.js` for what the
value has. Files are made when somebody asks for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from gemma_vision.errors import describe
from gemma_vision.web.components.html import build_html
from gemma_vision.web.i18n.texts import export_words
from gemma_vision.web.jobs.downloads import offered, write_download
from gemma_vision.web.jobs.events import QUICK_QUEUE, visitor_of
from gemma_vision.web.jobs.viewer_value import JSON, file_entry
from gemma_vision.web.jobs.visitor_answers import VisitorAnswer, VisitorAnswers

EVENT: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", **QUICK_QUEUE}

Snippets = Callable[[VisitorAnswer, str], dict[str, str]]  # what was asked, the app's address


def build_take_home(elem_id: str) -> gr.HTML:
    """The menu, hidden until there is something to take."""
    return build_html("take_home", words=export_words(), elem_id=elem_id)


def take_home_value(result: VisitorAnswer | None, run: str) -> JSON | None:
    """The menu's value for a new result; None hides it. run: changes with every result."""
    if result is None:
        return None
    return {"run": run, "kinds": offered(result), "code": bool(result.task)}


def connect_take_home(
    menu: gr.HTML,
    results: VisitorAnswers,
    decoder: Callable[[], Any],
    write_snippets: Snippets | None = None,
) -> None:
    """Make what the menu asks for of the visitor's newest result.

    decoder: gives that of the codes at the time. write_snippets: what a result's request is as
    code, by language; without it there is none.
    """

    def take(event: gr.EventData, request: gr.Request) -> JSON:
        kind = event.kind
        try:
            path = write_download(results.get(visitor_of(request)), kind, decoder())
        except Exception as error:
            return {"kind": kind, "error": describe(error)[1]}
        return {"kind": kind, "file": file_entry(path), "name": path.name}

    def write(event: gr.EventData, request: gr.Request) -> JSON:
        result = results.get(visitor_of(request))
        if result is None or write_snippets is None:
            return {"snippets": {}}
        return {"snippets": write_snippets(result, str(event.address))}

    events: Any = menu
    events.take(take, None, [menu], **EVENT)
    if write_snippets is not None:
        events.write(write, None, [menu], **EVENT)
