"""Refitting: the page's forms fitted to the checkpoint that answers now.

The forms are built once, for the checkpoint of the start. Their parts are found by the ids that
`forms.form` gives them: a tab's task is PREFIXtask, and its words begin with PREFIXwords. Boxes for
crops of long pictures have "crops" in their id; those of Compare end in the side's name as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import gradio as gr

from gemma_vision.registry.model_switcher import ModelSwitcher
from gemma_vision.web.components.crops import fit_pan_and_scan
from gemma_vision.web.forms.form import SHOWN_TASKS, words_of
from gemma_vision.web.forms.options import IDS, fit
from gemma_vision.web.i18n.texts import translate
from gemma_vision.web.jobs.events import Updates, unchanged
from gemma_vision.web.tabs.chat import can_chat
from gemma_vision.web.tabs.compare_run import has_pan_and_scan
from gemma_vision.web.tabs.inside import can_be_followed

TASK, WORDS = "task", "words"
MODEL, SIDE_CROPS = "compare-model", "compare-crops"  # then -left or -right
ABILITIES = {"chat": can_chat, "inside": can_be_followed}  # tabs that some checkpoints lack


class Refit:
    """The parts of a page that hang on the checkpoint, and what they become.

    An event's function: `event(refit, refit.inputs, refit.outputs, preprocess=False)`. tabs: those
    of `ABILITIES` that the page has.
    """

    def __init__(
        self, page: gr.Blocks, switcher: ModelSwitcher, tabs: Mapping[str, gr.Tab]
    ) -> None:
        named = {str(block.elem_id): block for block in page.blocks.values() if name_of(block)}
        self._switcher, self._model_cache = switcher, switcher.model_cache
        self.tabs = dict(tabs)
        self._tasks = {
            name.removesuffix(TASK): block
            for name, block in named.items()
            if isinstance(block, gr.Radio) and name.endswith(TASK)
        }
        self._words = {
            prefix: [block for name, block in named.items() if name.startswith(f"{prefix}{WORDS}")]
            for prefix in self._tasks
        }
        offered = self._offered()
        self._never = {p: set(offered) - set(values(radio)) for p, radio in self._tasks.items()}
        self._options, self._strip = [named[one] for one in IDS.values()], named["examples"]
        self._models = [block for name, block in named.items() if name.startswith(MODEL)]
        boxes = {name: one for name, one in named.items() if isinstance(one, gr.Checkbox)}
        self._crops = [one for name, one in boxes.items() if name.endswith("crops")]
        self._side_crops = [one for name, one in boxes.items() if name.startswith(SIDE_CROPS)]

    @property
    def inputs(self) -> list[Any]:
        """What the page has chosen: each tab's task, the checkpoints to be compared, crops."""
        return [one for part in self._chosen for one in part]

    @property
    def outputs(self) -> list[Any]:
        """What is fitted, in the order of the updates."""
        forms = [part for prefix in self._tasks for part in self._form(prefix)]
        rest = [*self._options, self._strip, *self._models, *self._crops, *self._side_crops]
        return [*forms, *rest, *self.tabs.values()]

    @property
    def _chosen(self) -> list[list[Any]]:
        return [list(self._tasks.values()), self._models, self._crops, self._side_crops]

    def __call__(self, *chosen: Any) -> Updates:
        """Updates of all outputs; what was chosen stays where the checkpoint can do it."""
        pipeline, given = self._model_cache.pipeline, iter(chosen)
        asked, models, crops, side_crops = (list(islice(given, len(p))) for p in self._chosen)
        updates: Updates = []
        for (prefix, words), task in zip(self._words.items(), asked, strict=True):
            tasks = [one for one in self._offered() if one not in self._never[prefix]]
            task = task if task in tasks else next(iter(tasks), None)
            choices = [(translate(one), one) for one in tasks]
            updates += [gr.update(choices=choices, value=task)]
            updates += [gr.update(**words_of(str(task))) for _ in words]
            if not prefix:
                options = fit(pipeline, str(task))
        updates += [*options, {"tasks": self._offered()}]
        kept = self._compared(models)
        updates += [gr.update(choices=self._model_cache.names(), value=name) for name in kept]
        asking = [*([pipeline.name] * len(crops)), *kept]
        for name, ticked in zip(asking, [*crops, *side_crops], strict=True):
            updates += [fit_pan_and_scan(ticked, visible=has_pan_and_scan(self._model_cache, name))]
        return [*updates, *(gr.update(visible=ABILITIES[tab](pipeline)) for tab in self.tabs)]

    def arrive(self, *chosen: Any) -> Updates:
        """The same for a page that was just opened; nothing where it fits as it was built."""
        return self(*chosen) if self._switcher.revision else unchanged(len(self.outputs))

    def _form(self, prefix: str) -> list[Any]:
        return [self._tasks[prefix], *self._words[prefix]]

    def _offered(self) -> list[str]:
        return [task for task in SHOWN_TASKS if task in self._model_cache.pipeline.tasks]

    def _compared(self, chosen: Sequence[str]) -> list[str]:
        """The left side asks the checkpoint that answers, the right one may keep its own."""
        names = self._model_cache.names()
        kept = [names[0], *(name if name in names else names[0] for name in chosen[1:])]
        return kept[: len(self._models)]


def name_of(block: Any) -> str | None:
    """A block's id on the page."""
    return getattr(block, "elem_id", None)


def values(radio: gr.Radio) -> list[str]:
    """What a radio offers."""
    return [value for _, value in radio.choices]
