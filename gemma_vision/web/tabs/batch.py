"""The Batch tab: one wish for many pictures, a gallery while they come, one zip of everything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from gemma_vision.pipeline import Pipeline
from gemma_vision.web.components.crops import build_pan_and_scan
from gemma_vision.web.components.example_strip import Example, load_examples
from gemma_vision.web.components.progress import build_progress
from gemma_vision.web.forms.form import (
    SHOWN_TASKS,
    asked,
    build_buttons,
    build_example_button,
    build_task,
    build_words,
)
from gemma_vision.web.i18n.texts import translate
from gemma_vision.web.jobs.events import SILENT, Updates, connect, unchanged
from gemma_vision.web.jobs.job import StreamRun
from gemma_vision.web.tabs.batch_run import Batch, collect, look_at_all, pack

FILE_TYPES = ["image", ".zip"]


def build_batch_tab(pipeline: Pipeline) -> None:
    """Lay out the tab and connect it. Call inside a gr.Tab."""
    tasks = [task for task in SHOWN_TASKS if task in pipeline.tasks and task != "free"]
    with gr.Row(elem_classes="gv-columns"):
        with gr.Column(scale=4, min_width=300, elem_classes="gv-form"):
            files = gr.File(
                label=translate("pictures"),
                file_count="multiple",
                file_types=FILE_TYPES,
                height=190,
                elem_id="batch-files",
            )
            examples = load_examples()
            example = build_example_button("batch", visible=bool(examples))
            task = build_task(tasks, tasks[0], "batch-task")
            words = build_words(task, elem_id="batch-words")
            crops = build_pan_and_scan("batch-crops", visible=pipeline.family.has_pan_and_scan)
            run, stop = build_buttons("run", "batch")
            limit = gr.Slider(16, 1024, 256, step=16, label=translate("max_tokens"))
        with gr.Column(scale=7, min_width=320, elem_classes="gv-result"):
            shown = [build_progress("batch"), build_gallery(), build_download()]
    example.click(lambda: fill_in(pipeline, examples), None, [files, task, words], **SILENT)
    connect(Batches(pipeline), [files, task, words, limit, crops], shown, run, stop)


def fill_in(pipeline: Pipeline, examples: Sequence[Example]) -> Updates:
    """All example pictures, to be searched for things that some of them show."""
    return [[row["path"] for row in examples], *asked(pipeline, "segment", "cat ; tree ; car")]


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


class Batches:
    """Batches of pictures as the page shows them: progress, gallery, download."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def begin(
        self, files: Any, task: str, words: str, limit: int, crops: bool
    ) -> StreamRun[Batch, None]:
        """Look at all of these files, and at crops of the long ones where that was ticked."""
        items = collect(files)
        return StreamRun(
            lambda: look_at_all(self._pipeline, items, task, words, limit, crops), None
        )

    def growing(self, states: Iterator[Batch | None], about: None) -> Iterator[Updates]:
        """Progress and gallery; nothing new is shown while a picture is looked at."""
        seen = -1
        for batch in states:
            if batch is None or batch.done == seen:
                yield unchanged(3)
                continue
            seen = batch.done
            yield [facts(batch, "running"), gallery(batch), gr.update(visible=False)]

    def finished(self, batch: Batch | None, about: None, is_whole: bool) -> Updates:
        """Progress, gallery and the zip."""
        if batch is None:
            return [{"state": "stopped", "notes": []}, gr.skip(), gr.skip()]
        target = pack(batch)
        download = gr.update(value=target and str(target), visible=target is not None)
        return [facts(batch, "done" if is_whole else "stopped"), gallery(batch), download]

    def failed(self, sentence: str, batch: Batch | None) -> Updates:
        """The sentence in the progress panel; pictures that were done stay."""
        return [{"state": "error", "notes": [sentence]}, gr.skip(), gr.skip()]


def facts(batch: Batch, state: str) -> dict[str, Any]:
    """The progress panel's value."""
    numbers = {"done": batch.done, "total": batch.total, "objects": batch.num_objects}
    return {"state": state, "notes": list(batch.failures)} | numbers


def gallery(batch: Batch) -> Any:
    """The gallery with the pictures that are done."""
    return gr.update(value=list(batch.shown), visible=bool(batch.shown))
