"""Errors as a client of Gradio and as the page's scripts read them."""

from __future__ import annotations

import gradio as gr

from gemma_vision.errors import describe


def to_client(error: Exception) -> gr.Error:
    """The error as a client reads it: "E_IMAGE_TOO_LARGE: the sentence"."""
    code, message = describe(error)
    return gr.Error(coded(code, message), title=code, print_exception=False)


def to_note(error: Exception, about: str = "") -> str:
    """The error as the page reads it, which says it in the visitor's language.

    about: what went wrong, in front of the sentence: the name of a file.
    """
    code, message = describe(error)
    return coded(code, f"{about}: {message}" if about else message)


def coded(code: str, message: str) -> str:
    """A sentence behind its code."""
    return f"{code}: {message}"
