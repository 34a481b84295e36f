"""Answer panel: a viewer, the menu of what can be taken home, the drawer with the JSON.

The same wherever an answer is drawn. Its parts go by the names "viewer", "take_home", "drawer" and
"json".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio.blocks import Block

from gemma_vision.web.api.snippets import Call, write_snippets
from gemma_vision.web.components.take_home import (
    Snippets,
    build_take_home,
    connect_take_home,
    take_home_value,
)
from gemma_vision.web.components.viewer import build_viewer
from gemma_vision.web.forms.fields import build_json_drawer, id_of
from gemma_vision.web.jobs.events import NamedUpdates
from gemma_vision.web.jobs.viewer_value import JSON
from gemma_vision.web.jobs.visitor_answers import VisitorAnswer, VisitorAnswers

Parts = dict[str, Block]


def build_answer_panel(
    tab: str, side: str = "", *, under: Callable[[], Parts] = dict, **viewer: Any
) -> Parts:
    """The parts by name; the ids of the viewer, the menu and the JSON are those names behind the
    tab's. under: builds more that stands under the viewer; viewer: its properties.
    """
    own = {"elem_id": id_of(tab, "viewer", side)} | viewer
    parts: Parts = {"viewer": build_viewer(**own)}
    parts |= under()
    parts["take_home"] = build_take_home(id_of(tab, "take-home", side))
    parts["drawer"], parts["json"] = build_json_drawer(id_of(tab, "json", side))
    return parts


def connect_answer_panel(
    parts: Parts, results: VisitorAnswers, decoder: Callable[[], Any], write: Snippets | None = None
) -> None:
    """Make what a visitor takes home of their newest result.

    decoder: gives that of the codes at the time. write: a result's request as code, by language;
    that of a request for one picture where it is not given.
    """
    menu: Any = parts["take_home"]
    connect_take_home(menu, results, decoder, write or snippets_of)


def panel_values(view: JSON, result: VisitorAnswer | None) -> NamedUpdates:
    """What the parts become: a view, and its result to take home where there is one."""
    return {
        "viewer": view,
        "drawer": gr.update(visible=result is not None),
        "json": None if result is None else result.answer,
        "take_home": take_home_value(result, view["run"]),
    }


def cleared_panel() -> JSON:
    """Nothing is left of an earlier answer."""
    hidden = gr.update(visible=False)
    return {"viewer": None, "drawer": hidden, "json": None, "take_home": None}


def snippets_of(result: VisitorAnswer, address: str) -> dict[str, str]:
    """A result's request as code, by language."""
    called = Call(result.task, result.text, result.options, result.model, address)
    return write_snippets(called)
