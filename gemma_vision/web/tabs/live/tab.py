"""The Camera tab: names of things, and a camera whose picture moves with what is found in it.

The page's script sends frame after frame to `/live`; no event of Gradio is between.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.request import MAX_TEXT
from gemma_vision.requests.tasks import FORM_TASKS, TASKS
from gemma_vision.web.components.viewer import build_live_viewer
from gemma_vision.web.forms.asking import WISHED, connect_changes, tell_asked, tell_form
from gemma_vision.web.forms.carrying import CarriedFields
from gemma_vision.web.forms.fields import build_settings
from gemma_vision.web.forms.options import SETTINGS
from gemma_vision.web.forms.tab import Tab
from gemma_vision.web.forms.task_form import TaskForm
from gemma_vision.web.jobs.events import SILENT, Updates, skip
from gemma_vision.web.server.live_switch import is_live
from gemma_vision.web.server.uploads import UploadError, resolve_upload
from gemma_vision.web.tabs.image import ImageTab

NAMING = tuple(task for task in FORM_TASKS if TASKS[task].names_things)
FROZEN = """() => { document.dispatchEvent(new CustomEvent("gv-frozen")); return []; }"""


class LiveTab(Tab):
    """One camera, one request for each of its frames."""

    name = "live"
    is_optional = True

    def is_useful(self, pipeline: Pipeline) -> bool:
        """Whether the checkpoint finds things, and cameras may be looked at here."""
        return is_live() and any(task in NAMING for task in pipeline.tasks)

    def build(self) -> None:
        """Lay out the tab and connect it."""
        self.form = form = TaskForm(self.pipeline, self.name, NAMING)
        with gr.Row(elem_classes="gv-columns"):
            with gr.Column(scale=4, min_width=300, elem_classes="gv-form"):
                form.build_task()
                form.build_options()
                with build_settings():
                    form.build_options(SETTINGS)
            with gr.Column(scale=7, min_width=320, elem_classes="gv-result"):
                first = {name: field.value for name, field in form.fields.items()}
                self.viewer: Any = build_live_viewer(
                    list(form.fields), first, tab=self.name, elem_id="live", empty="live_empty"
                )
        form.connect()
        words: Any = form.fields["words"]
        fields = list(form.fields.values())
        # A camera that started wants to know the form; Enter in it starts the camera.
        for event, script in ((self.viewer.start, tell_form), (words.submit, tell_asked)):
            event(None, fields, None, js=script(self.name), preprocess=False, **SILENT)
        connect_changes(form.fields, self.name)

    def connect_freeze(self, image: ImageTab) -> None:
        """A frame that is taken over is looked at in the tab of single pictures."""

        def freeze(event: gr.EventData, count: int) -> Updates:
            taken = dict(event._data or {})
            try:
                path = str(resolve_upload(taken.get("path")))
            except UploadError:
                return skip()
            text = str(taken.get("text") or "")[:MAX_TEXT]
            return image.take(path, taken.get("task"), text, count)

        wish, outputs = image.taking
        frozen = self.viewer.freeze(freeze, wish, outputs, **WISHED)
        frozen.then(None, None, None, js=FROZEN, **SILENT)

    @property
    def carried(self) -> CarriedFields:
        """The task and its words."""
        fields, form = self.form.fields, self.form
        return CarriedFields(None, fields["task"], [fields["words"]], form.fill, form.filled)

    @property
    def chosen(self) -> dict[str, Any]:
        """The task, and what hangs on it."""
        return self.form.chosen

    def refresh(self, pipeline: Pipeline, chosen: Mapping[str, Any]) -> Updates:
        """The form."""
        return self.form.refresh(pipeline, chosen)
