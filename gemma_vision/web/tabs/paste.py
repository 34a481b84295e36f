"""The Paste tab: an answer that was written elsewhere, shown without a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import gradio as gr
from gradio.components import Component

from gemma_vision.checkpoints.mask_decoder_files import NAMES
from gemma_vision.pipeline import Pipeline
from gemma_vision.web.components.example_strip import Example, load_examples
from gemma_vision.web.components.take_home import build_take_home, connect_take_home
from gemma_vision.web.components.viewer import build_viewer
from gemma_vision.web.forms.fields import build_example_button, build_image, build_json_drawer
from gemma_vision.web.forms.tab import Tab
from gemma_vision.web.i18n.texts import translate
from gemma_vision.web.jobs.events import QUICK_QUEUE, SILENT, Updates, connect
from gemma_vision.web.jobs.visitor_answers import VisitorAnswers
from gemma_vision.web.tabs.paste_run import PasteJob, PasteValues

DECODERS = ("embedded", "published", "none")
assert set(DECODERS) == set(NAMES)


class PasteTab(Tab):
    """A text, a picture or its size, and whose mask codes they are."""

    name = "paste"
    controls = ()  # it takes no time
    lock = None

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__(pipeline)
        self.results = VisitorAnswers()

    def make_job(self, values: Mapping[str, Any], visitor: str) -> PasteJob:
        """The job that the form asks for."""
        return PasteJob(PasteValues(**values), partial(self.results.put, visitor))

    def leave(self, visitor: str) -> None:
        """As every tab, and nothing is left of the answer."""
        super().leave(visitor)
        self.results.put(visitor, None)

    def build(self) -> None:
        """Lay out the tab and connect it."""
        answers = [row for row in load_examples() if "answer" in row]
        with gr.Row(elem_classes="gv-columns"):
            with gr.Column(scale=4, min_width=300, elem_classes="gv-form"):
                text = build_text()
                example = build_example_button("paste", visible=bool(answers))
                fields = {"text": text, **build_source()}
                button = gr.Button(translate("read"), variant="primary", elem_id="paste-run")
            with gr.Column(scale=7, min_width=320, elem_classes="gv-result"):
                viewer = build_viewer(elem_id="paste-viewer", empty="paste_empty")
                menu = build_take_home("paste-take-home")
                drawer, data = build_json_drawer("paste-json")
        connect_example(example, fields, answers)
        starts = [button.click, text.submit]
        outputs = {"viewer": viewer, "take_home": menu, "drawer": drawer, "json": data}
        options = {"is_busy_at_once": False, "show_progress": "hidden", **QUICK_QUEUE}
        connect(self.runner, starts, fields, outputs, **options)
        connect_take_home(menu, self.results, lambda: None)


def build_text() -> gr.Textbox:
    """Where the answer is pasted."""
    return gr.Textbox(
        label=translate("answer"),
        placeholder=translate("answer_hint"),
        lines=4,
        max_lines=12,
        elem_id="paste-text",
    )


def build_source() -> dict[str, Component]:
    """What the answer is about, where somebody has it; else its size; and whose codes they are."""
    upload = build_image("paste-picture", label="picture_maybe", height=180)
    with gr.Row():
        width = gr.Number(1024, label=translate("width"), precision=0, minimum=1)
        height = gr.Number(768, label=translate("height"), precision=0, minimum=1)
    choices = [(translate(f"decoder_{name}"), name) for name in DECODERS]
    decoder = gr.Radio(choices, value=DECODERS[0], label=translate("decoder"))
    return {"upload": upload, "width": width, "height": height, "decoder": decoder}


def connect_example(
    button: gr.Button, fields: Mapping[str, Component], answers: Sequence[Example]
) -> None:
    """An answer of the embedded checkpoint and its picture."""

    def fill() -> Updates:
        values = {"text": answers[0]["answer"], "upload": answers[0]["path"], "decoder": "embedded"}
        return {fields[name]: value for name, value in values.items()}

    targets = [fields[name] for name in ("text", "upload", "decoder")]
    button.click(fill, None, targets, **SILENT)
