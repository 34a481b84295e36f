"""The viewer: a canvas that shows an answer while it grows, as one Gradio component."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import gradio as gr

from gemma_vision.web.components.html import build_html, join_files
from gemma_vision.web.i18n.texts import viewer_words

SCRIPTS = ("viewer_geometry", "viewer_paint", "viewer_panel", "viewer", "viewer_input")


@cache
def script() -> str:
    """The scripts with their words. As a property of the component the words would be looked into
    at every update.
    """
    return f"const WORDS = {json.dumps(viewer_words())};\n{join_files('js', *SCRIPTS)}"


def build_viewer(**options: Any) -> gr.HTML:
    """The viewer, empty; its value is what `jobs.viewer_value` makes of an answer."""
    return build_html("viewer", script=script(), **options)
