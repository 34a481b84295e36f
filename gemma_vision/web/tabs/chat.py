"""The Chat tab: a conversation about pictures, where the loaded checkpoint can hold one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from gemma_vision.errors import describe
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.tasks import Task
from gemma_vision.web.components.crops import build_pan_and_scan
from gemma_vision.web.components.html import build_html
from gemma_vision.web.i18n.texts import script_words, translate
from gemma_vision.web.jobs.events import SILENT, Updates, listen
from gemma_vision.web.tabs.chat_sessions import Talks


def can_chat(pipeline: Pipeline) -> bool:
    """Whether the loaded checkpoint was taught conversations."""
    return Task.chat in pipeline.tasks


def build_chat_tab(pipeline: Pipeline) -> Callable[[gr.Request], None]:
    """Lay out the tab, connect it, and give what to call when a visitor leaves."""
    talks = Talks(pipeline)
    with gr.Column(elem_classes="gv-chat"):
        talk = build_talk()
        message = gr.MultimodalTextbox(
            file_types=["image"],
            file_count="multiple",
            sources=["upload"],
            placeholder=translate("chat_hint"),
            label=translate("chat_hint"),
            show_label=False,
            max_lines=6,
            elem_id="chat-message",
        )
        note = gr.Textbox(visible=False, label=translate("note"), lines=2, elem_id="chat-note")
        with gr.Row(elem_classes="gv-buttons"):
            stop = gr.Button(translate("stop"), interactive=False, elem_id="chat-stop")
            anew = gr.Button(translate("anew"), elem_id="chat-anew")
        with gr.Accordion(translate("settings"), open=False):
            limit = gr.Slider(16, 1024, 256, step=16, label=translate("max_tokens"))
            has_crops = pipeline.family.has_pan_and_scan
            crops = build_pan_and_scan(
                "chat-crops", visible=has_crops, info=translate("chat_crops")
            )
    connect(talks, [message, limit, crops], [talk, note, crops], [message, stop], anew)

    def leave(request: gr.Request) -> None:
        talks.forget(str(request.session_hash))

    return leave


def build_talk() -> gr.HTML:
    """What was said. Not gr.Chatbot: a picture's address in somebody's words would be fetched."""
    return build_html("chat", words=script_words(), elem_id="chat-talk")


def connect(
    talks: Talks, fields: list[Any], shown: list[Any], controls: list[Any], anew: gr.Button
) -> None:
    """What happens when something is said, on Stop and on a new conversation."""

    def speak(request: gr.Request, said: Any, limit: int, crops: bool) -> Iterator[Updates]:
        visitor = str(request.session_hash)
        try:
            empty: Any = gr.update(value=None, interactive=False)
            fixed: Any = gr.update(interactive=False)
            calm, can_stop = gr.update(visible=False), gr.update(interactive=True)
            for messages in talks.translate(visitor, said, limit, crops):
                yield [{"messages": messages}, calm, fixed, empty, can_stop]
                empty = fixed = gr.skip()
            yield [gr.skip(), gr.skip(), settled(talks, visitor), *quiet()]
        except Exception as error:
            words = gr.update(value=describe(error)[1], visible=True)
            yield [gr.skip(), words, settled(talks, visitor), *quiet()]

    def halt(request: gr.Request) -> Updates:
        visitor = str(request.session_hash)
        messages = talks.stop(visitor)
        said = gr.skip() if messages is None else {"messages": messages}
        return [said, gr.skip(), settled(talks, visitor), *quiet()]

    def restart(request: gr.Request) -> Updates:
        visitor = str(request.session_hash)
        talks.forget(visitor)
        return [None, gr.update(visible=False), settled(talks, visitor), *quiet()]

    message = fields[0]
    running = listen([message.submit], speak, halt, fields, shown, controls, rest=quiet)
    anew.click(restart, None, [*shown, *controls], cancels=[running], **SILENT)


def settled(talks: Talks, visitor: str) -> Any:
    """The box for crops: as the conversation has it; free before the first turn."""
    has_crops = talks.has_crops(visitor)
    if has_crops is None:
        return gr.update(interactive=True)
    return gr.update(value=has_crops, interactive=False)


def quiet() -> Updates:
    """The field and the Stop button while nobody speaks."""
    return [gr.update(interactive=True), gr.update(interactive=False)]
