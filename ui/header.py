"""The header: the name, one line of what this is, and which checkpoint answers."""

from __future__ import annotations

import gradio as gr

from gemma_vision.pipeline import Pipeline
from ui.texts import script_words
from ui.viewer import read


def build_header(pipeline: Pipeline) -> gr.HTML:
    """One static line; the script fills in texts as texts."""
    card = pipeline.describe()
    return gr.HTML(
        None,
        html_template=read("header.html"),
        css_template=read("header.css"),
        js_on_load=read("header.js"),
        apply_default_css=False,
        model=card["id"],
        parameters=card["parameters"],
        words=script_words(),
    )
