"""The Image tab: picture, task, words, Run and Stop; the answer beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.request import MAX_TEXT
from gemma_vision.web.components.cache_status import build_cache_status
from gemma_vision.web.components.crops import build_crops
from gemma_vision.web.components.example_strip import Example, build_strip, load_examples
from gemma_vision.web.components.viewer import build_viewer
from gemma_vision.web.forms.fields import (
    UPLOADED,
    build_buttons,
    build_image,
    build_json_drawer,
    build_settings,
    webcam,
)
from gemma_vision.web.forms.form_values import FormValues, read_form
from gemma_vision.web.forms.options import SETTINGS
from gemma_vision.web.forms.tab import TaskTab
from gemma_vision.web.forms.task_form import TaskForm
from gemma_vision.web.jobs.events import SILENT, Updates, connect, skip
from gemma_vision.web.tabs.image_run import ImageJob


class ImageTab(TaskTab):
    """One picture, one request, one answer."""

    name = "image"

    def make_job(self, values: Mapping[str, Any], visitor: str) -> ImageJob:
        """The job that the form asks for."""
        return ImageJob(self.pipeline, read_form(FormValues, values))

    def build(self) -> None:
        """Lay out the tab and connect it."""
        self.form = form = TaskForm(self.pipeline, "")
        with gr.Row(elem_classes="gv-columns"):
            with gr.Column(scale=4, min_width=300, elem_classes="gv-form"):
                self._upload, controls, status = self._build_form()
            with gr.Column(scale=7, min_width=320, elem_classes="gv-result"):
                outputs = build_answer() | {"cache_status": status} | controls
            examples = load_examples()
            with gr.Column(elem_classes="gv-examples", visible=bool(examples)):
                self._strip = build_strip(examples, form.tasks)
        fields = {"upload": self._upload, **form.fields}
        words: Any = form.fields["words"]
        starts = [controls["run"].click, words.submit]
        connect(self.runner, starts, fields, outputs)
        form.connect()
        self._connect_examples(examples)

    def _build_form(self) -> tuple[gr.Image, dict[str, gr.Button], gr.HTML]:
        """The left column: the picture, what runs and stops, the line about the caches."""
        upload = build_image(
            "picture",
            height=240,
            sources=[*UPLOADED, "webcam"],
            webcam_options=webcam(1280, 960),
            buttons=["fullscreen"],
        )
        self.form.build_task()
        self.form.build_options()
        run, stop = build_buttons("run")
        with build_settings():
            self.form.build_options(SETTINGS)
            status = build_cache_status(self.pipeline)
        return upload, {"run": run, "stop": stop}, status

    def _connect_examples(self, examples: list[Example]) -> None:
        """A picked example brings its picture, its task and its own words."""

        def pick(event: gr.EventData) -> Updates:
            example = examples[int(event.index) % len(examples)]
            updates = self.form.fill(example["task"], example["text"])
            return updates | {self._upload: example["path"]}

        strip: Any = self._strip
        strip.pick(pick, None, [self._upload, *self.form.filled], **SILENT)

    @property
    def linked(self) -> list[Component]:
        """What an address may fill in."""
        return self.form.filled

    def fill_from_link(self, request: gr.Request) -> Updates:
        """Task and words of an address that ends in ?task=segment&text=cat%20;%20dog"""
        given = request.query_params
        text = (given.get("text") or "")[:MAX_TEXT]
        return self.form.fill(given.get("task"), text) or skip()

    def refresh(self, pipeline: Pipeline, chosen: Mapping[str, Any]) -> Updates:
        """The form and the examples."""
        return self.form.refresh(pipeline, chosen) | {self._strip: {"tasks": self.form.tasks}}


def build_answer() -> dict[str, Block]:
    """The right column by name: the viewer, the crops looked at, the drawer with the JSON."""
    viewer, crops = build_viewer(elem_id="viewer"), build_crops()
    drawer, data = build_json_drawer("json")
    return {"viewer": viewer, "crops": crops, "drawer": drawer, "json": data}
