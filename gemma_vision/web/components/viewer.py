"""The viewer: a canvas that shows an answer while it grows, as one Gradio component."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import gradio as gr

from gemma_vision.web.components.html import build_html
from gemma_vision.web.components.scripts import join_scripts
from gemma_vision.web.i18n.texts import viewer_words


@cache
def script() -> str:
    """The scripts with their words. As a property of the component the words would be looked into
    at every update.
    """
    words = json.dumps(viewer_words())
    return f"const WORDS = {words};\n{join_scripts('viewer.js', 'viewer_input.js')}"


def build_viewer(**options: Any) -> gr.HTML:
    """The viewer, empty; its value is what `jobs.viewer_value` makes of an answer."""
    return build_html("viewer", script=script(), **options)
