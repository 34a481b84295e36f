"""Options: what a request may say beyond picture, task and words, a row each.

`Options` is inherited by `Request`, so that a row is its field, its type and its default at once.
Endpoints, MCP tools, commands, forms and tables are made from the rows, as `Option` reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TypedDict, get_type_hints

from gemma_vision.requests.languages import TONGUES
from gemma_vision.requests.option import Option, read_row, row
from gemma_vision.requests.tasks import PARSE, Task

MAX_TOKENS = 4096
MAX_NAMES = 100
MAX_TEMPERATURE = 2.0
MAX_SEED = 2**63 - 1
LANGUAGES, LANGUAGE_NAMES = tuple(TONGUES), tuple(TONGUES.values())
BUDGETS = (70, 140, 280, 560, 1120)  # soft tokens of a picture that Gemma 4 was trained with
MAX_THINKING = 8192
STYLES = ("cap", "caption", "describe")  # a few words, a sentence, several sentences

# Plain greedy decoding; the same tokens found sooner; nothing but records of the names asked for.
FREE, EXACT, STRICT = "free", "exact", "strict"
DECODINGS = (EXACT, STRICT, FREE)

EVERY = frozenset(Task)
SPOKEN = frozenset({Task.caption, Task.ask})
WORDED = frozenset({Task.caption, Task.ask, Task.ocr, Task.free, Task.chat})
NAMING = frozenset({Task.detect, Task.segment, Task.point})
# Where an answer may hold records: what finds things, and whatever a person's own words bring.
RECORDED = NAMING | {Task.ask, Task.free, Task.chat}


@dataclass(frozen=True, kw_only=True)
class Options:
    """What every request may say, by name.

    Five of them filter what was found, each leaving a warning for what it removes: exact copies,
    the less sure of two boxes of one name that overlap more than an IoU, boxes of the whole
    picture, things below a score, and (of detect and segment) things under a name that was not
    asked for.
    """

    language: str = field(
        default="en",
        metadata=row(
            'Language of the answer, for example "en" or "ja".',
            SPOKEN,
            choices=LANGUAGES,
            names=LANGUAGE_NAMES,
            metavar="CODE",
            first=True,
        ),
    )
    max_tokens: int = field(
        default=256,
        metadata=row("Longest answer, in tokens{writes}.", EVERY, low=1, high=MAX_TOKENS, step=16),
    )
    temperature: float = field(
        default=0.0,  # takes the likeliest token every time
        metadata=row(
            "0 takes the likeliest token every time, up to 2 is more varied.",
            EVERY,
            low=0.0,
            high=MAX_TEMPERATURE,
            step=0.05,
            late={Task.ocr},
        ),
    )
    seed: int = field(
        default=0,
        metadata=row(
            "Makes a temperature above 0 repeatable.",
            EVERY,
            low=0,
            high=MAX_SEED,
            late={Task.ocr},
        ),
    )
    pan_and_scan: bool = field(
        default=False,
        metadata=row(
            "Look at crops of a long picture too, where the checkpoint can (Gemma 3); "
            '"crops" in the answer tells the rectangles.',
            WORDED,
        ),
    )
    drop_repeats: bool = field(
        default=False,
        metadata=row("Leave out exact copies of an earlier record.", RECORDED | {PARSE}),
    )
    max_overlap: float | None = field(
        default=None,
        metadata=row(
            "Of boxes of one name that overlap more than this (IoU, 0 to 1), leave out all but the "
            "surest; null keeps them all.",
            RECORDED | {PARSE},
            low=0.0,
            high=1.0,
            step=0.05,
            metavar="IOU",
        ),
    )
    drop_full_frame: bool = field(
        default=False,
        metadata=row("Leave out boxes of nearly the whole picture.", RECORDED | {PARSE}),
    )
    min_score: float | None = field(
        default=None,
        metadata=row(
            "Leave out what is less sure than this, 0 to 1; null keeps all.",
            RECORDED | {PARSE},
            low=0.0,
            high=1.0,
            step=0.05,
            metavar="SCORE",
        ),
    )
    drop_unasked: bool | None = field(
        default=None,
        metadata=row(
            "Leave out things under a name that was not asked for; null does where the checkpoint "
            "lists its names.",
            NAMING,
        ),
    )
    decoding: str | None = field(
        default=None,
        metadata=row(
            'How the answer is decoded: "exact" (the model\'s own words, found sooner), '
            '"strict" (nothing but whole records of the names asked for) or "free" (word by word); '
            "null is what the checkpoint's notes say, and else exact.",
            NAMING,
            choices=DECODINGS,
        ),
    )
    names_per_prompt: int | None = field(
        default=None,
        metadata=row(
            "Names that the model is asked for at once; more are asked side by side, and answered "
            "in their order. Null is what the checkpoint was taught.",
            NAMING,
            low=1,
            high=MAX_NAMES,
            step=1,
        ),
    )
    style: str = field(
        default="caption",
        metadata=row(
            'How long: "cap" (a few words, pt checkpoints only), "caption" (a sentence) or '
            '"describe" (several).',
            {Task.caption},
            choices=STYLES,
        ),
    )
    region: tuple[float, ...] | None = field(
        default=None,
        metadata=row(
            "Only this part of the picture: x0, y0, x1, y1 as shares of its width and height, 0 to "
            "1 (pt checkpoints only); null is the whole.",
            {Task.caption},
            metavar="X0,Y0,X1,Y1",
        ),
    )
    budget: int | None = field(
        default=None,
        metadata=row(
            "How many tokens a picture may become, where the checkpoint lets one choose (Gemma 4); "
            "more for small things and small print, fewer for speed. Null is 560 to find things "
            "and 280 for words.",
            EVERY,
            choices=BUDGETS,
            low=BUDGETS[0],
            high=BUDGETS[-1],
            metavar="N",
            late=EVERY,
        ),
    )
    thinking: int = field(
        default=0,
        metadata=row(
            "How many tokens the model may think for before it answers, where it can (Gemma 4); "
            "thoughts are told apart and count as no answer.",
            EVERY,
            low=0,
            high=MAX_THINKING,
            step=64,
            late=EVERY,
        ),
    )


_HINTS = get_type_hints(Options)
OPTIONS: Mapping[str, Option] = {
    one.name: read_row(one, _HINTS[one.name]) for one in fields(Options)
}


def options_of(task: str) -> list[Option]:
    """The options of a task (or of "parse"), in the order in which its doors have them."""
    offered = [option for option in OPTIONS.values() if task in option.tasks]
    return sorted(offered, key=lambda option: (not option.first, task in option.late))


# The options of each task as type checkers read them; a test holds these types against the rows.


class RequestOptions(TypedDict, total=False):
    """Of every task."""

    max_tokens: int
    temperature: float
    seed: int
    budget: int | None
    thinking: int


class FilterOptions(TypedDict, total=False):
    """Of every task whose answer may hold things, and of `read`."""

    drop_repeats: bool
    max_overlap: float | None
    drop_full_frame: bool
    min_score: float | None


class WordOptions(RequestOptions, total=False):
    """Of the tasks that answer in words; ocr has no others."""

    pan_and_scan: bool


class FindOptions(RequestOptions, FilterOptions, total=False):
    """Of detect and segment."""

    drop_unasked: bool | None
    decoding: str | None
    names_per_prompt: int | None


class CaptionOptions(WordOptions, total=False):
    """Of caption, whose language is a parameter of its own."""

    style: str
    region: tuple[float, ...] | None


class FreeOptions(WordOptions, FilterOptions, total=False):
    """Of free and chat."""


class AskOptions(FreeOptions, total=False):
    """Of ask."""

    language: str
