"""The Paste tab: an answer that was written elsewhere, shown without a model."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import gradio as gr
from gradio.components import Component

from gemma_vision.checkpoints.mask_decoder_files import NAMES
from gemma_vision.requests.tasks import PARSE
from gemma_vision.web.components.example_strip import Example, build_strip, load_examples
from gemma_vision.web.forms.answer_panel import build_answer_panel, connect_answer_panel
from gemma_vision.web.forms.asking import LATEST, connect_changes, connect_examples, tell_asked
from gemma_vision.web.forms.carrying import CarriedFields
from gemma_vision.web.forms.fields import build_image, typed
from gemma_vision.web.forms.tab import Tab
from gemma_vision.web.i18n.texts import translate
from gemma_vision.web.jobs.events import QUICK_QUEUE, Updates, connect
from gemma_vision.web.tabs.paste_run import PasteJob, PasteValues

DECODERS = ("embedded", "published", "none")
assert set(DECODERS) == set(NAMES)


class PasteTab(Tab):
    """A text, a picture or its size, and whose mask codes they are."""

    name = "paste"
    controls = ()  # it takes no time
    lock = None

    def make_job(self, values: Mapping[str, Any], visitor: str) -> PasteJob:
        """The job that the form asks for."""
        return PasteJob(PasteValues(**values), partial(self.results.put, visitor))

    def build(self) -> None:
        """Lay out the tab and connect it."""
        examples = load_answers()
        with gr.Row(elem_classes="gv-columns"):
            with gr.Column(scale=4, min_width=300, elem_classes="gv-form"):
                text = build_text()
                self._fields = fields = {"text": text, **build_source()}
                button = gr.Button(translate("read"), variant="primary", elem_id="paste-run")
            with gr.Column(scale=7, min_width=320, elem_classes="gv-result"):
                panel = build_answer_panel(self.name, follows=self.name, empty="paste_empty")
            strip = build_strip(examples, [PARSE], self.name)
        wish = gr.State(0)
        starts = [button.click, text.submit, wish.change]
        options = {"is_busy_at_once": False, **LATEST, **QUICK_QUEUE, "show_progress": "hidden"}
        connect(self.runner, starts, fields, panel, js=tell_asked(self.name), **options)
        connect_changes(fields, self.name)
        connect_answer_panel(panel, self.results, lambda: None)
        filled = [fields[name] for name in ("text", "upload", "decoder")]
        connect_examples(strip, examples, wish, self._fill, filled)
        viewer: Any = panel["viewer"]
        connect_examples(viewer, examples, wish, self._fill, filled, event="ask")

    @property
    def carried(self) -> CarriedFields:
        """The picture."""
        return CarriedFields(self._fields["upload"])

    def _fill(self, example: Example) -> Updates:
        """An answer of the embedded checkpoint and its picture."""
        values = {"text": example["text"], "upload": example["path"], "decoder": "embedded"}
        return {self._fields[name]: value for name, value in values.items()}


def load_answers() -> list[Example]:
    """The pictures to which there is an answer of the embedded checkpoint."""
    rows = [row for row in load_examples() if "answer" in row]
    return [{"path": row["path"], "task": PARSE, "text": row["answer"]} for row in rows]


def build_text() -> gr.Textbox:
    """Where the answer is pasted."""
    return gr.Textbox(
        label=translate("answer"),
        placeholder=translate("answer_hint"),
        lines=4,
        max_lines=12,
        html_attributes=typed(),
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
