"""The viewer: a canvas that shows an answer while it grows, as one Gradio component.

A page has many viewers and one copy of their script: that of the viewer called `SOURCE`. The others
run that text, which Gradio has on the page with the component's other properties.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from gemma_vision.web.components.html import build_html
from gemma_vision.web.components.scripts import join_more

SOURCE = "viewer"  # the id of the viewer with the script
FILES = ("viewer.js", "viewer_input.js")
# The names are the arguments of the function that Gradio makes of a component's script; what such a
# script has in quotes are events that may be listened to.
BORROW = f"""// Calls "ask"; before a camera "start" and "freeze".
const names = ["element", "trigger", "props", "server", "upload", "watch"];
const own = globalThis.gradio_config.components.find((one) => one.props.elem_id === "{SOURCE}");
const script = `${{own.props.js_on_load}}\n${{props.more ?? ""}}`;
new Function(...names, script)(element, trigger, props, server, upload, watch);
"""


def build_viewer(*, elem_id: str = SOURCE, **options: Any) -> gr.HTML:
    """The viewer, empty; its value is what `jobs.viewer_value` makes of an answer.

    On a page there has to be one whose id is `SOURCE`.
    """
    script = "" if elem_id == SOURCE else BORROW
    return build_html(
        "viewer", scripts=("viewer_input",), script=script, elem_id=elem_id, **options
    )


def build_live_viewer(
    fields: Sequence[str], form: Mapping[str, Any], *, tab: str, elem_id: str, **options: Any
) -> gr.HTML:
    """A viewer before a visitor's camera, with buttons that start and stop it.

    fields: the names of the form's values, in the order in which the tab tells them; form: those
    that it begins with. It calls `start`, and `freeze` with a frame that was uploaded: {"path",
    "task", "text"}.
    """
    return build_html(
        "viewer",
        "viewer_live",
        script=BORROW,
        more=join_more("viewer_live.js", before=FILES),
        fields=list(fields),
        form=dict(form),
        tab=tab,
        elem_id=elem_id,
        **options,
    )
