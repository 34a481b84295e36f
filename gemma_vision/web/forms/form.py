"""Form: what the tabs' forms have in common: the task, the words, Run and Stop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.tasks import TASKS
from gemma_vision.web.i18n.texts import translate
from gemma_vision.web.jobs.events import SILENT, Updates, unchanged

SHOWN_TASKS = ("detect", "segment", "caption", "ask", "ocr", "free")  # chat has a tab of its own
WORDS = {"ask": "question", "free": "prompt"}  # what the words are called, by task


def build_task(tasks: Sequence[str], value: str, elem_id: str) -> gr.Radio:
    """Which task, as pills."""
    return gr.Radio(
        [(translate(name), name) for name in tasks],
        value=value,
        label=translate("task"),
        show_label=False,
        container=False,
        elem_id=elem_id,
        elem_classes="gv-pills",
    )


def build_words(task: gr.Radio, text: str = "", *, elem_id: str) -> gr.Textbox:
    """The words of a task; they go where the task wants none."""
    words = gr.Textbox(value=text, elem_id=elem_id, max_lines=4, **words_of(str(task.value)))
    task.input(lambda name: gr.update(**words_of(name)), task, words, **SILENT)
    return words


def build_buttons(run: str, elem_id: str) -> tuple[gr.Button, gr.Button]:
    """Run, under the text of that key, and Stop beside it; ids end in -run and -stop."""
    with gr.Row(elem_classes="gv-buttons"):
        return (
            gr.Button(translate(run), variant="primary", elem_id=f"{elem_id}-run", scale=3),
            gr.Button(translate("stop"), interactive=False, elem_id=f"{elem_id}-stop", scale=1),
        )


def build_example_button(elem_id: str, *, visible: bool) -> gr.Button:
    """A small button that is to fill the form; its id ends in -example."""
    return gr.Button(
        translate("try_one"),
        size="sm",
        visible=visible,
        elem_id=f"{elem_id}-example",
        elem_classes="gv-example",
    )


def asked(pipeline: Pipeline, task: str, text: str) -> Updates:
    """Task and words of an example; unchanged where the checkpoint cannot do the task."""
    if task not in pipeline.tasks:
        return unchanged(2)
    return [task, gr.update(value=text, **words_of(task))]


def words_of(task: str) -> dict[str, Any]:
    """How the words are called and whether they are asked for at all."""
    name = "names" if TASKS[task].names_things else WORDS.get(task)
    if name is None:
        return {"visible": False, "label": translate("names"), "placeholder": ""}
    return {"visible": True, "label": translate(name), "placeholder": translate(f"{name}_hint")}
