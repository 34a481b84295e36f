"""The Batch tab: one request for many pictures, a gallery of which each opens in the viewer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import gradio as gr
from gradio.blocks import Block

from gemma_vision.images.file_formats import SUFFIXES
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.tasks import FORM_TASKS, Task
from gemma_vision.web.components.example_strip import Example, build_strip, load_examples
from gemma_vision.web.components.progress import build_progress
from gemma_vision.web.forms.answer_panel import build_answer_panel, connect_answer_panel
from gemma_vision.web.forms.asking import (
    LATEST,
    connect_changes,
    connect_examples,
    connect_guidance,
    tell_asked,
)
from gemma_vision.web.forms.fields import build_buttons, build_settings
from gemma_vision.web.forms.form_values import FormValues, read_form
from gemma_vision.web.forms.gallery import build_gallery, connect_gallery
from gemma_vision.web.forms.options import LENGTH, SETTINGS
from gemma_vision.web.forms.tab import TaskTab
from gemma_vision.web.forms.task_form import TaskForm
from gemma_vision.web.i18n.texts import translate
from gemma_vision.web.jobs.batch_state import UnfinishedBatches
from gemma_vision.web.jobs.events import Updates, connect
from gemma_vision.web.jobs.job import MANY_SECONDS
from gemma_vision.web.jobs.result_gallery import VisitorGalleries
from gemma_vision.web.tabs.batch_run import BatchJob

FILE_TYPES = ["image", *SUFFIXES, ".zip"]
TASKS = tuple(task for task in FORM_TASKS if task != Task.free)
EXAMPLE = {"task": Task.segment, "text": "cat ; tree ; car"}  # some of the pictures show some


class BatchTab(TaskTab):
    """Many pictures, one request."""

    name = "batch"
    seconds = MANY_SECONDS

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__(pipeline)
        self._galleries = VisitorGalleries()
        self._unfinished = UnfinishedBatches()

    def make_job(self, values: Mapping[str, Any], visitor: str) -> BatchJob:
        """The job that the form asks for."""
        results, store = self._galleries.start(visitor), partial(self.results.put, visitor)
        form = read_form(FormValues, values)
        return BatchJob(self.pipeline, form, results, store, self._unfinished)

    def leave(self, visitor: str) -> None:
        """As every tab, and nothing is left of the gallery."""
        super().leave(visitor)
        self._galleries.forget(visitor)

    def build(self) -> None:
        """Lay out the tab and connect it."""
        self.form = form = TaskForm(self.pipeline, self.name, TASKS)
        examples = load_all_as_one()
        with gr.Row(elem_classes="gv-columns"):
            with gr.Column(scale=4, min_width=300, elem_classes="gv-form"):
                self._upload = build_files()
                form.build_task()
                form.build_options()
                run, stop = build_buttons("run", self.name)
                form.build_options([LENGTH])  # in sight: it says how long a batch takes
                with build_settings():
                    form.build_options([name for name in SETTINGS if name != LENGTH])
            with gr.Column(scale=7, min_width=320, elem_classes="gv-result"):
                results = build_results()
            self.strip = build_strip(examples, form.tasks, self.name, names=self.pipeline.names)
        fields, wish = {"upload": self._upload, **form.fields}, gr.State(0)
        outputs = {**results, "run": run, "stop": stop}
        starts = [run.click, wish.change]
        connect(self.runner, starts, fields, outputs, js=tell_asked(self.name), **LATEST)
        connect_changes(fields, self.name)
        connect_answer_panel(results, self.results, lambda: self.pipeline.decoder)
        connect_gallery(results["gallery"], self._galleries, self.results, results)
        form.connect()
        filled = [self._upload, *form.filled]
        connect_examples(self.strip, examples, wish, self._fill, filled)
        connect_guidance(results["viewer"], form.fields, form.fill, form.filled, wish)

    def _fill(self, example: Example) -> Updates:
        """All example pictures, to be searched for things that some of them show."""
        updates = self.form.fill(example["task"], example["text"])
        return updates and updates | {self._upload: example["paths"]}


def load_all_as_one() -> list[Example]:
    """One example: all pictures, asked for the same."""
    paths = [row["path"] for row in load_examples()]
    return [EXAMPLE | {"paths": paths}] if paths else []


def build_files() -> gr.File:
    """Pictures, and zips of some."""
    return gr.File(
        label=translate("pictures"),
        file_count="multiple",
        file_types=FILE_TYPES,
        height=190,
        elem_id="batch-files",
    )


def build_results() -> dict[str, Block]:
    """How far it is, the pictures that are done, the one that is looked at, all in one zip."""
    results: dict[str, Block] = {
        "progress": build_progress("batch"),
        "gallery": build_gallery("gallery", "gallery"),
    }
    results |= build_answer_panel("batch", follows="batch", empty="batch_empty")
    download = gr.DownloadButton(translate("download"), visible=False, elem_id="batch-download")
    return results | {"download": download}
