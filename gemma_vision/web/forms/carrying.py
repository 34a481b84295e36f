"""Carrying: the picture and the words of one tab go along to the next one that is opened.

What somebody chose or wrote in a tab stays. What was carried there, or stood there from the
beginning, gives way to what comes along.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from gemma_vision.web.jobs.events import SILENT, Updates
from gemma_vision.web.server.uploads import UploadError, resolve_upload

Values = dict[str, Any]
NOTHING: Values = {"picture": None, "task": None, "words": [""]}


@dataclass(frozen=True)
class CarriedFields:
    """The fields of a tab that go along to others and take what comes along.

    words: one field, or one for each side. fill: what becomes of a form with a task and its words,
    nothing where they cannot be asked there; filled: what that may change.
    """

    upload: Component | None = None
    task: Component | None = None
    words: Sequence[Component] = ()
    fill: Callable[[object, str], Updates] = lambda task, text: {}
    filled: Sequence[Component] = ()

    @property
    def inputs(self) -> list[Component]:
        """The fields whose values go along."""
        return [one for one in (self.upload, self.task, *self.words) if one is not None]

    def read(self, given: Mapping[Component, Any]) -> Values:
        """What a tab holds: its picture, its task, the words of its sides."""
        return {
            "picture": given[self.upload] if self.upload else None,
            "task": given[self.task] if self.task else None,
            "words": sorted({given[field] or "" for field in self.words}),
        }


def connect_carrying(tabs: Mapping[gr.Tab, CarriedFields]) -> None:
    """Carry what the tab that is left holds to the one that is opened. tabs: the first is open."""
    places = list(tabs)
    inputs = list(dict.fromkeys(field for one in tabs.values() for field in one.inputs))
    first = {field: field.value for field in inputs}
    known = [one.read(first) for one in tabs.values()]
    memory = gr.State({"open": 0, "known": known, "along": NOTHING})

    def carry(to: int, state: Values, values: Sequence[Any]) -> Updates:
        given, here, left = dict(zip(inputs, values, strict=True)), [*state["known"]], state["open"]
        if to == left:
            return {memory: state}
        along = pick_up(tabs[places[left]].read(given), here[left], state["along"])
        target = tabs[places[to]]
        updates, here[to] = bring(target, along, target.read(given), here[to])
        return {memory: {"open": to, "known": here, "along": along}} | updates

    for number, (place, fields) in enumerate(tabs.items()):

        def open_tab(state: Values, *values: Any, number: int = number) -> Updates:
            return carry(number, state, values)

        uploads = [fields.upload] if fields.upload else []
        outputs = list(dict.fromkeys([memory, *uploads, *fields.filled]))
        place.select(open_tab, [memory, *inputs], outputs, preprocess=False, **SILENT)


def pick_up(source: Values, known: Values, along: Values) -> Values:
    """What goes along from a tab that is left: what was chosen or written there, and else what was
    on its way already. known: what stands in the tab that nobody chose there.
    """
    if not is_same_file(source["picture"], known["picture"]):
        along = along | {"picture": source["picture"]}
    if len(source["words"]) == 1 and source["words"] != known["words"]:
        along = along | {"task": source["task"], "words": source["words"]}
    return along


def bring(
    target: CarriedFields, along: Values, own: Values, known: Values
) -> tuple[Updates, Values]:
    """What a tab becomes that holds its `own`, and what is `known` of it from then on: what stands
    in it that nobody chose there.
    """
    updates: Updates = {}
    path = path_of(along["picture"])
    if target.upload and path and is_same_file(own["picture"], known["picture"]):
        updates[target.upload] = path
        known = known | {"picture": along["picture"]}
    if any(along["words"]) and own["words"] == known["words"]:
        filled = target.fill(along["task"], along["words"][0])
        known = known | ({"words": along["words"]} if filled else {})
        updates |= filled
    return updates, known


def path_of(upload: Any) -> str:
    """The path of a picture that a visitor may name; "" where there is none."""
    try:
        return str(resolve_upload(upload))
    except UploadError:
        return ""


def is_same_file(one: Any, other: Any) -> bool:
    """Whether two uploads are one picture, wherever Gradio has put its copies."""
    paths = [Path(path) for path in (path_of(one), path_of(other)) if path]
    if len(paths) < 2:
        return not paths
    return paths[0].name == paths[1].name and paths[0].stat().st_size == paths[1].stat().st_size
