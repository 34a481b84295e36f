"""The Inside tab: one picture followed through the tensors of the loaded checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from gemma_vision.pipeline import Pipeline
from gemma_vision.web.components.example_strip import load_examples
from gemma_vision.web.components.html import build_html
from gemma_vision.web.forms.fields import build_buttons, build_image, build_settings
from gemma_vision.web.forms.form_values import FormValues, read_form
from gemma_vision.web.forms.options import LENGTH, SETTINGS
from gemma_vision.web.forms.tab import TaskTab
from gemma_vision.web.forms.task_form import TaskForm
from gemma_vision.web.i18n.texts import script_words
from gemma_vision.web.jobs.events import connect
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
        example = next((row for row in load_examples() if row["task"] in form.tasks), None)
        with gr.Row(elem_classes="gv-columns"):
            with gr.Column(scale=4, min_width=300, elem_classes="gv-form"):
                path = example["path"] if example else None
                upload = build_image("inside-picture", height=240, value=path)
                form.build_task(example)
                form.build_options()
                run, stop = build_buttons("follow", "inside")
                with build_settings():
                    form.build_options([LENGTH], value=MAX_TOKENS, maximum=MAX_TOKENS)
                    form.build_options([name for name in SETTINGS if name != LENGTH])
            with gr.Column(scale=7, min_width=320, elem_classes="gv-result"):
                stages = build_html("inside", words=script_words(), elem_id="inside")
        outputs = {"stages": stages, "run": run, "stop": stop}
        connect(self.runner, [run.click], {"upload": upload, **form.fields}, outputs)
        form.connect()
