"""Model change: the page's forms follow the checkpoint that answers now.

The forms are built once, for the checkpoint of the start; each tab knows what its own become.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr
from gradio.components import Component

from gemma_vision.registry.model_switcher import ModelSwitcher
from gemma_vision.web.forms.tab import Tab
from gemma_vision.web.jobs.events import SILENT, Updates


class FormUpdater:
    """Asks each tab what its components become. tabs: those of the page, and where they stand."""

    def __init__(self, switcher: ModelSwitcher, tabs: Mapping[gr.Tab, Tab]) -> None:
        self._switcher = switcher
        self.tabs = dict(tabs)
        self.inputs: list[Component] = [
            field for tab in tabs.values() for field in tab.chosen.values()
        ]
        self.outputs = list(self.refresh(*[field.value for field in self.inputs]))

    @property
    def event(self) -> dict[str, Any]:
        """What every event of it has."""
        return {"inputs": self.inputs, "outputs": self.outputs, "preprocess": False} | SILENT

    def refresh(self, *chosen: Any) -> Updates:
        """Updates of all outputs; what was chosen stays where the checkpoint can do it."""
        given, pipeline = iter(chosen), self._switcher.pipeline
        updates: Updates = {}
        for place, tab in self.tabs.items():
            updates |= tab.refresh(pipeline, {name: next(given) for name in tab.chosen})
            if tab.is_optional:
                updates[place] = gr.update(visible=tab.is_useful(pipeline))
        return updates
