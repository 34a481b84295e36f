"""Options: what the Image tab asks beyond task and words, as far as the checkpoint was taught it.

Each is a component with the properties that `properties` gives for a task. A checkpoint that is put
in the place of another brings properties of its own.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.options import LANGUAGES
from gemma_vision.requests.prompts import Family
from gemma_vision.requests.request import REGION
from gemma_vision.requests.tasks import TASKS, Task
from gemma_vision.requests.variants import VERBS, known_prompts
from gemma_vision.web.components.crops import build_pan_and_scan
from gemma_vision.web.i18n.prompt_texts import EXAMPLES
from gemma_vision.web.i18n.texts import translate
from gemma_vision.web.jobs.events import Updates

LEFT_OUT = ("drop_repeats", "drop_full_frame", "drop_unasked")
WITH_LANGUAGE = ("caption", "ask", "ocr")
PT = "_pt"  # ends the key of a text that says: only pt checkpoints were taught this

Properties = dict[str, dict[str, Any]]
IDS = {  # of the components that hang on the task, on the page
    "language": "language",
    "style": "style",
    "prompts": "prompts",
    "region": "region",
    "leave_out": "leave-out",
    "max_overlap": "overlap",
}


def properties(pipeline: Pipeline, task: str) -> Properties:
    """What hangs on the checkpoint and on the task, by component."""
    family = pipeline.family
    is_caption = task == Task.caption
    finds = TASKS[task].names_things
    return {
        "language": {"visible": task in WITH_LANGUAGE},
        "style": {
            "choices": [(translate(style_key(family, style)), style) for style in family.styles],
            "visible": is_caption and len(family.styles) > 1,
        },
        "prompts": {
            "choices": prompt_choices(family),
            "visible": task == Task.free and bool(known_prompts(family)),
        },
        "region": {"visible": is_caption and family.has_regions},
        "leave_out": {"visible": finds},
        "max_overlap": {"visible": finds},
    }


def build_options(pipeline: Pipeline, task: str) -> dict[str, Any]:
    """The options that stand under the words, by name."""
    shown = properties(pipeline, task)
    style = gr.Radio(
        value="caption",
        label=translate("style"),
        elem_id="style",
        elem_classes="gv-pills",
        **shown["style"],
    )
    language = gr.Dropdown(
        list(LANGUAGES),
        value="en",
        label=translate("language"),
        elem_id="language",
        **shown["language"],
    )
    prompts = gr.Dropdown(
        value=None,
        label=translate("prompts"),
        elem_id="prompts",
        filterable=False,
        **shown["prompts"],
    )
    crops = build_pan_and_scan("crops", visible=pipeline.family.has_pan_and_scan)
    return {"language": language, "style": style, "prompts": prompts, "pan_and_scan": crops}


def build_settings(pipeline: Pipeline, task: str) -> dict[str, Any]:
    """The options that stand in the settings, by name."""
    shown = properties(pipeline, task)
    region = gr.Textbox(
        label=translate(REGION + PT),
        placeholder="0, 0, 0.5, 1",
        max_lines=1,
        elem_id="region",
        **shown["region"],
    )
    choices = [(translate(name), name) for name in LEFT_OUT]
    leave_out = gr.CheckboxGroup(
        choices, label=translate("leave_out"), elem_id="leave-out", **shown["leave_out"]
    )
    overlap = gr.Slider(
        0.05,
        1,
        1,
        step=0.05,
        label=translate("max_overlap"),
        elem_id="overlap",
        **shown["max_overlap"],
    )
    return {"region": region, "leave_out": leave_out, "max_overlap": overlap}


def fit(pipeline: Pipeline, task: str, style: str | None = None) -> Updates:
    """The components of IDS for a task, with the style that was chosen before.

    Where nothing was, or not one of this checkpoint's styles, it is a plain caption. A part that
    comes onto the page has lost its value, so that the style is always told.
    """
    shown = properties(pipeline, task)
    shown["style"]["value"] = style if style in pipeline.family.styles else "caption"
    shown["prompts"]["value"] = None
    return [gr.update(**shown[name]) for name in IDS]


def style_key(family: Family, style: str) -> str:
    """The text of a style of captions, marked where PaliGemma's pt checkpoints alone know it."""
    for_pt = {verb.style for verb in VERBS if verb.is_for_pt_alone}
    return f"style_{style}" + (PT if family.has_variants and style in for_pt else "")


def prompt_choices(family: Family) -> list[tuple[str, str]]:
    """What PaliGemma's prompts do, and an example of each to begin with."""
    return [(translate(f"verb_{verb.name}"), EXAMPLES[verb.name]) for verb in known_prompts(family)]
