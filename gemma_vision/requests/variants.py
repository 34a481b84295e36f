"""Variants: what a checkpoint understands beyond its family, as data.

PaliGemma comes in three variants: `pt` (pretrained, to be tuned further), `mix` (tuned on a mixture
of tasks, to be used as it is) and `ft-TASK` (tuned for one task, deaf to most other prompts). The
words of pt and mix are those of Google's page on PaliGemma's prompts, those of ft-TASK the prefixes
in big_vision's configurations of these transfers (configs/proj/paligemma/transfers, all but docci).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath
from string import Formatter
from typing import Any

from gemma_vision.errors import CheckpointError
from gemma_vision.requests.family import Family, Wording
from gemma_vision.requests.interpretation.names import names_of
from gemma_vision.requests.interpretation.questions import questions_of
from gemma_vision.requests.options import STYLES
from gemma_vision.requests.prompts import FAMILIES
from gemma_vision.requests.request import REGION
from gemma_vision.requests.tasks import Task
from gemma_vision.requests.validation import excerpt

PT, MIX = "pt", "mix"
NAMES_PER_PROMPT = {PT: 1, MIX: 10}  # names that one prompt of these was taught
TRANSLATOR = re.compile(r"translategemma", re.IGNORECASE)
FILLED = ("names", "quoted", "language", "tongue", "region", "text")  # in the words of a prompt
# google/paligemma-3b-ft-refcoco-seg-448  ->  ft-refcoco-seg; also twins in other number formats
NAME = re.compile(
    r"paligemma2?-\d+b-(?P<variant>pt|mix|ft-[a-z0-9-]+?)-(224|448|896)(-jax|-keras|-\d+bit)?"
)


@dataclass(frozen=True)
class Verb:
    """One prompt of PaliGemma's language.

    `variants` are the checkpoints that Google's page promises it for; `reported` those where others
    saw it work. `asked` is how to ask for it here.
    """

    wording: str
    gives: str
    variants: tuple[str, ...]
    asked: str
    style: str = ""  # of the captions that it stands for, or "region"
    reported: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its first word."""
        return self.wording.partition(" ")[0]

    @property
    def is_for_pt_alone(self) -> bool:
        """Whether neither the page nor anybody's report promises it for another variant."""
        return self.variants == (PT,) and not self.reported

    def is_understood_by(self, variant: str) -> bool:
        """Whether a checkpoint of that variant is asked in these words."""
        return variant in self.variants + self.reported


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
CHOICES: Wording = {Task.ask: "answer {language}  {text}"}  # two spaces, as they were tuned
BARE_QUESTIONS: Wording = {Task.ask: "{text}"}
BARE_PHRASES: Wording = {Task.segment: "{text}"}
FREE: Wording = {Task.free: "{text}"}


@dataclass(frozen=True)
class FineTune:
    """One published ft-TASK: what it does, in which words, and what to write beyond the plain."""

    does: str
    wording: Wording
    hint: str = ""

    @property
    def prompts(self) -> Wording:
        """What it is asked in; `free` says anything to it."""
        return {**self.wording, **FREE}


CHOOSE = "end the question with `choose from:` and the choices, a tab between two"
FINE_TUNES: Mapping[str, FineTune] = {
    "ft-cococap": FineTune("captions of photos", CAPTIONS),
    "ft-coco35l": FineTune("captions of photos in 35 languages", CAPTIONS),
    "ft-textcaps": FineTune("captions that read the text in photos", CAPTIONS),
    "ft-scicap": FineTune("captions of figures in papers", CAPTIONS),
    "ft-screen2words": FineTune("captions of app screens", CAPTIONS),
    "ft-widgetcap": FineTune(
        "captions of one widget of an app screen", CAPTIONS, "draw a box around it in the picture"
    ),
    "ft-docci": FineTune("long, detailed captions", CAPTIONS),
    "ft-vqav2": FineTune("short answers about photos", ANSWERS),
    "ft-gqa": FineTune("short answers about things and how they relate", ANSWERS),
    "ft-okvqa": FineTune("short answers that need knowledge", ANSWERS),
    "ft-aokvqa-da": FineTune("short answers that need knowledge", ANSWERS),
    "ft-aokvqa-mc": FineTune("a choice that needs knowledge", CHOICES, CHOOSE),
    "ft-vizwizvqa": FineTune("answers to questions of blind people", ANSWERS),
    "ft-tallyqa": FineTune("counts", ANSWERS, "ask: how many ...?"),
    "ft-nlvr2": FineTune(
        "whether a sentence is true of two pictures", ANSWERS, "two pictures, a sentence"
    ),
    "ft-rsvqa-hr": FineTune("answers about aerial pictures", ANSWERS),
    "ft-rsvqa-lr": FineTune("answers about satellite pictures", ANSWERS),
    "ft-textvqa": FineTune("answers from the text in photos", ANSWERS),
    "ft-stvqa": FineTune("answers from the text in scenes", ANSWERS),
    "ft-ocrvqa": FineTune("answers about book covers", ANSWERS),
    "ft-infovqa": FineTune("answers about infographics", ANSWERS),
    "ft-docvqa": FineTune("answers about scanned documents", BARE_QUESTIONS),
    "ft-chartqa": FineTune("answers about charts", BARE_QUESTIONS),
    "ft-ai2d": FineTune("a choice about a diagram", CHOICES, CHOOSE),
    "ft-science-qa": FineTune(
        "a choice in a school question",
        BARE_QUESTIONS,
        "four lines: `Question: ...`, `Context: ...`, `Options: (A) ... (B) ...`, `Answer:`",
    ),
    "ft-refcoco-seg": FineTune("box and mask of what a phrase means", BARE_PHRASES, "one phrase"),
}


