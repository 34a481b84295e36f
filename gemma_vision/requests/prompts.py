"""Prompts: how PaliGemma, PaliGemma 2, Gemma 3 and its relatives are asked, as data.

A row says which tasks a family was taught and in which words, and how a prompt is laid out for the
tokenizer. What differs in the mathematics is a row of `model/architecture.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gemma_vision.requests.family import Family, Wording
from gemma_vision.requests.options import BUDGETS
from gemma_vision.requests.tasks import Task

PALIGEMMA_WORDING: Wording = {
    Task.detect: "detect {names}",
    Task.segment: "segment {names}",
    "cap": "cap {language}",
    "caption": "caption {language}",
    "describe": "describe {language}",
    "region": "caption {region}",
    Task.ask: "answer {language} {text}",
    Task.ocr: "ocr",
    Task.free: "{text}",
}
GEMMA3_WORDING: Wording = {
    "cap": "Describe this image in a few words, in {tongue}.",
    "caption": "Describe this image in one sentence, in {tongue}.",
    "describe": "Describe this image in detail, in {tongue}.",
    Task.ask: "{text}",
    Task.ocr: "Write out all text in this image, line by line, and nothing else.",
    Task.free: "{text}",
    Task.chat: "{text}",
}
PLACES = "on a grid of 1000 by 1000"
GEMMA4_WORDING: Wording = {
    **GEMMA3_WORDING,
    Task.detect: "Detect {quoted}. Answer with a JSON list that has for each one in the image "
    '{{"box_2d": [y_min, x_min, y_max, x_max], "label": "..."}}, ' + PLACES + ", and [] where "
    "there is none.",
    Task.point: "Point at {quoted}. Answer with a JSON list that has for each one in the image "
    '{{"point": [y, x], "label": "..."}}, ' + PLACES + ", and [] where there is none.",
}
MASKS_INSTEAD = "For masks take a PaliGemma, such as google/paligemma2-3b-mix-224"
PALIGEMMA = Family(
    name="paligemma",
    title="PaliGemma",
    wording=PALIGEMMA_WORDING,
    image_token="<image>",
    image_mark="",
    around_image=("", ""),
    end="\n",
    stop_tokens=("<eos>",),
    has_variants=True,
)
PALIGEMMA2 = replace(PALIGEMMA, name="paligemma2", title="PaliGemma 2")
GEMMA3 = Family(
    name="gemma3",
    title="Gemma 3",
    wording=GEMMA3_WORDING,
    image_token="<image_soft_token>",
    image_mark="<start_of_image>",
    around_image=("\n\n<start_of_image>", "<end_of_image>\n\n"),
    end="",
    stop_tokens=("<eos>", "<end_of_turn>"),
    turn=("<start_of_turn>", "<end_of_turn>"),
    has_pan_and_scan=True,
    has_locations=False,
)
# What its template asks, whose indentation is part of the text
_INDENT = "\n" + " " * 16
SHIELDGEMMA2_WORDING: Wording = {
    Task.ask: "<start_of_turn>user\n"
    "You are a policy expert trying to help determine whether a generated or real image is in"
    f"{_INDENT} violation of the safety policy below. Your decision must very clearly follow the "
    f"specific{_INDENT} language used in the safety policy and should not include any "
    f"interpretation outside of the{_INDENT} safety policy.\n\n"
    f"{_INDENT}<BEGIN_SAFETY_POLICY>\n{_INDENT}{{text}}\n{_INDENT}</END_SAFETY_POLICY>\n\n"
    f"{_INDENT}Does the image violate the above policy? Your Answer must start with 'Yes' or 'No'.",
}
POLICIES = {  # of its training, by the names that its processor has for them
    "dangerous": "No Dangerous Content: The image shall not contain content that facilitates or "
    "encourages activities that could cause real-world harm (e.g., building firearms and "
    "explosive devices, promotion of terrorism, instructions for suicide).",
    "sexual": "No Sexually Explicit content: The image shall not contain content that depicts "
    "explicit or graphic sexual acts (e.g., pornography, erotic nudity, depictions of rape or "
    "sexual assault).",
    "violence": "No Violence/Gore content: The image shall not contain content that depicts "
    "shocking, sensational, or gratuitous violence (e.g., excessive blood and gore, gratuitous "
    "violence against animals, extreme injury or moment of death).",
}
SHIELDGEMMA2 = replace(
    GEMMA3,
    name="shieldgemma2",
    title="ShieldGemma 2",
    wording=SHIELDGEMMA2_WORDING,
    turn=("<start_of_turn>", f"{_INDENT}<end_of_turn>"),
    choices=("Yes", "No"),  # Yes: the picture violates the policy
    policies=POLICIES,
    has_pan_and_scan=False,
)
GEMMA4E = Family(  # E2B and E4B
    name="gemma4e",
    title="Gemma 4",
    wording=GEMMA4_WORDING,
    image_token="<|image|>",
    image_mark="<|image|>",
    around_image=("<|image>", "<image|>"),
    end="",
    stop_tokens=("<eos>", "<turn|>"),
    turn=("<|turn>", "<turn|>"),
    has_system_turn=True,
    budgets=BUDGETS,
    usual_budget=280,
    box_budget=560,
    thought=("<|channel>thought\n", "<channel|>"),
    think_mark="<|think|>",
    has_locations=False,
    instead={Task.segment: MASKS_INSTEAD},
)
GEMMA4 = replace(GEMMA4E, name="gemma4", closes_thought=True)  # 26B-A4B and 31B
FAMILIES: Mapping[str, Family] = {
    row.name: row for row in (PALIGEMMA, PALIGEMMA2, GEMMA3, SHIELDGEMMA2, GEMMA4E, GEMMA4)
}


def family_of(name: str) -> Family:
    """The row of that name."""
    return FAMILIES[name]
