"""The Inside tab: one picture followed through the tensors of the loaded checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from gemma_vision.pipeline import Pipeline
from gemma_vision.web.components.example_strip import Example, build_strip, load_examples
from gemma_vision.web.components.html import build_html
from gemma_vision.web.forms.asking import LATEST, connect_examples
from gemma_vision.web.forms.fields import build_buttons, build_image, build_settings
from gemma_vision.web.forms.form_values import FormValues, read_form
from gemma_vision.web.forms.options import LENGTH, SETTINGS
from gemma_vision.web.forms.tab import TaskTab
from gemma_vision.web.forms.task_form import TaskForm
from gemma_vision.web.i18n.texts import script_words
from gemma_vision.web.jobs.events import Updates, connect
from gemma_vision.web.tabs.inside_run import MAX_TOKENS, InsideJob


class InsideTab(TaskTab):
    """One picture, one request, every stop on its way."""

    name = "inside"
    is_optional = True

    def is_useful(self, pipeline: Pipeline) -> bool:
        """Whether the checkpoint runs here, so that its tensors can be looked at."""
        return hasattr(pipeline.engine, "checkpoint")

    def make_job(self, values: Mapping[str, Any], visitor: str) -> InsideJob:
        """The job that the form asks for."""
        return InsideJob(self.pipeline, read_form(FormValues, values))

    def build(self) -> None:
        """Lay out the tab and connect it."""
        self.form = form = TaskForm(self.pipeline, "inside")
        examples = load_examples()
        first = next((row for row in examples if row["task"] in form.tasks), None)
        with gr.Row(elem_classes="gv-columns"):
            with gr.Column(scale=4, min_width=300, elem_classes="gv-form"):
                path = first["path"] if first else None
                self.upload = build_image("inside-picture", height=240, value=path)
                form.build_task(first)
                form.build_options()
                run, stop = build_buttons("follow", "inside")
                with build_settings():
                    form.build_options([LENGTH], value=MAX_TOKENS, maximum=MAX_TOKENS)
                    form.build_options([name for name in SETTINGS if name != LENGTH])
            with gr.Column(scale=7, min_width=320, elem_classes="gv-result"):
                stages = build_html("inside", words=script_words(), elem_id="inside")
            self.strip = build_strip(examples, form.tasks, self.name, names=self.pipeline.names)
        outputs, wish = {"stages": stages, "run": run, "stop": stop}, gr.State(0)
        fields = {"upload": self.upload, **form.fields}
        connect(self.runner, [run.click, wish.change], fields, outputs, **LATEST)
        form.connect()
        filled = [self.upload, *form.filled]
        connect_examples(self.strip, examples, wish, self._fill, filled)

    def _fill(self, example: Example) -> Updates:
        """An example's picture, task and own words."""
        updates = self.form.fill(example["task"], example["text"])
        return updates and updates | {self.upload: example["path"]}
