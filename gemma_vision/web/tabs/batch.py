"""The Batch tab: one request for many pictures, a gallery while they come, one zip of all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from gemma_vision.images.file_formats import SUFFIXES
from gemma_vision.requests.tasks import FORM_TASKS, Task
from gemma_vision.web.components.example_strip import load_examples
from gemma_vision.web.components.progress import build_progress
from gemma_vision.web.forms.fields import build_buttons, build_example_button, build_settings
from gemma_vision.web.forms.form_values import FormValues, read_form
from gemma_vision.web.forms.options import LENGTH, SETTINGS
from gemma_vision.web.forms.tab import TaskTab
from gemma_vision.web.forms.task_form import TaskForm
from gemma_vision.web.i18n.texts import translate
from gemma_vision.web.jobs.events import SILENT, Updates, connect
from gemma_vision.web.tabs.batch_run import BatchJob

FILE_TYPES = ["image", *SUFFIXES, ".zip"]
TASKS = tuple(task for task in FORM_TASKS if task != Task.free)


class BatchTab(TaskTab):
    """Many pictures, one request."""

    name = "batch"

    def make_job(self, values: Mapping[str, Any], visitor: str) -> BatchJob:
        """The job that the form asks for."""
        return BatchJob(self.pipeline, read_form(FormValues, values))

    def build(self) -> None:
        """Lay out the tab and connect it."""
        self.form = form = TaskForm(self.pipeline, "batch", TASKS)
        with gr.Row(elem_classes="gv-columns"):
            with gr.Column(scale=4, min_width=300, elem_classes="gv-form"):
                upload = build_files()
                examples = load_examples()
                example = build_example_button("batch", visible=bool(examples))
                form.build_task()
                form.build_options()
                run, stop = build_buttons("run", "batch")
                form.build_options([LENGTH])  # in sight: it says how long a batch takes
                with build_settings():
                    form.build_options([name for name in SETTINGS if name != LENGTH])
            with gr.Column(scale=7, min_width=320, elem_classes="gv-result"):
                results = {
                    "progress": build_progress("batch"),
                    "gallery": build_gallery(),
                    "download": build_download(),
                }
        outputs = {**results, "run": run, "stop": stop}
        connect(self.runner, [run.click], {"upload": upload, **form.fields}, outputs)
        form.connect()

        def fill() -> Updates:
            """All example pictures, to be searched for things that some of them show."""
            paths = [row["path"] for row in examples]
            return {upload: paths} | form.fill(Task.segment, "cat ; tree ; car")

        example.click(fill, None, [upload, *form.filled], **SILENT)


def build_files() -> gr.File:
    """Pictures, and zips of some."""
    return gr.File(
        label=translate("pictures"),
        file_count="multiple",
        file_types=FILE_TYPES,
        height=190,
        elem_id="batch-files",
    )


def build_gallery() -> gr.Gallery:
    """The pictures with what was found drawn onto them."""
    return gr.Gallery(
        label=translate("results"),
        columns=3,
        height=520,
        object_fit="contain",
        interactive=False,
        visible=False,
        buttons=["fullscreen"],
        elem_id="gallery",
    )


def build_download() -> gr.DownloadButton:
    """Everything in one zip."""
    return gr.DownloadButton(translate("download"), visible=False, elem_id="batch-download")
