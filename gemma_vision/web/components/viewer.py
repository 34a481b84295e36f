"""The viewer: a canvas that shows an answer while it grows, as one Gradio component."""

from __future__ import annotations

from typing import Any

import gradio as gr

from gemma_vision.web.components.html import build_html


def build_viewer(**options: Any) -> gr.HTML:
    """The viewer, empty; its value is what `jobs.viewer_value` makes of an answer."""
    return build_html("viewer", scripts=("viewer_input",), **options)
