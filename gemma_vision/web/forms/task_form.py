"""Task form: a task, its words and its options, as far as the checkpoint was taught them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr
from gradio.components import Component

from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.family import Family
from gemma_vision.requests.interpretation.names import split_names
from gemma_vision.requests.tasks import FORM_TASKS, TASKS
from gemma_vision.web.forms.fields import id_of, pills, typed
from gemma_vision.web.forms.options import PROMPTS, UPFRONT, build_option_fields, fit_options
from gemma_vision.web.i18n.texts import all_texts, translate
from gemma_vision.web.jobs.events import SILENT, Updates

WORDS = {"ask": "question", "free": "prompt"}  # what the words are called, by task
SHOWN_NAMES = 2  # of a checkpoint, where nothing was written yet
SENTENCES = ("ask",)  # whose words are a person's own language


class TaskForm:
    """The fields of a tab that ask for a task, by name: "task", "words" and those of options.

    tab: begins their ids, "" for the Image tab. tasks: those that the tab offers where the
    checkpoint can. Call `build_task`, `build_options` once or more, and then `connect`.
    """

    def __init__(self, pipeline: Pipeline, tab: str, tasks: Sequence[str] = FORM_TASKS) -> None:
        self.fields: dict[str, Component] = {}
        self._pipeline = pipeline
        self._tab = tab
        self._all_tasks = tasks
        self._first = ""

    def tasks_of(self, pipeline: Pipeline) -> list[str]:
        """What a checkpoint can be asked for here."""
        return [task for task in self._all_tasks if task in pipeline.tasks]

    @property
    def tasks(self) -> list[str]:
        """What can be asked for now."""
        return self.tasks_of(self._pipeline)

    def build_task(self, example: Mapping[str, Any] | None = None) -> None:
        """The task as pills, and its words; those of an example where one is given."""
        self._first = example["task"] if example else (*self.tasks, self._all_tasks[0])[0]
        text = example["text"] if example else ""
        self.fields["task"] = build_task(self.tasks, self._first, self._tab)
        names = newest_names(self._pipeline)
        self.fields["words"] = build_words(self._first, text, self._tab, names=names)

    def build_options(self, names: Sequence[str] = UPFRONT, **own: Any) -> None:
        """Fields of options, where they are to stand. own: properties that this tab gives them."""
        family = self._pipeline.family
        self.fields |= build_option_fields(family, self._first, self._tab, names, **own)

    def connect(self) -> None:
        """Words and options follow the task; a prompt that is picked becomes the words."""
        fields = self.fields
        inputs, outputs = [fields["task"], fields["style"]], list(self.fit(self._first))
        on = {"preprocess": False} | SILENT
        fields["task"].input(self.fit, inputs, outputs, **on)  # type: ignore[attr-defined]
        connect_prompts(fields)

    def fit(self, task: str, style: object = None) -> Updates:
        """Words and options as a task wants them; what was written stays."""
        names = newest_names(self._pipeline)
        return fit_fields(self.fields, self._pipeline.family, task, style, names=names)

    def fill(self, task: object, text: str) -> Updates:
        """A task and its words; nothing where the checkpoint cannot do the task."""
        if task not in self.tasks:
            return {}
        updates = self.fit(str(task))
        words = self.fields["words"]
        return updates | {words: updates[words] | {"value": text}, self.fields["task"]: task}

    @property
    def filled(self) -> list[Component]:
        """What `fill` may change."""
        return [self.fields["task"], *self.fit(self._first)]

    @property
    def chosen(self) -> dict[str, Component]:
        """What `refresh` wants to know."""
        return {name: self.fields[name] for name in ("task", "style", "pan_and_scan")}

    def refresh(self, pipeline: Pipeline, chosen: Mapping[str, Any]) -> Updates:
        """The form for a checkpoint; what was chosen stays where that can."""
        tasks, task = self.tasks_of(pipeline), chosen["task"]
        task = task if task in tasks else next(iter(tasks), None)
        family, style = pipeline.family, chosen["style"]
        names = newest_names(pipeline)
        updates = fit_fields(self.fields, family, str(task), style, names=names)
        crops = self.fields["pan_and_scan"]
        updates[crops] = keep_ticked(updates[crops], chosen["pan_and_scan"])
        return updates | {self.fields["task"]: gr.update(choices=pills(tasks), value=task)}


def build_task(tasks: Sequence[str], value: str, tab: str) -> gr.Radio:
    """Which task, as pills."""
    return gr.Radio(
        pills(tasks),
        value=value,
        label=translate("task"),
        show_label=False,
        container=False,
        elem_id=id_of(tab, "task"),
        elem_classes="gv-pills",
    )


def build_words(
    task: str, text: str, tab: str, side: str = "", *, names: Sequence[str] = ()
) -> gr.Textbox:
    """The words of a task; they go where the task wants none. names: what could be written."""
    elem_id = id_of(tab, "words", side)
    return gr.Textbox(value=text, elem_id=elem_id, max_lines=4, **words_of(task, names))


def connect_prompts(fields: Mapping[str, Component]) -> None:
    """A prompt that is picked becomes the words."""
    pick: Any = fields[PROMPTS]
    pick.input(lambda text: text, pick, fields["words"], **SILENT)


def fit_fields(
    fields: Mapping[str, Component],
    family: Family,
    task: str,
    style: object = None,
    *,
    names: Sequence[str] = (),
) -> Updates:
    """Words and options of one request as a task wants them. names: what could be written."""
    fitted = {"words": words_of(task, names)} | fit_options(family, task, style)
    return {fields[name]: gr.update(**one) for name, one in fitted.items() if name in fields}


def keep_ticked(update: Mapping[str, Any], ticked: object) -> dict[str, Any]:
    """The update of a box that stays ticked where it is to be seen."""
    return {**update, "value": bool(ticked) and update["visible"]}


def newest_names(pipeline: Pipeline) -> tuple[str, ...]:
    """What a checkpoint could be asked for first: what it was taught last, or some of its names.

    None where the usual example is among them, or its vocabulary is open.
    """
    known = pipeline.names
    lessons = [row.get("names", ()) for row in pipeline.card.get("taught") or ()]
    newest = [name for name in (lessons[-1] if lessons else ()) if name in known]
    usual = split_names(all_texts("en")["names_hint"])
    if not newest and not set(usual) <= set(known):
        newest = list(known)
    return tuple(newest[:SHOWN_NAMES])


def words_of(task: str, names: Sequence[str] = ()) -> dict[str, Any]:
    """How the words are called and whether they are asked for at all.

    names: what could be written, in place of the usual example.
    """
    spec = TASKS.get(task)
    name = "names" if spec and spec.names_things else WORDS.get(task)
    if name is None:
        return {"visible": False, "label": translate("names"), "placeholder": ""}
    shown = names if name == "names" else ()
    return {
        "visible": True,
        "label": translate(name),
        "placeholder": " ; ".join(shown) if shown else translate(f"{name}_hint"),
        "html_attributes": typed(is_sentence=task in SENTENCES),
    }
