"""Crops: what of a picture the model looks at where pan-and-scan is on."""

from __future__ import annotations

from typing import Any

import gradio as gr

from gemma_vision.images.pan_and_scan import crop_boxes
from gemma_vision.requests.request import Request
from gemma_vision.web.components.html import build_html
from gemma_vision.web.i18n.texts import crop_words
from gemma_vision.web.jobs.viewer_value import ViewerState

JSON = dict[str, Any]


def build_crops() -> gr.HTML:
    """The crops of pan-and-scan as small pictures; nothing where it was not asked for."""
    return build_html("crops", words=crop_words(), elem_id="seen")


def crops_value(request: Request | None, viewer: ViewerState) -> JSON:
    """The value of `build_crops` for a request: the picture that is shown and the rectangles.

    They are those that the answer's JSON tells: `Answer.crops` follows the same rule. Without a
    request, which is when none came about, there is nothing to show.
    """
    if request is None or not request.pan_and_scan or viewer.size is None:
        return {"asked": False}
    boxes = [list(box) for box in crop_boxes(viewer.size)]
    return {"asked": True, "picture": viewer.picture(), "boxes": boxes}
