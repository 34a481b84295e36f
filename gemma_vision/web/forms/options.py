"""Option fields: what every tab asks beyond task and words, made from the table of options.

A field is there for the tasks of its option and where the checkpoint was taught it. One that is
hidden keeps a value from before, which says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import gradio as gr
from gradio.components import Component

from gemma_vision.requests.family import Family
from gemma_vision.requests.option import Option
from gemma_vision.requests.option_checks import read_options
from gemma_vision.requests.options import DECODINGS, OPTIONS, options_of
from gemma_vision.requests.request import REGION
from gemma_vision.requests.tasks import Task
from gemma_vision.requests.validation import read_region
from gemma_vision.requests.variants import VERBS, known_prompts
from gemma_vision.web.forms.fields import id_of, pills
from gemma_vision.web.i18n.language_names import language_choice
from gemma_vision.web.i18n.prompt_texts import EXAMPLES
from gemma_vision.web.i18n.texts import translate
from postprocess.filters import Filters

PT = "_pt"  # ends the key of a text that says: only pt checkpoints were taught this
PROMPTS, LEAVE_OUT = "prompts", "leave_out"  # fields that are no option by themselves
LEFT_OUT = tuple(name for name in OPTIONS if name.startswith("drop_"))  # the boxes of LEAVE_OUT
FILTERS = (*(one.name for one in fields(Filters)), LEAVE_OUT)  # of what was found
LENGTH = "max_tokens"
# where such a field stands while nothing is asked
ANY: Mapping[str, Any] = {
    "max_overlap": 1.0,
    "min_score": 0.0,
    "budget": 0,
    "decoding": "",
    "names_per_prompt": 0,
}

Properties = dict[str, Any]


@dataclass(frozen=True)
class OptionField:
    """How a field looks on the page: its id, its kind, and what differs from the option's row."""

    elem_id: str
    kind: type[Component]
    properties: Mapping[str, Any] = field(default_factory=dict)


FIELDS: Mapping[str, OptionField] = {
    "style": OptionField("style", gr.Radio, {"elem_classes": "gv-pills"}),
    "language": OptionField("language", gr.Dropdown),
    PROMPTS: OptionField("prompts", gr.Dropdown, {"value": None, "filterable": False}),
    "pan_and_scan": OptionField("crops", gr.Checkbox),
    "max_tokens": OptionField("max-tokens", gr.Slider, {"minimum": 16, "maximum": 1024}),
    "temperature": OptionField("temperature", gr.Slider, {"maximum": 1.5}),
    "seed": OptionField("seed", gr.Number, {"precision": 0, "minimum": 0}),
    "names_per_prompt": OptionField("names-per-prompt", gr.Number, {"precision": 0, "minimum": 0}),
    "region": OptionField(
        "region", gr.Textbox, {"value": "", "placeholder": "0, 0, 0.5, 1", "max_lines": 1}
    ),
    LEAVE_OUT: OptionField("leave-out", gr.CheckboxGroup, {"value": []}),
    "max_overlap": OptionField("overlap", gr.Slider, {"minimum": 0.05}),
    "min_score": OptionField("score", gr.Slider),
    "budget": OptionField("budget", gr.Dropdown),
}
KINDS: Mapping[type, type[Component]] = {bool: gr.Checkbox, str: gr.Dropdown}  # of other options
UPFRONT = ("style", "language", PROMPTS, "pan_and_scan")  # above Run; the others are settings
SETTINGS = (
    *(name for name in FIELDS if name not in UPFRONT),
    *(name for name in OPTIONS if name not in (*FIELDS, *LEFT_OUT)),
)


def build_option_fields(
    family: Family, task: str, tab: str, names: Sequence[str], *, side: str = "", **own: Any
) -> dict[str, Component]:
    """The fields of these names; their ids are those of `id_of`. own: properties of this tab's."""
    fitted = field_properties(family, task)
    return {
        name: field_of(name).kind(
            elem_id=id_of(tab, field_of(name).elem_id, side),
            **(fixed_properties(name) | fitted[name] | own),
        )
        for name in names
    }


def field_of(name: str) -> OptionField:
    """The field of that name."""
    return FIELDS.get(name) or field_from_row(OPTIONS[name])


