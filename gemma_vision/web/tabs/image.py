"""The Image tab: picture, task, words, Run and Stop; the answer beside them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

from gemma_vision.images.opening import open_image
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.request import MAX_TEXT
from gemma_vision.web.api.snippets import Call, write_snippets
from gemma_vision.web.components.cache_status import build_cache_status
from gemma_vision.web.components.crops import build_crops
from gemma_vision.web.components.example_strip import Example, build_strip, load_examples
from gemma_vision.web.components.take_home import build_take_home, connect_take_home
from gemma_vision.web.components.viewer import build_viewer
from gemma_vision.web.forms.asking import TELL_ASKED, connect_changes
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
from gemma_vision.web.jobs.events import QUICK_QUEUE, SILENT, Updates, connect, skip
from gemma_vision.web.jobs.viewer_value import ViewerState
from gemma_vision.web.jobs.visitor_answers import VisitorAnswer, VisitorAnswers
from gemma_vision.web.tabs.image_run import ImageJob

ASKABLE = ("max_tokens", "temperature", "leave_out")  # what a line of guidance may change
WISHED = SILENT | QUICK_QUEUE | {"queue": True}  # a changed gr.State is told of from a queue alone


class ImageTab(TaskTab):
    """One picture, one request, one answer."""

    name = "image"

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__(pipeline)
        self.results = VisitorAnswers()

    def make_job(self, values: Mapping[str, Any], visitor: str) -> ImageJob:
        """The job that the form asks for."""
        store = partial(self.results.put, visitor)
        return ImageJob(self.pipeline, read_form(FormValues, values), store)

    def leave(self, visitor: str) -> None:
        """As every tab, and nothing is left of the answer."""
        super().leave(visitor)
        self.results.put(visitor, None)

    def build(self) -> None:
        """Lay out the tab and connect it."""
        self.form = form = TaskForm(self.pipeline, "")
        with gr.Row(elem_classes="gv-columns"):
            with gr.Column(scale=4, min_width=300, elem_classes="gv-form"):
                self._upload, controls, status = self._build_form()
            with gr.Column(scale=7, min_width=320, elem_classes="gv-result"):
                answer = build_answer()
                self._viewer = answer["viewer"]
                outputs = answer | {"cache_status": status} | controls
            examples = load_examples()
            with gr.Column(elem_classes="gv-examples", visible=bool(examples)):
                self._strip = build_strip(examples, form.tasks)
        fields = {"upload": self._upload, **form.fields}
        words: Any = form.fields["words"]
        self._wish = gr.State(0)  # goes up with every wish that comes from elsewhere than the form
        starts = [controls["run"].click, words.submit, self._wish.change]
        connect(self.runner, starts, fields, outputs, js=TELL_ASKED, trigger_mode="always_last")
        connect_changes(fields)
        menu: Any = outputs["take_home"]
        connect_take_home(menu, self.results, lambda: self.pipeline.decoder, snippets_of)
        form.connect()
        self._connect_examples(examples)
        self._connect_guidance()

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
        """A picked example brings its picture, its task and its own words, and runs."""

        def pick(event: gr.EventData, wish: int) -> Updates:
            example = examples[int(event.index) % len(examples)]
            updates = self.form.fill(example["task"], example["text"])
            if not updates:
                return skip()
            shown = first_view(example["path"], example["task"])
            picked = {self._upload: example["path"], self._viewer: shown, self._wish: wish + 1}
            return updates | picked

        strip: Any = self._strip
        outputs = [self._upload, self._viewer, self._wish, *self.form.filled]
        strip.pick(pick, self._wish, outputs, **WISHED)

    def _connect_guidance(self) -> None:
        """What a line under the answer offers changes the form, and runs."""
        others = [self.form.fields[name] for name in ASKABLE]

        def fill_in(event: gr.EventData, wish: int) -> Updates:
            wanted = dict(event._data or {})
            updates: Updates = {self._wish: wish + 1}
            if isinstance(text := wanted.get("text"), str):
                updates |= self.form.fill(wanted.get("task"), text[:MAX_TEXT])
            named = {name: wanted[name] for name in ASKABLE if name in wanted}
            return updates | {
                self.form.fields[name]: gr.update(value=value) for name, value in named.items()
            }

        viewer: Any = self._viewer
        outputs = list(dict.fromkeys([self._wish, *self.form.filled, *others]))
        viewer.ask(fill_in, self._wish, outputs, **WISHED)

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


def first_view(path: str, task: str) -> dict[str, Any]:
    """The viewer's value before a run has begun: the picture."""
    viewer = ViewerState(open_image(path), original=Path(path), task=task)
    return viewer.view(None, "running")


def build_answer() -> dict[str, Block]:
    """The right column by name: the viewer, the crops looked at, the drawer with the JSON."""
    viewer, crops = build_viewer(elem_id="viewer", follows=True), build_crops()
    menu = build_take_home("take-home")
    drawer, data = build_json_drawer("json")
    return {"viewer": viewer, "crops": crops, "take_home": menu, "drawer": drawer, "json": data}


def snippets_of(result: VisitorAnswer, address: str) -> dict[str, str]:
    """A result's request as code, by language."""
    called = Call(result.task, result.text, result.options, result.model, address)
    return write_snippets(called)
