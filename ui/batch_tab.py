"""The Batch tab: one wish for many pictures, a gallery while they come, one zip of everything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from gemma_vision.pipeline import Pipeline
from ui.batching import Batch, collect, look_at_all, pack
from ui.image_tab import SHOWN_TASKS, SILENT, Updates, busy, idle, words_of
from ui.refusals import explain
from ui.running import Run, Runs
from ui.texts import say, script_words
from ui.viewer import read

STOP_SECONDS = 20.0
FILE_TYPES = ["image", ".zip"]


def build_batch_tab(pipeline: Pipeline) -> None:
    """Lay out the tab and connect it. Call inside a gr.Tab."""
    tasks = [task for task in SHOWN_TASKS if task in pipeline.tasks and task != "free"]
    with gr.Row(elem_classes="gv-columns"):
        with gr.Column(scale=4, min_width=300, elem_classes="gv-form"):
            files = gr.File(
                label=say("pictures"),
                file_count="multiple",
                file_types=FILE_TYPES,
                height=190,
                elem_id="batch-files",
            )
            task = gr.Radio(
                [(say(name), name) for name in tasks],
                value=tasks[0],
                label=say("task"),
                show_label=False,
                container=False,
                elem_id="batch-task",
                elem_classes="gv-pills",
            )
            words = gr.Textbox(elem_id="batch-words", max_lines=4, **words_of(tasks[0]))
            with gr.Row(elem_classes="gv-buttons"):
                run = gr.Button(say("run"), variant="primary", elem_id="batch-run", scale=3)
                stop = gr.Button(say("stop"), interactive=False, elem_id="batch-stop", scale=1)
            limit = gr.Slider(16, 1024, 256, step=16, label=say("max_tokens"))
        with gr.Column(scale=7, min_width=320, elem_classes="gv-result"):
            shown = [build_progress(), build_gallery(), build_download()]
    task.input(lambda name: gr.update(**words_of(name)), task, words, **SILENT)
    connect(pipeline, [files, task, words, limit], shown, run, stop)


def build_progress() -> gr.HTML:
    """How far it is and what went wrong; the script writes texts as texts."""
    return gr.HTML(
        None,
        html_template=read("progress.html"),
        css_template=read("progress.css"),
        js_on_load=read("progress.js"),
        apply_default_css=False,
        words=script_words(),
        elem_id="progress",
    )


def build_gallery() -> gr.Gallery:
    """The pictures with what was found drawn onto them."""
    return gr.Gallery(
        label=say("results"),
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
    return gr.DownloadButton(say("download"), visible=False, elem_id="batch-download")


def connect(
    pipeline: Pipeline, fields: list[Any], shown: list[Any], run: gr.Button, stop: gr.Button
) -> None:
    """What happens on Run and Stop."""
    batches = Batches(pipeline)
    buttons = [run, stop]
    run.click(busy, None, buttons, **SILENT)
    running = run.click(
        batches.start,
        fields,
        shown + buttons,
        preprocess=False,
        concurrency_id="model",
        concurrency_limit=1,
        api_visibility="private",
        show_progress="minimal",
        show_progress_on=shown[:1],
    )
    running.then(idle, None, buttons, **SILENT)
    running.failure(idle, None, buttons, **SILENT)
    stop.click(batches.stop, None, shown + buttons, cancels=[running], **SILENT)


class Batches:
    """Visitors' batches, one at a time each. The values of the form are the client's own."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._runs: Runs[Batch, None] = Runs()

    def start(
        self, request: gr.Request, files: Any, task: str, words: str, limit: int
    ) -> Iterator[Updates]:
        """Progress, gallery, download and the buttons until all is done."""
        try:
            items = collect(files)
            run = Run(lambda: look_at_all(self._pipeline, items, task, words, limit), None)
            self._runs.add(str(request.session_hash), run)
            yield from self._follow(run)
            self._runs.forget(str(request.session_hash), run)
            yield [*finished(run.latest), *idle()]
        except Exception as error:
            failed = {"state": "error", "notes": [explain(error)[1]]}
            yield [failed, gr.skip(), gr.skip(), *idle()]

    def stop(self, request: gr.Request) -> Updates:
        """What is done, packed, within a token."""
        run = self._runs.take(str(request.session_hash))
        if run is None:
            return [*[gr.skip()] * 3, *idle()]
        run.join(STOP_SECONDS)
        return [*finished(run.latest), *idle()]

    def _follow(self, run: Run[Batch, None]) -> Iterator[Updates]:
        seen = -1
        for batch in run.follow():
            is_news = batch is not None and batch.done != seen
            yield [*(growing(batch) if is_news else [gr.skip()] * 3), gr.skip(), gr.skip()]
            seen = batch.done if batch else -1


def facts(batch: Batch, state: str) -> dict[str, Any]:
    """The progress panel's value."""
    numbers = {"done": batch.done, "total": batch.total, "objects": batch.num_objects}
    return {"state": state, "notes": list(batch.failures)} | numbers


def growing(batch: Batch) -> Updates:
    """Progress and gallery while it goes on."""
    gallery = gr.update(value=list(batch.shown), visible=bool(batch.shown))
    return [facts(batch, "running"), gallery, gr.update(visible=False)]


def finished(batch: Batch | None) -> Updates:
    """Progress, gallery and the zip at the end."""
    if batch is None:
        return [{"state": "stopped", "notes": []}, gr.skip(), gr.skip()]
    target = pack(batch)
    gallery = gr.update(value=list(batch.shown), visible=bool(batch.shown))
    download = gr.update(value=target and str(target), visible=target is not None)
    state = "done" if batch.done == batch.total else "stopped"
    return [facts(batch, state), gallery, download]