def field_from_row(option: Option) -> OptionField:
    """The field of an option that the page says nothing of: it follows from the option's type."""
    return OptionField(option.name.replace("_", "-"), KINDS.get(option.type, gr.Slider))


def fixed_properties(name: str) -> Properties:
    """What does not hang on task and checkpoint."""
    option = OPTIONS.get(name)
    row = option_properties(option) if option else {}
    return {"label": translate(name)} | row | dict(field_of(name).properties)


def option_properties(option: Option) -> Properties:
    """What a field takes from its option's row."""
    properties: Properties = {"value": ANY.get(option.name, option.default)}
    if (FIELDS.get(option.name) or field_from_row(option)).kind is gr.Slider:
        properties |= {"minimum": option.low, "maximum": option.high, "step": option.step}
    if option.choices:
        properties["choices"] = list(option.choices)
    return properties


def field_properties(family: Family, task: str) -> dict[str, Properties]:
    """What hangs on the checkpoint and on the task, by field."""
    names = offered(family, task)
    fitted: dict[str, Properties] = {name: {"visible": name in names} for name in OPTIONS}
    left_out = [name for name in LEFT_OUT if name in names]
    fitted[LEAVE_OUT] = {"choices": pills(left_out), "visible": bool(left_out)}
    has_prompts = task == Task.free and bool(known_prompts(family))
    fitted[PROMPTS] = {"choices": prompt_choices(family), "visible": has_prompts}
    fitted["language"]["choices"] = [language_choice(code) for code in family.languages]
    sizes = [(str(one), one) for one in family.budgets]
    fitted["budget"]["choices"] = [(translate("as_usual"), ANY["budget"]), *sizes]
    ways = [(one, one) for one in DECODINGS]
    fitted["decoding"]["choices"] = [(translate("as_usual"), ANY["decoding"]), *ways]
    fitted["style"]["choices"] = [(translate(style_key(family, one)), one) for one in family.styles]
    return fitted


def offered(family: Family, task: str) -> set[str]:
    """The options of a task that the checkpoint was taught."""
    taught = {
        "language": uses_language(family, task) and len(family.languages) > 1,
        "style": len(family.styles) > 1,
        "region": family.has_regions,
        "pan_and_scan": family.has_pan_and_scan,
        "budget": bool(family.budgets),
        "thinking": family.can_think,
    }
    return {option.name for option in options_of(task) if taught.get(option.name, True)}


def uses_language(family: Family, task: str) -> bool:
    """Whether the prompts of a task say in which language the answer shall be."""
    verbs = {*family.styles, REGION} if task == Task.caption else {task}
    return any(map(family.uses_language, verbs))


def fit_options(family: Family, task: str, style: object = None) -> dict[str, Properties]:
    """What the fields become for a task, by name, with the style that was chosen before.

    Where nothing was, or not one of this checkpoint's styles, it is a plain caption. A part that
    comes onto the page has lost its value, so that the style is always told.
    """
    fitted = field_properties(family, task)
    fitted["style"]["value"] = style if style in family.styles else OPTIONS["style"].default
    fitted[PROMPTS]["value"] = None
    return fitted


def read_option_fields(family: Family, task: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a request from the values of the fields, by name, as the client sent them.

    Those that the checkpoint was not taught are left out. `TaskError` for a value that is none.
    """
    given = {name: value for name, value in values.items() if ANY.get(name) != value}
    left_out = values.get(LEAVE_OUT)
    if isinstance(left_out, list):
        given |= {name: name in left_out or None for name in LEFT_OUT}  # None is the default
    if values.get("style") not in family.styles:
        given["style"] = None
    if values.get("language") not in family.languages:
        given.pop("language", None)
    names = offered(family, task)
    given = {name: value for name, value in given.items() if name in names}
    if "region" in given:
        given["region"] = read_region(given["region"] or "")
    return read_options(task, given)


def style_key(family: Family, style: str) -> str:
    """The text of a style of captions, marked where PaliGemma's pt checkpoints alone know it."""
    for_pt = {verb.style for verb in VERBS if verb.is_for_pt_alone}
    return f"style_{style}" + (PT if family.has_variants and style in for_pt else "")


def prompt_choices(family: Family) -> list[tuple[Any, str]]:
    """What PaliGemma's prompts do, and an example of each to begin with."""
    return [(translate(f"verb_{verb.name}"), EXAMPLES[verb.name]) for verb in known_prompts(family)]
