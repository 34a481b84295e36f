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
from gemma_vision.web.components.cache_status import build_cache_status
from gemma_vision.web.components.crops import build_crops
from gemma_vision.web.components.example_strip import Example, build_strip, load_examples
from gemma_vision.web.forms.answer_panel import build_answer_panel, connect_answer_panel
from gemma_vision.web.forms.asking import (
    LATEST,
    WISHED,
    connect_changes,
    connect_examples,
    connect_guidance,
    tell_asked,
)
from gemma_vision.web.forms.fields import (
    UPLOADED,
    build_buttons,
    build_image,
    build_settings,
    webcam,
)
from gemma_vision.web.forms.form_values import FormValues, read_form
from gemma_vision.web.forms.known_names import build_known_names, connect_known_names, known
from gemma_vision.web.forms.options import SETTINGS
from gemma_vision.web.forms.reloading import restore
from gemma_vision.web.forms.tab import TaskTab
from gemma_vision.web.forms.task_form import TaskForm
from gemma_vision.web.jobs.events import Updates, connect, skip
from gemma_vision.web.jobs.viewer_value import ViewerState
from gemma_vision.web.tabs.image_run import ImageJob


class ImageTab(TaskTab):
    """One picture, one request, one answer."""

    name = "image"

    def make_job(self, values: Mapping[str, Any], visitor: str) -> ImageJob:
        """The job that the form asks for."""
        store = partial(self.results.put, visitor)
        return ImageJob(self.pipeline, read_form(FormValues, values), store)

    def build(self) -> None:
        """Lay out the tab and connect it."""
        self.form = form = TaskForm(self.pipeline, "")
        examples = load_examples()
        with gr.Row(elem_classes="gv-columns"):
            with gr.Column(scale=4, min_width=300, elem_classes="gv-form"):
                self.upload, controls, status = self._build_form()
            with gr.Column(scale=7, min_width=320, elem_classes="gv-result"):
                panel = build_answer_panel("", under=build_looked_at, follows=self.name)
            with gr.Column(elem_classes="gv-examples"):
                self.strip = build_strip(examples, form.tasks, names=self.pipeline.names)
                self._known = build_known_names(self.pipeline)
        self._viewer = panel["viewer"]
        fields = {"upload": self.upload, **form.fields}
        words: Any = form.fields["words"]
        self._wish = wish = gr.State(0)
        starts = [controls["run"].click, words.submit, wish.change]
        outputs = panel | {"cache_status": status} | controls
        connect(self.runner, starts, fields, outputs, js=tell_asked(self.name), **LATEST)
        connect_changes(fields, self.name)
        connect_answer_panel(panel, self.results, lambda: self.pipeline.decoder)
        form.connect()
        filled = [self.upload, self._viewer, *form.filled]
        connect_examples(self.strip, examples, wish, self._fill, filled)
        connect_guidance(self._viewer, form.fields, form.fill, form.filled, wish)
        task = form.fields["task"]
        connect_known_names(self._known, form.fill, task, wish, form.filled, **WISHED)

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

    def _fill(self, example: Example) -> Updates:
        """An example's picture, task and own words; the picture stands in the viewer at once."""
        updates = self.form.fill(example["task"], example["text"])
        shown = first_view(example["path"], example["task"])
        return updates and updates | {self.upload: example["path"], self._viewer: shown}

    @property
    def taking(self) -> tuple[gr.State, list[Block]]:
        """What counts the wishes, and all that `take` may change."""
        assert self.upload is not None, "it is built"
        return self._wish, [self._wish, self.upload, *self.form.filled]

    def take(self, path: str, task: object, text: str, count: int) -> Updates:
        """A picture from elsewhere on the page, its task and words, and a run of them.

        count: how many wishes there were.
        """
        return self.form.fill(task, text) | {self.upload: path, self._wish: count + 1}

    @property
    def linked(self) -> list[Component]:
        """What an address, or the page before it was loaded again, may fill in."""
        assert self.upload is not None, "it is built"
        return [self.upload, *self.form.filled]

    def fill_on_load(self, kept: str, request: gr.Request) -> Updates:
        """What the form held before the page was loaded again, or else what the address says."""
        held = restore(self.carried, ["upload", *self.form.fields], kept)
        return held or self.fill_from_link(request)

    def refresh(self, pipeline: Pipeline, chosen: Mapping[str, Any]) -> Updates:
        """The form, the examples and the names that are known."""
        return super().refresh(pipeline, chosen) | {self._known: known(pipeline)}

    def fill_from_link(self, request: gr.Request) -> Updates:
        """Task and words of an address that ends in ?task=segment&text=cat%20;%20dog"""
        given = request.query_params
        text = (given.get("text") or "")[:MAX_TEXT]
        return self.form.fill(given.get("task"), text) or skip()


def first_view(path: str, task: str) -> dict[str, Any]:
    """The viewer's value before a run has begun: the picture."""
    viewer = ViewerState(open_image(path), original=Path(path), task=task)
    return viewer.view(None, "running")


def build_looked_at() -> dict[str, Block]:
    """What of the picture was looked at, under the viewer."""
    return {"crops": build_crops()}
