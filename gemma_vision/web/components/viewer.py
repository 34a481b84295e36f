"""The viewer: a canvas that shows an answer while it grows, as one Gradio component.

The template is static. Everything a model or a person wrote travels in `value` and reaches the
page through `textContent` and canvas text alone: Gradio's HTML templates run what they are given.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr

from gemma_vision.web.i18n.texts import viewer_words

HERE = Path(__file__).parent
SCRIPTS = (
    "viewer_geometry.js",
    "viewer_paint.js",
    "viewer_panel.js",
    "viewer.js",
    "viewer_input.js",
)


@cache
def read(*names: str) -> str:
    """The files of those names beside this one, joined."""
    return "\n".join((HERE / name).read_text("utf-8") for name in names)


@cache
def script() -> str:
    """The scripts with their words. As a property of the component the words would be looked into
    at every update.
    """
    return f"const WORDS = {json.dumps(viewer_words())};\n{read(*SCRIPTS)}"


def build_viewer(**options: Any) -> gr.HTML:
    """The viewer, empty; it shows what `jobs.viewer_value.Showing.view` makes of an answer.

    A dict goes through gr.HTML as it is, and file entries in it become addresses on the way out.
    """
    return gr.HTML(
        None,
        html_template=read("viewer.html"),
        css_template=read("viewer.css"),
        js_on_load=script(),
        apply_default_css=False,
        **options,
    )
