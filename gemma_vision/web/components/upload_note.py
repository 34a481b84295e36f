"""Upload note: the line under a field for a picture that says why a file is none."""

from __future__ import annotations

from typing import Any

import gradio as gr

from gemma_vision.images.file_formats import SUFFIXES
from gemma_vision.images.opening import open_image
from gemma_vision.web.components.html import build_html
from gemma_vision.web.jobs.events import SILENT, Updates
from gemma_vision.web.server.errors import to_note
from gemma_vision.web.server.uploads import resolve_upload


def build_upload_note(field: gr.Image) -> gr.HTML:
    """The line of a field: a file that is no picture is taken out again, with a sentence.

    Its value is {"note"}, empty for a picture that can be read, and None before there was a file.
    """
    note = build_html(
        "upload_note",
        field=field.elem_id,
        suffixes=list(SUFFIXES),
        elem_id=f"{field.elem_id}-note",
    )

    def check_file(file: Any) -> Updates:
        try:
            open_image(resolve_upload(file))
        except Exception as error:
            return {field: None, note: {"note": to_note(error)}}
        return {note: {"note": ""}}

    field.upload(check_file, field, [field, note], preprocess=False, **SILENT)
    field.clear(lambda: None, None, note, **SILENT)
    return note
