"""Known names: every thing that a checkpoint lists, drawn and named; one click asks for it.

A drawing of each lies beside the checkpoints that come inside, as one sheet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from gradio.blocks import Block

from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.request import MAX_TEXT
from gemma_vision.web.components.html import build_html
from gemma_vision.web.i18n.texts import script_words
from gemma_vision.web.jobs.events import Updates, skip
from gemma_vision.web.server.name_sheets import sheets

FINDING = ("detect", "segment")  # the tasks whose words are names

JSON = dict[str, Any]


def build_known_names(pipeline: Pipeline) -> gr.HTML:
    """The folded list of what a checkpoint knows; nothing where it lists no names.

    It calls `pick` with the `name` that was clicked and whether the form has a picture. The value
    is that of `known`.
    """
    return build_html(
        "example_strip_names",
        value=known(pipeline),
        sheets=sheets(),
        words=script_words(),
        elem_id="known-names",
    )


def known(pipeline: Pipeline) -> JSON:
    """Which checkpoint answers, and the names that it lists."""
    return {"id": pipeline.name, "names": list(pipeline.names)}


def connect_known_names(
    gallery: gr.HTML,
    fill: Callable[[object, str], Updates],
    task: Block,
    wish: gr.State,
    filled: Sequence[Block],
    **how: Any,
) -> None:
    """A picked name stands in the form, for the task that is chosen where that finds things; with
    a picture there it is asked for at once."""

    def pick(event: gr.EventData, chosen: str, count: int) -> Updates:
        name = str(event.name)[:MAX_TEXT]
        updates = fill(chosen if chosen in FINDING else FINDING[0], name)
        if not updates:
            return skip()
        return updates | {wish: count + bool(event.has_picture)}

    listener: Any = gallery
    listener.pick(pick, [task, wish], [wish, *filled], **how)
