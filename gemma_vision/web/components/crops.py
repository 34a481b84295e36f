"""Seen: what of a picture the model looks at, and how much it remembers of what it saw."""

from __future__ import annotations

from typing import Any

import gradio as gr

from gemma_vision.images.pan_and_scan import crop_boxes
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.request import Request
from gemma_vision.web.components.viewer import read
from gemma_vision.web.i18n.texts import seen_words, translate
from gemma_vision.web.jobs.viewer_value import Showing

JSON = dict[str, Any]


def build_pan_and_scan(elem_id: str, *, visible: bool, **options: Any) -> gr.Checkbox:
    """The box to tick for crops of long pictures, there where the checkpoint can.

    `tabs.model_change` finds it by its id, in which there is "crops", when another one is loaded.
    """
    return gr.Checkbox(label=translate("pan_and_scan"), visible=visible, elem_id=elem_id, **options)


def fit_pan_and_scan(ticked: object, *, visible: bool) -> Any:
    """The update of such a box for another checkpoint; it stays ticked where that can."""
    return gr.update(visible=visible, value=bool(ticked) and visible)


def wants_crops(pipeline: Pipeline, ticked: object) -> bool:
    """Whether crops are looked at: a box that is hidden keeps a value, which says nothing."""
    return bool(ticked) and pipeline.family.has_pan_and_scan


def build_crops() -> gr.HTML:
    """The crops of pan-and-scan as small pictures; nothing where it was not asked for."""
    return gr.HTML(
        None,
        html_template=read("crops.html"),
        css_template=read("crops.css"),
        js_on_load=read("crops.js"),
        apply_default_css=False,
        words=seen_words(),
        elem_id="seen",
    )


def build_remembered(pipeline: Pipeline) -> gr.HTML:
    """A line that says how many pictures are remembered, and how often that was of use.

    Its value has the line in every language: a component that is updated before it is on the page,
    as one in a closed drawer, loses what else it was given.
    """
    return gr.HTML(
        remembered_by(pipeline),
        html_template='<p class="gv-remembered"></p>',
        css_template=".gv-remembered { margin: 0; font-size: 13px; font-variant-numeric: "
        "tabular-nums; color: var(--body-text-color-subdued); }",
        js_on_load=read("cache_status.js"),
        apply_default_css=False,
        visible=bool(pipeline.remembered()),
        elem_id="remembered",
    )


def remembered_by(pipeline: Pipeline) -> dict[str, str] | None:
    """The value of `build_remembered`; None where the engine keeps nothing."""
    counts = pipeline.remembered()
    if not counts:
        return None
    pictures, prefixes = counts["pictures"], counts["prefixes"]
    mebibytes = pictures["bytes"] / 2**20
    size = f"{mebibytes:.1f} MiB" if mebibytes >= 1 else f"{mebibytes * 1024:.0f} KiB"
    all_prefixes = prefixes["hits"] + prefixes["misses"]
    lines = {}
    for language, words in seen_words().items():
        line = words["remembered"].format(size=size, **pictures)
        if all_prefixes:
            rest = words["remembered_prefixes"].format(hits=prefixes["hits"], all=all_prefixes)
            line = f"{line} {rest}"
        lines[language] = line
    return lines


def crops_of(request: Request | None, showing: Showing) -> JSON:
    """The value of `build_crops` for a request: the picture that is shown and the rectangles.

    They are those that the answer's JSON tells: `Answer.crops` follows the same rule. Without a
    request, which is when none came about, there is nothing to show.
    """
    if request is None or not request.pan_and_scan or showing.size is None:
        return {"asked": False}
    boxes = [list(box) for box in crop_boxes(showing.size)]
    return {"asked": True, "picture": showing.picture(), "boxes": boxes}
