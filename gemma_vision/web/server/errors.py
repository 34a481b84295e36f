"""Errors as a client of Gradio reads them."""

from __future__ import annotations

import gradio as gr

from gemma_vision.errors import describe


def to_client(error: Exception) -> gr.Error:
    """The error as a client reads it: "E_IMAGE_TOO_LARGE: the sentence"."""
    code, message = describe(error)
    return gr.Error(f"{code}: {message}", title=code, print_exception=False)
