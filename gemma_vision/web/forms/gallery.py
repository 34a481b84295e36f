"""Gallery: small pictures of results, of which each opens in the viewer beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr
from gradio.blocks import Block

from gemma_vision.web.forms.answer_panel import panel_values
from gemma_vision.web.i18n.texts import translate
from gemma_vision.web.jobs.events import SILENT, Updates, by_component, skip, visitor_of
from gemma_vision.web.jobs.result_gallery import VisitorGalleries
from gemma_vision.web.jobs.visitor_answers import VisitorAnswers


def build_gallery(elem_id: str, label: str) -> gr.Gallery:
    """Results as small pictures, hidden until there are some. label: the key of a text."""
    return gr.Gallery(
        label=translate(label),
        columns=6,
        height=320,
        object_fit="contain",
        interactive=False,
        allow_preview=False,
        visible=False,
        buttons=[],
        elem_id=elem_id,
        elem_classes="gv-gallery",
    )


def connect_gallery(
    gallery: Any,
    galleries: VisitorGalleries,
    results: VisitorAnswers,
    parts: Mapping[str, Block],
    timeline: Any = None,
) -> None:
    """What is chosen in the gallery, or on a timeline, is looked at and taken home.

    parts: of the answer panel.
    """

    def open_page(event: gr.SelectData, request: gr.Request) -> Updates:
        return show(visitor_of(request), event.index)

    def open_time(event: gr.EventData, request: gr.Request) -> Updates:
        visitor, seconds = visitor_of(request), event.seconds
        known = isinstance(seconds, int | float)
        return show(visitor, galleries.get(visitor).place_at(seconds) if known else None)

    def show(visitor: str, place: object) -> Updates:
        page = galleries.get(visitor).open(place)
        if page is None:
            return skip()
        results.put(visitor, page.result)
        return by_component(panel_values(page.view, page.result), parts)

    panel: list[Any] = [parts[name] for name in ("viewer", "take_home", "drawer", "json")]
    gallery.select(open_page, None, panel, **SILENT)
    if timeline is not None:
        timeline.seek(open_time, None, panel, **SILENT)
