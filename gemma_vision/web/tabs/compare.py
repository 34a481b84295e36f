"""The Compare tab: one picture and one task, two sides, and where they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import gradio as gr
from gradio.components import Component

from gemma_vision.checkpoints.model_names import embedded
from gemma_vision.pipeline import Pipeline
from gemma_vision.registry.model_cache import ModelCache
from gemma_vision.requests.family import Family
from gemma_vision.requests.tasks import FORM_TASKS
from gemma_vision.web.components.example_strip import Example, build_strip, load_examples
from gemma_vision.web.components.html import build_html
from gemma_vision.web.forms.answer_panel import Parts, build_answer_panel, connect_answer_panel
from gemma_vision.web.forms.asking import (
    LATEST,
    connect_changes,
    connect_examples,
    connect_guidance,
    tell_asked,
)
from gemma_vision.web.forms.carrying import CarriedFields
from gemma_vision.web.forms.fields import build_buttons, build_image, build_settings, pills
from gemma_vision.web.forms.form_values import read_form
from gemma_vision.web.forms.options import SETTINGS, UPFRONT, build_option_fields
from gemma_vision.web.forms.tab import Tab
from gemma_vision.web.forms.task_form import (
    build_task,
    build_words,
    connect_prompts,
    fit_fields,
    keep_ticked,
)
from gemma_vision.web.i18n.texts import script_words, translate
from gemma_vision.web.jobs.events import SILENT, Updates, connect
from gemma_vision.web.jobs.visitor_answers import VisitorAnswers
from gemma_vision.web.tabs.compare_run import (
    SIDES,
    CompareJob,
    CompareValues,
    SideValues,
    family_of,
)

WARM = 0.7  # the right side's temperature at first, so that there is something to compare
IN_SIGHT = ("temperature", "seed")  # what most comparisons are about
HIDDEN = tuple(name for name in SETTINGS if name not in IN_SIGHT)

Fields = dict[str, Component]


class CompareTab(Tab):
    """One picture, two requests or two checkpoints."""

    name = "compare"

    def __init__(self, pipeline: Pipeline, model_cache: ModelCache) -> None:
        super().__init__(pipeline)
        self._model_cache = model_cache
        self._sides: dict[str, Fields] = {}
        self._stores = {"left": self.results, "right": VisitorAnswers()}

    def make_job(self, values: Mapping[str, Any], visitor: str) -> CompareJob:
        """The job that the form asks for."""
        stores = {side: partial(results.put, visitor) for side, results in self._stores.items()}
        return CompareJob(self._model_cache, read_values(values), stores)

    def leave(self, visitor: str) -> None:
        """As every tab, and nothing is left of the right side's answer."""
        super().leave(visitor)
        self._stores["right"].put(visitor, None)

    def build(self) -> None:
        """Lay out the tab and connect it."""
        examples = load_examples()
        example = next((row for row in examples if row["task"] in self.tasks), None)
        first = example["task"] if example else self.tasks[0]
        with gr.Row(elem_classes="gv-compare-form"):
            with gr.Column(scale=4, min_width=280):
                path = example["path"] if example else None
                self._upload = build_image("compare-picture", value=path)
                self._strip = build_strip(examples, self.tasks, self.name)
            with gr.Column(scale=5, min_width=300):
                self._task = build_task(self.tasks, first, "compare")
                with gr.Row():
                    for side in SIDES:
                        self._sides[side] = self._build_side(side, first, example)
                run, stop = build_buttons("compare", "compare")
        differences = build_html("compare", words=script_words(), elem_id="compare-told")
        panels, wish = build_panels(), gr.State(0)
        parts = {f"{side}.{name}": part for side in SIDES for name, part in panels[side].items()}
        outputs = {"differences": differences, **parts, "run": run, "stop": stop}
        fields = {"upload": self._upload, "task": self._task, **self._fields()}
        starts = [run.click, wish.change]
        connect(self.runner, starts, fields, outputs, js=tell_asked(self.name), **LATEST)
        connect_changes(fields, self.name)
        self._connect_sides()
        filled = [self._upload, *self._filled]
        connect_examples(self._strip, examples, wish, self._fill_example, filled)
        for side in SIDES:
            connect_answer_panel(panels[side], self._stores[side], lambda: self.pipeline.decoder)
            fill = partial(self._fill_side, side)
            viewer, own = panels[side]["viewer"], self._sides[side]
            connect_guidance(viewer, own, fill, self._filled, wish)

    @property
    def tasks(self) -> list[str]:
        """What can be asked of the checkpoint that answers."""
        return [task for task in FORM_TASKS if task in self.pipeline.tasks]

    def _build_side(self, side: str, task: str, example: Example | None) -> Fields:
        """A side's own fields: checkpoint, words, options."""
        names, text = self._model_cache.names(), example["text"] if example else ""
        warmth = WARM if side == "right" else 0
        with gr.Column(min_width=220):
            model = gr.Dropdown(
                named(names),
                value=names[0],
                label=translate(f"model_{side}"),
                elem_id=f"compare-model-{side}",
            )
            fields: Fields = {"model": model, "words": build_words(task, text, "compare", side)}
            build = partial(build_option_fields, self.pipeline.family, task, "compare", side=side)
            fields |= build(["temperature"], value=warmth) | build(["seed"]) | build(UPFRONT)
            with build_settings():
                fields |= build(HIDDEN)
        return fields

    def _fields(self) -> Fields:
        """Both sides' fields by name: "left.model" and so on."""
        return {
            f"{side}.{name}": field
            for side, fields in self._sides.items()
            for name, field in fields.items()
        }

    def _connect_sides(self) -> None:
        """Words and options follow the task and each side's checkpoint."""

        def fit(task: str, *values: Any) -> Updates:
            chosen = dict(zip(self.chosen, (task, *values), strict=True))
            return {key: one for side in SIDES for key, one in self._fit(side, chosen).items()}

        inputs = list(self.chosen.values())
        self._outputs = outputs = list(fit(*[one.value for one in inputs]))
        changes: list[Any] = [self._task, *(fields["model"] for fields in self._sides.values())]
        on = {"preprocess": False} | SILENT
        gr.on([one.input for one in changes], fit, inputs, outputs, **on)
        for fields in self._sides.values():
            connect_prompts(fields)

    @property
    def carried(self) -> CarriedFields:
        """The picture, the task, and the words of both sides."""
        words = [fields["words"] for fields in self._sides.values()]
        return CarriedFields(self._upload, self._task, words, self._fill_both, self._filled)

    def _fill_side(self, side: str, task: object, text: str) -> Updates:
        return self._fill(task, {side: text})

    def _fill_both(self, task: object, text: str) -> Updates:
        return self._fill(task, dict.fromkeys(SIDES, text))

    @property
    def _filled(self) -> list[Component]:
        """What an example or a line of guidance may change."""
        return list(dict.fromkeys([self._task, *self._outputs]))

    def _fill(self, task: object, words: Mapping[str, Any]) -> Updates:
        """A task, and words by side; nothing where the checkpoint cannot do the task."""
        if task not in self.tasks:
            return {}
        chosen = {name: field.value for name, field in self.chosen.items()} | {"task": task}
        updates: Updates = {self._task: task}
        for side in SIDES:
            updates |= self._fit(side, chosen)
            field = self._sides[side]["words"]
            updates[field] |= {"value": words[side]} if side in words else {}
        return updates

    def _fill_example(self, example: Example) -> Updates:
        """An example's picture, task and words, on both sides."""
        updates = self._fill_both(example["task"], example["text"])
        return updates and updates | {self._upload: example["path"]}

    def _fit(self, side: str, chosen: Mapping[str, Any]) -> Updates:
        """A side's words and options for the task and the checkpoint that were chosen."""
        fields, family = self._sides[side], self._family(chosen[f"{side}.model"])
        updates = fit_fields(fields, family, chosen["task"], chosen[f"{side}.style"])
        crops = fields["pan_and_scan"]
        ticked = chosen[f"{side}.pan_and_scan"]
        return updates | {crops: keep_ticked(updates[crops], ticked)}

    def _family(self, name: object) -> Family:
        """What a side's checkpoint understands; that of the one that answers, for want of it."""
        return family_of(self._model_cache, name) or self.pipeline.family

    @property
    def chosen(self) -> Fields:
        """The task, and each side's checkpoint and what hangs on it."""
        hanging = ("model", "style", "pan_and_scan")
        sides = {
            f"{side}.{name}": fields[name]
            for side, fields in self._sides.items()
            for name in hanging
        }
        return {"task": self._task, **sides}

    def refresh(self, pipeline: Pipeline, chosen: Mapping[str, Any]) -> Updates:
        """The left side asks the checkpoint that answers, the right one may keep its own."""
        tasks, names, right = self.tasks, self._model_cache.names(), chosen["right.model"]
        task = chosen["task"] if chosen["task"] in tasks else next(iter(tasks), None)
        models = {"left": names[0], "right": right if right in names else names[0]}
        chosen = {**chosen, "task": str(task)}
        updates: Updates = {self._task: gr.update(choices=pills(tasks), value=task)}
        for side, model in models.items():
            updates[self._sides[side]["model"]] = gr.update(choices=named(names), value=model)
            updates |= self._fit(side, {**chosen, f"{side}.model": model})
        return updates | {self._strip: {"tasks": tasks}}


def named(names: Sequence[str]) -> list[tuple[Any, str]]:
    """Checkpoints as choices, by what people call them."""
    return [(translate("demo_name") if one in embedded() else one, one) for one in names]


def build_panels() -> dict[str, Parts]:
    """A panel for each side's answer."""
    panels = {}
    with gr.Row(elem_classes="gv-compare-result"):
        for side in SIDES:
            with gr.Column(min_width=300):
                elem_id = f"compare-{side}"
                panels[side] = build_answer_panel(
                    "compare", side, elem_id=elem_id, follows="compare"
                )
    return panels


def read_values(values: Mapping[str, Any]) -> CompareValues:
    """What the form holds, from its fields by name."""
    sides = {
        side: read_form(
            SideValues,
            {
                name.removeprefix(f"{side}."): value
                for name, value in values.items()
                if name.startswith(f"{side}.")
            },
        )
        for side in SIDES
    }
    return CompareValues(values["upload"], values["task"], sides["left"], sides["right"])
