"""Asking: what lies between a form and the answer beside it, and what asks instead of the form.

A form's values are told to the page's scripts at every change and at every run, so that an answer
to other values is seen to be one from before. None of it reaches the server, but for what comes
back to a page that is loaded again (`forms/reloading.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

from gemma_vision.requests.request import MAX_TEXT
from gemma_vision.web.components.example_strip import Example
from gemma_vision.web.jobs.events import QUICK_QUEUE, SILENT, Updates, skip

# A file is the same whatever address it is shown at.
TELL = """(...values) => {{
  const detail = JSON.stringify(values, (key, value) => (key === "url" ? undefined : value));
  document.dispatchEvent(new CustomEvent("gv-{event}-{tab}", {{ detail }}));
  return {given};
}}"""
ASKABLE = ("max_tokens", "temperature", "leave_out")  # what a line of guidance may change
WISHED = SILENT | QUICK_QUEUE | {"queue": True}  # a changed gr.State is told of from a queue alone
LATEST: dict[str, Any] = {
    "trigger_mode": "always_last"
}  # of a job that can be wished for while it runs


def tell_asked(tab: str) -> str:
    """The script of a run: tells the tab's viewer what is asked now."""
    return TELL.format(event="asked", tab=tab, given="values")


def tell_form(tab: str) -> str:
    """The script of a change: tells the tab's viewer what the form holds."""
    return TELL.format(event="form", tab=tab, given="[]")


def connect_changes(fields: Mapping[str, Component], tab: str) -> None:
    """Tell the tab's viewer what the form holds whenever a field changes, by whatever hand."""
    changes: list[Any] = [field.change for field in fields.values()]  # type: ignore[attr-defined]
    inputs = list(fields.values())
    gr.on(changes, None, inputs, None, js=tell_form(tab), preprocess=False, **SILENT)


def connect_examples(
    strip: gr.HTML,
    examples: Sequence[Example],
    wish: gr.State,
    fill: Callable[[Example], Updates],
    outputs: Sequence[Block],
    *,
    event: str = "pick",
) -> None:
    """A picked example fills the form, and runs. wish: goes up with whatever starts a job from
    elsewhere than the form; fill: what becomes of the `outputs`, nothing where it cannot be asked;
    event: of the strip, with the example's "index".
    """

    def pick(data: gr.EventData, count: int) -> Updates:
        updates = fill(examples[int(data.index) % len(examples)])
        return updates | {wish: count + 1} if updates else skip()

    getattr(strip, event)(pick, wish, [wish, *outputs], **WISHED)


def connect_guidance(
    viewer: Any,
    fields: Mapping[str, Component],
    fill: Callable[[object, str], Updates],
    filled: Sequence[Block],
    wish: gr.State,
) -> None:
    """What a line under the answer offers changes the form, and runs.

    fields: those of options, by name; fill: what a task and its words change of those `filled`.
    """
    others = [fields[name] for name in ASKABLE]

    def fill_in(event: gr.EventData, count: int) -> Updates:
        wanted = dict(event._data or {})
        updates: Updates = {wish: count + 1}
        if isinstance(text := wanted.get("text"), str):
            updates |= fill(wanted.get("task"), text[:MAX_TEXT])
        named = {name: wanted[name] for name in ASKABLE if name in wanted}
        return updates | {fields[name]: gr.update(value=one) for name, one in named.items()}

    outputs = list(dict.fromkeys([wish, *filled, *others]))
    viewer.ask(fill_in, wish, outputs, **WISHED)
