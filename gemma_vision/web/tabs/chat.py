"""The Chat tab: a conversation about pictures, where the loaded checkpoint can hold one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.tasks import Task
from gemma_vision.web.components.html import build_html
from gemma_vision.web.forms.fields import build_settings, typed
from gemma_vision.web.forms.form_values import read_form
from gemma_vision.web.forms.options import FILTERS, SETTINGS, build_option_fields, field_properties
from gemma_vision.web.forms.tab import Tab
from gemma_vision.web.forms.task_form import keep_ticked
from gemma_vision.web.i18n.texts import script_words, translate
from gemma_vision.web.jobs.events import (
    SILENT,
    Updates,
    by_component,
    connect,
    visitor_of,
)
from gemma_vision.web.tabs.chat_sessions import ChatJob, ChatSessions, ChatValues

CROPS = "pan_and_scan"
SPOKEN = tuple(name for name in SETTINGS if name not in FILTERS)  # a conversation draws nothing


class ChatTab(Tab):
    """Pictures and messages, and what the model says to them."""

    name = "chat"
    is_optional = True
    controls = ("message", "stop")

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__(pipeline)
        self._sessions = ChatSessions()

    def is_useful(self, pipeline: Pipeline) -> bool:
        """Whether the loaded checkpoint was taught conversations."""
        return Task.chat in pipeline.tasks

    def make_job(self, values: Mapping[str, Any], visitor: str) -> ChatJob:
        """The turn that the form asks for."""
        return ChatJob(self.pipeline, self._sessions, visitor, read_form(ChatValues, values))

    def build(self) -> None:
        """Lay out the tab and connect it."""
        with gr.Column(elem_classes="gv-chat"):
            talk = build_html("chat", words=["guidance", *script_words()], elem_id="chat-talk")
            message = build_message()
            with gr.Row(elem_classes="gv-buttons"):
                stop = gr.Button(translate("stop"), interactive=False, elem_id="chat-stop")
                anew = gr.Button(translate("anew"), elem_id="chat-anew")
            with build_settings():
                self._options = build_chat_options(self.pipeline)
        crops = self._options[CROPS]
        outputs = {"talk": talk, "crops": crops, "message": message, "stop": stop}
        fields = {"message": message, **self._options}
        options = {"is_busy_at_once": False}  # a message that cannot be said stays to be mended
        running = connect(self.runner, [message.submit], fields, outputs, **options)
        self._connect_anew(anew, running, outputs)

    def _connect_anew(self, anew: gr.Button, running: Any, outputs: Mapping[str, Block]) -> None:
        """A new conversation knows nothing of the old."""

        def restart(request: gr.Request) -> Updates:
            visitor = visitor_of(request)
            self.leave(visitor)
            cleared = {
                "talk": None,
                "crops": self._sessions.crops_box(visitor),
            }
            return by_component({**cleared, **self.runner.idle}, outputs)

        anew.click(restart, None, list(outputs.values()), cancels=[running], **SILENT)

    @property
    def chosen(self) -> dict[str, Component]:
        """Whether crops are wished for."""
        return {CROPS: self._options[CROPS]}

    def refresh(self, pipeline: Pipeline, chosen: Mapping[str, Any]) -> Updates:
        """The box for crops, which some checkpoints lack."""
        box = field_properties(pipeline.family, Task.chat)[CROPS]
        return {self._options[CROPS]: keep_ticked(gr.update(**box), chosen[CROPS])}

    def leave(self, visitor: str) -> None:
        """End a visitor's turn and forget their conversation."""
        super().leave(visitor)
        self._sessions.forget(visitor)


def build_message() -> gr.MultimodalTextbox:
    """Where a visitor writes, and adds pictures."""
    return gr.MultimodalTextbox(
        file_types=["image"],
        file_count="multiple",
        sources=["upload"],
        placeholder=translate("chat_hint"),
        label=translate("chat_hint"),
        show_label=False,
        max_lines=6,
        html_attributes=typed(is_sentence=True),
        elem_id="chat-message",
    )


def build_chat_options(pipeline: Pipeline) -> dict[str, Component]:
    """What is asked of every turn; crops hold for a whole conversation."""
    family, info = pipeline.family, translate("chat_crops")
    fields = build_option_fields(family, Task.chat, "chat", SPOKEN)
    return fields | build_option_fields(family, Task.chat, "chat", [CROPS], info=info)
