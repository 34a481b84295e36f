"""The header: the name, one line of what this is, and what answers; its facts are a detail.

Where visitors may choose, the checkpoint's line opens the list of those there are. Beside the demo
model stands where to go with photographs.
"""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr

from gemma_vision.checkpoints.model_names import embedded
from gemma_vision.requests.prompts import FAMILIES
from gemma_vision.web.components.html import build_html
from gemma_vision.web.components.model_choice import ANY, JSON, Choice
from gemma_vision.web.i18n.texts import choice_words, translate
from gemma_vision.web.jobs.events import SILENT
from gemma_vision.web.server.errors import to_note


def build_header(choice: Choice) -> gr.HTML:
    """One static template; the scripts fill in texts as texts."""
    header = build_html(
        "header",
        "model_choice",
        scripts=("header_a11y_fixes",),
        state=choice.switcher.state(),
        freedom=choice.freedom,
        titles={name: family.title for name, family in FAMILIES.items()},
        demos=embedded(),
        may_type=choice.freedom == ANY,
        words=choice_words(),
        label=translate("language_tag"),  # which Gradio keeps to its locale
        elem_id="header",
    )
    if choice.is_open:
        connect(header, choice)
    return header


def connect(header: gr.HTML, choice: Choice) -> None:
    """What happens when the list is opened, and when one is chosen or called off."""

    def list_models() -> JSON:
        return choice.listing()

    def begin(event: gr.EventData, request: gr.Request) -> JSON:
        return attempt(
            lambda: choice.choose(event.name, request.headers, str(request.session_hash))
        )

    def call_off(request: gr.Request) -> JSON:
        return attempt(lambda: choice.cancel(request.headers, str(request.session_hash)))

    def attempt(action: Callable[[], None]) -> JSON:
        """The list as it stands after an action; a sentence where it could not be taken."""
        try:
            action()
        except Exception as error:
            return list_models() | {"note": to_note(error)}
        return list_models()

    header.look(list_models, None, header, **SILENT)
    header.choose(begin, None, header, **SILENT)
    header.cancel(call_off, None, header, **SILENT)
