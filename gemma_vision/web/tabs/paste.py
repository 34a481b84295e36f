"""The Paste tab: an answer that was written elsewhere, shown without a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from gemma_vision.checkpoints.mask_decoder_files import NAMES
from gemma_vision.errors import describe
from gemma_vision.images.opening import open_image
from gemma_vision.web.components.example_strip import Example, load_examples
from gemma_vision.web.components.viewer import build_viewer
from gemma_vision.web.forms.form import build_example_button
from gemma_vision.web.i18n.texts import translate
from gemma_vision.web.jobs.events import SILENT, Updates
from gemma_vision.web.jobs.viewer_value import ViewerState
from gemma_vision.web.server.uploads import resolve_upload
from gemma_vision.web.tabs.image import build_drawer
from gemma_vision.web.tabs.paste_run import read_pasted

DECODERS = ("embedded", "published", "none")
assert set(DECODERS) == set(NAMES)


def build_paste_tab() -> None:
    """Lay out the tab and connect it. Call inside a gr.Tab."""
    answers = [row for row in load_examples() if "answer" in row]
    with gr.Row(elem_classes="gv-columns"):
        with gr.Column(scale=4, min_width=300, elem_classes="gv-form"):
            text = build_text()
            example = build_example_button("paste", visible=bool(answers))
            picture = build_picture()
            with gr.Row():
                width = gr.Number(1024, label=translate("width"), precision=0, minimum=1)
                height = gr.Number(768, label=translate("height"), precision=0, minimum=1)
            choices = [(translate(f"decoder_{name}"), name) for name in DECODERS]
            decoder = gr.Radio(choices, value=DECODERS[0], label=translate("decoder"))
            button = gr.Button(translate("read"), variant="primary", elem_id="paste-run")
        with gr.Column(scale=7, min_width=320, elem_classes="gv-result"):
            viewer = build_viewer(elem_id="paste-viewer", empty="paste_empty")
            drawer, data = build_drawer("paste-json")
    example.click(lambda: fill_in(answers), None, [text, picture, decoder], **SILENT)
    gr.on(
        [button.click, text.submit],
        show,
        [text, picture, width, height, decoder],
        [viewer, drawer, data],
        preprocess=False,
        concurrency_id="quick",
        concurrency_limit=4,
        api_visibility="private",
        show_progress="hidden",
    )


def build_text() -> gr.Textbox:
    """Where the answer is pasted."""
    return gr.Textbox(
        label=translate("answer"),
        placeholder=translate("answer_hint"),
        lines=4,
        max_lines=12,
        elem_id="paste-text",
    )


def build_picture() -> gr.Image:
    """What the answer is about, where somebody has it. Its value is taken raw."""
    return gr.Image(
        label=translate("picture_maybe"),
        type="filepath",
        image_mode=None,
        sources=["upload", "clipboard"],
        buttons=[],
        height=180,
        elem_id="paste-picture",
    )


def fill_in(answers: Sequence[Example]) -> Updates:
    """An answer of the embedded checkpoint and its picture."""
    return [answers[0]["answer"], answers[0]["path"], "embedded"]


def show(
    text: str, picture: Mapping[str, Any] | None, width: int, height: int, decoder: str
) -> Updates:
    """The viewer, the drawer and the JSON of a pasted answer; the values are the client's own."""
    showing = ViewerState()
    try:
        if picture:
            showing.original = resolve_upload(picture)
            showing.image = open_image(showing.original)
        answer = read_pasted(text, showing.size or (width, height), decoder)
        showing.blank = (width, height)
    except Exception as error:
        _, message = describe(error)
        return [showing.view(None, "error", notes=[message]), gr.update(visible=False), None]
    return [showing.view(answer, "done"), gr.update(visible=True), answer]
