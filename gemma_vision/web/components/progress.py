"""Progress: how far a long piece of work is, what came of it, and what went wrong."""

from __future__ import annotations

import gradio as gr

from gemma_vision.web.components.html import build_html
from gemma_vision.web.i18n.texts import script_words


def build_progress(kind: str) -> gr.HTML:
    """The panel, with the id KIND-progress; its script writes texts as texts.

    Its value is {"state", "notes", "done", "total", ...}: the sentence under the bar is the text
    "KIND_facts" filled in with it ("KIND_facts_left" while "left" is there, the seconds to come),
    then the text that "also" names. Before anything began there is no value, and nothing to see.
    """
    return build_html(
        "progress", kind=kind, words=["guidance", *script_words()], elem_id=f"{kind}-progress"
    )
