"""Kinds: what a checkpoint understands beyond its family, as data.

PaliGemma comes in three kinds: `pt` (pretrained, to be tuned further), `mix` (tuned on a mixture of
tasks, to be used as it is) and `ft-TASK` (tuned for one task, deaf to most other prompts). The
words of pt and mix are those of Google's page on PaliGemma's prompts. The prompts of most ft-TASK
checkpoints are not published beside them and were not tried here: `free` says anything to them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from gemma_vision.families import Family, Wording
from gemma_vision.tasks import Task

PT, MIX = "pt", "mix"
# google/paligemma-3b-ft-refcoco-seg-448  ->  ft-refcoco-seg; also twins in other number formats
NAME = re.compile(
    r"paligemma2?-\d+b-(?P<kind>pt|mix|ft-[a-z0-9-]+?)-(224|448|896)(-jax|-keras|-\d+bit)?"
)


@dataclass(frozen=True)
class Verb:
    """One prompt of PaliGemma's language.

    `kinds` are the checkpoints that Google's page promises it for; `reported` those where others
    saw it work. `asked` is how to ask for it here.
    """

    wording: str
    gives: str
    kinds: tuple[str, ...]
    asked: str
    style: str = ""  # of the captions that it stands for, or "region"
    reported: tuple[str, ...] = ()

    def is_understood_by(self, kind: str) -> bool:
        """Whether a checkpoint of that kind is asked in these words."""
        return kind in self.kinds + self.reported


VERBS = (
    Verb("cap {language}", "a few words, as web pages have them", (PT,), "caption", "cap"),
    Verb("caption {language}", "a sentence", (PT, MIX), "caption", "caption"),
    Verb("describe {language}", "several sentences", (PT,), "caption", "describe", (MIX,)),
    Verb("caption {region}", "a sentence about a part", (PT,), "caption", "region"),
    Verb("ocr", "the words in the picture", (PT,), "ocr", reported=(MIX,)),
    Verb("answer {language} {text}", "the answer to a question", (PT, MIX), "ask"),
    Verb("question {language} {text}", "a question with this answer", (PT,), "free"),
    Verb("detect {names}", "boxes", (PT, MIX), "detect"),
    Verb("segment {names}", "boxes and masks", (PT, MIX), "segment"),
    Verb("{text}", "whatever the checkpoint makes of it", (PT, MIX), "free"),
)

CAPTIONS: Wording = {"caption": "caption {language}"}
ANSWERS: Wording = {Task.ask: "answer {language} {text}"}
BARE_QUESTIONS: Wording = {Task.ask: "{text}"}
BARE_PHRASES: Wording = {Task.segment: "{text}"}
FREE: Wording = {Task.free: "{text}"}
TOPICS = {  # what fine-tunes understand
    "cococap coco35l textcaps screen2words scicap docci": CAPTIONS,
    "aokvqa-da aokvqa-mc gqa nlvr2 ocrvqa okvqa rsvqa-hr rsvqa-lr stvqa tallyqa textvqa "
    "vizwizvqa vqav2 infovqa": ANSWERS,
    "docvqa chartqa": BARE_QUESTIONS,
    "refcoco-seg": BARE_PHRASES,
}
FINE_TUNES: Mapping[str, Wording] = {
    f"ft-{topic}": {**wording, **FREE}
    for topics, wording in TOPICS.items()
    for topic in topics.split()
}


def kind_of(name: str, notes: Mapping[str, Any]) -> str:
    """The kind: "pt", "mix", "ft-TASK", or "" where nobody says.

    name: a Hub id or a folder. notes: the folder's gemma_vision.json, whose key "kind" comes first.
    """
    if notes.get("kind"):
        return str(notes["kind"])
    found = NAME.fullmatch(PurePath(name).name.lower())
    return found["kind"] if found else ""


def taught(family: Family, name: str, notes: Mapping[str, Any]) -> Family:
    """The family's row with only what this checkpoint understands.

    Nothing is taken away where the kind is not known: somebody's own fine-tune may do anything.
    Notes may have "tasks" of their own; a style of caption is among them by its name.
    """
    family = of_kind(family, kind_of(name, notes))
    if not notes.get("tasks"):
        return family
    known = {verb: words for verb, words in family.wording.items() if verb in notes["tasks"]}
    return replace(family, wording=known)


def of_kind(family: Family, kind: str) -> Family:
    """The family's row as checkpoints of that kind understand it.

    PALIGEMMA, "ft-refcoco-seg"  ->  segment and free, both in bare words
    """
    if not family.is_one_block:  # Gemma 3 is asked in plain sentences
        return family
    title = f"{family.title} {kind}"
    if kind in FINE_TUNES:
        wording = FINE_TUNES[kind]
        is_bare = Task.segment in wording
        return replace(family, title=title, wording=wording, has_bare_phrases=is_bare)
    if kind not in (PT, MIX):
        return family
    deaf = {verb.style or verb.asked for verb in VERBS if not verb.is_understood_by(kind)}
    wording = {
        verb: words
        for verb, words in family.wording.items()
        if verb not in deaf or verb == Task.free  # which takes any words
    }
    return replace(family, title=title, wording=wording)
