"""Fields: Gradio's own parts as the tabs use them: uploads, buttons, the drawer with the JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from gemma_vision.web.components.upload_note import build_upload_note
from gemma_vision.web.i18n.texts import translate

UPLOADED = ("upload", "clipboard")


def build_image(elem_id: str, *, label: str = "picture", height: int = 260, **options: Any) -> Any:
    """A picture from a file or the clipboard, and a line for what is none; `label` is the key of
    a text.

    Its value is to be taken raw: nobody opens the file before `gemma_vision.web.server.uploads` has
    looked at where it is.
    """
    own = {"sources": list(UPLOADED), "buttons": []}
    image = gr.Image(
        label=translate(label),
        type="filepath",
        image_mode=None,
        height=height,
        elem_id=elem_id,
        **(own | options),
    )
    build_upload_note(image)
    return image


def typed(*, is_sentence: bool = False) -> gr.InputHTMLAttributes:
    """How a field for words takes what is typed: names and codes as they are written.

    A telephone changes nothing of it. Only in a sentence is a slip of the pen marked.
    """
    return gr.InputHTMLAttributes(
        autocapitalize="none",
        autocorrect="off",
        autocomplete="off",
        spellcheck=is_sentence,
        enterkeyhint="go",
    )


def webcam(width: int, height: int) -> gr.WebcamOptions:
    """A visitor's camera at a size in pixels, as others see them and not as in a mirror."""
    size = {"width": width, "height": height}
    return gr.WebcamOptions(mirror=False, constraints={"video": size})


def build_buttons(run: str, tab: str = "") -> tuple[gr.Button, gr.Button]:
    """Run, under the text of that key, and Stop beside it; their ids end in run and stop."""
    with gr.Row(elem_classes="gv-buttons"):
        return (
            gr.Button(translate(run), variant="primary", elem_id=id_of(tab, "run"), scale=3),
            gr.Button(translate("stop"), interactive=False, elem_id=id_of(tab, "stop"), scale=1),
        )


def build_settings() -> gr.Accordion:
    """The closed drawer of what is seldom changed."""
    return gr.Accordion(translate("settings"), open=False)


def build_json_drawer(elem_id: str, label: str = "json") -> tuple[gr.Accordion, gr.JSON]:
    """The closed drawer under a result that holds it as JSON; `label` is the key of a text."""
    with gr.Accordion(translate(label), open=False, visible=False) as drawer:
        data = gr.JSON(show_label=False, max_height=360, elem_id=elem_id)
    return drawer, data


def pills(names: Sequence[str]) -> list[tuple[Any, str]]:
    """Choices of these names, under the texts of the same keys."""
    return [(translate(name), name) for name in names]


def id_of(tab: str, name: str, side: str = "") -> str:
    """A field's id on the page.   "batch", "task"  ->  "batch-task";  "", "task"  ->  "task" """
    return "-".join(part for part in (tab, name, side) if part)