def variant_of(name: str, notes: Mapping[str, Any]) -> str:
    """The variant: "pt", "mix", "ft-TASK", or "" where nobody says.

    name: a Hub id or a folder. notes: the folder's gemma_vision.json, whose key "kind" comes first.
    """
    if notes.get("kind"):
        return str(notes["kind"])
    found = NAME.fullmatch(PurePath(name).name.lower())
    return found["variant"] if found else ""


def limit_to(family: Family, name: str, notes: Mapping[str, Any]) -> Family:
    """The family's row with only what this checkpoint understands.

    Nothing is taken away where the variant is not known: somebody's own fine-tune may do anything.
    Notes may have "tasks" of their own; a style of caption is among them by its name. So may they
    have "languages", by their codes, "questions", by their kinds, and "prompts": the words that a
    task is asked in, by its name, which may be a task that the family was never taught, such as
    boxes of a Gemma 3.
    """
    family = add_prompts(apply_variant(family, variant_of(name, notes)), notes)
    if languages := tuple(code for code in family.languages if code in notes.get("languages", ())):
        family = replace(family, languages=languages)
    if questions := questions_of(notes.get("questions", ()), names_of(notes)):
        family = replace(family, questions=questions)
    if TRANSLATOR.search(name):  # asked by a template of its own; a person's own words go through
        family = replace(family, wording=FREE)
    if not notes.get("tasks"):
        return family
    known = {verb: words for verb, words in family.wording.items() if verb in notes["tasks"]}
    return replace(family, wording=known)


def add_prompts(family: Family, notes: Mapping[str, Any]) -> Family:
    """The family's row with the prompts that a checkpoint's notes add or put in others' place.

    {"prompts": {"detect": "detect {names}"}}; CheckpointError for words that ask for nothing
    known.
    """
    added = notes.get("prompts") or {}
    known = {*Task, *STYLES, REGION}
    if not isinstance(added, Mapping) or not all(
        verb in known and isinstance(words, str) and fills(words) for verb, words in added.items()
    ):
        message = (
            f'The notes of this checkpoint have {excerpt(added)} as "prompts"; wanted are words by '
            f"task, in which {{{'}, {'.join(FILLED)}}} are filled in."
        )
        raise CheckpointError(message)
    return replace(family, wording={**family.wording, **added}) if added else family


def fills(words: str) -> bool:
    """Whether a wording has no other places to be filled in than those that are known."""
    try:
        places = [field for _, field, _, _ in Formatter().parse(words) if field is not None]
    except ValueError:
        return False
    return all(place in FILLED for place in places)


def apply_variant(family: Family, variant: str) -> Family:
    """The family's row as checkpoints of that variant understand it.

    PALIGEMMA, "ft-refcoco-seg"  ->  segment and free, both in bare words
    """
    if not family.has_variants:
        return family
    title = f"{family.title} {variant}"
    if variant in FINE_TUNES:
        wording = FINE_TUNES[variant].prompts
        is_bare = Task.segment in wording
        return replace(
            family, title=title, variant=variant, wording=wording, has_bare_phrases=is_bare
        )
    if variant not in (PT, MIX):
        return family
    deaf = {verb.style or verb.asked for verb in VERBS if not verb.is_understood_by(variant)}
    wording = {
        verb: words
        for verb, words in family.wording.items()
        if verb not in deaf or verb == Task.free  # which takes any words
    }
    count = NAMES_PER_PROMPT[variant]
    return replace(family, title=title, variant=variant, wording=wording, names_per_prompt=count)


def known_prompts(family: Family) -> tuple[Verb, ...]:
    """The prompts worth a try in a person's own words (`free`), those for pt alone among them.

    None where the family is asked in plain sentences or the checkpoint has one task.
    """
    if not family.has_variants or family.variant in FINE_TUNES:
        return ()
    writable = [verb for verb in VERBS if verb.style != REGION and verb.wording != "{text}"]
    if family.variant or family.wording == FAMILIES[family.name].wording:
        return tuple(writable)
    return tuple(verb for verb in writable if (verb.style or verb.asked) in limited_wording(family))


def limited_wording(family: Family) -> set[str]:
    """The tasks and styles that a checkpoint with a list of its own was taught."""
    return set(family.wording) - {Task.free}
