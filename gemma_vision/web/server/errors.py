"""Refusals: what went wrong, as a stable code and a sentence for a person."""

from __future__ import annotations

import logging
import traceback

import gradio as gr

log = logging.getLogger("gemma_vision.app")

INTERNAL = "Something went wrong on our side; it was noted. Try again, or try another picture."


def explain(error: Exception) -> tuple[str, str]:
    """The code and the sentence. An error that is not a person's mistake is logged, by its kind
    and place alone: messages can quote what somebody wrote.
    """
    code = getattr(error, "code", None)
    if isinstance(error, ValueError) and isinstance(code, str):
        return code, str(error)
    places = "".join(traceback.format_tb(error.__traceback__))
    log.error("%s at\n%s", type(error).__name__, places)
    return "E_INTERNAL", INTERNAL


def to_client(error: Exception) -> gr.Error:
    """The error as a client reads it: "E_IMAGE_TOO_LARGE: the sentence"."""
    code, message = explain(error)
    return gr.Error(f"{code}: {message}", title=code, print_exception=False)
