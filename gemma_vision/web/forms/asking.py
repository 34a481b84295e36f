"""Asking: what lies between a form and the answer beside it, in the visitor's own browser.

The form's values are told to the page's scripts at every change and at every run, so that an answer
to other values is seen to be one from before. Nothing of it reaches the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr
from gradio.components import Component

from gemma_vision.web.jobs.events import SILENT

# A file is the same whatever address it is shown at.
TELL = """(...values) => {{
  const detail = JSON.stringify(values, (key, value) => (key === "url" ? undefined : value));
  document.dispatchEvent(new CustomEvent("{event}", {{ detail }}));
  return {given};
}}"""
TELL_ASKED = TELL.format(event="gv-asked", given="values")
TELL_CHANGED = TELL.format(event="gv-form", given="[]")


def connect_changes(fields: Mapping[str, Component]) -> None:
    """Tell the page what the form holds whenever a field changes, by whatever hand."""
    changes: list[Any] = [field.change for field in fields.values()]  # type: ignore[attr-defined]
    gr.on(changes, None, list(fields.values()), None, js=TELL_CHANGED, preprocess=False, **SILENT)
