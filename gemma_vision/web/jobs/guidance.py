"""Guidance: what stands under an answer when a person needs more than the answer.

Why nothing was found, what may have been meant, what was left out, what can be tried next. It goes
by what was asked and what was found alone. The page has the sentences, by key, in each language.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gemma_vision.requests.interpretation.questions import QuestionSet
from gemma_vision.requests.tasks import Task
from gemma_vision.web.jobs.asked import Asked

JSON = dict[str, Any]

MAX_TOKENS = 1024  # as far as the form's slider goes
VARIED = 0.5  # a temperature at which a model seldom repeats itself
MAX_CHIPS = 32
MAX_QUOTED, MAX_LETTERS = 8, 60  # names in a sentence, and letters of each
USUAL = ("how_many", "is_there")  # questions for a model that lists names and no questions
NOTHING = "nothing"  # how the demo model begins where it saw nothing that it knows
# The best score of 1 in 40 drawn scenes is below it, and 19 in 20 scores of things in photographs.
UNSURE = 0.4


@dataclass(frozen=True)
class GuidanceLine:
    """A line on the page.

    say: the key of its sentence, and the `values` in it. chips: (what stands on it, the words that
    it asks) for each. action: what its button does, under the text of that key: "models",
    "show_left_out", or a wish with `ask`, the fields that are other than before.
    """

    say: str
    values: Mapping[str, Any] = field(default_factory=dict)
    chips: Sequence[tuple[str, str]] = ()
    action: str = ""
    ask: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self, task: str) -> JSON:
        """As the page's script takes it."""
        chips = [
            {"label": label, "ask": {"task": task, "text": text}}
            for label, text in self.chips[:MAX_CHIPS]
        ]
        return {
            "say": self.say,
            "values": dict(self.values),
            "chips": chips,
            "more": len(self.chips) - len(chips),  # that the line has no room for
            "action": self.action,
            "ask": dict(self.ask),
        }


def guide(asked: Asked, answer: Mapping[str, Any] | None, left_out: Sequence[str] = ()) -> JSON:
    """{"is_empty", "lines"} of an answer that is over; answer: its JSON, with what is shown of it.

    left_out: the labels of things that are not shown. There is no answer where the model was not
    asked, for it knows none of the names.
    """
    is_empty = is_blank(asked, answer)
    why = empty_lines if is_empty else ending_lines
    unknown = bool(asked.reading and asked.reading.unknown)
    lines = [
        *(why(asked, answer, left_out) if answer is not None else ()),
        *unknown_lines(asked),
        *(name_lines(asked) if unknown or (is_empty and asks_for_things(asked)) else ()),
        *left_out_lines(left_out),
        *read_lines(asked),
    ]
    return {"is_empty": is_empty, "lines": [line.to_json(asked.task) for line in lines]}


def asks_for_things(asked: Asked) -> bool:
    """Whether a model was asked for things by their names."""
    return asked.names_things and not asked.is_parsed


def is_blank(asked: Asked, answer: Mapping[str, Any] | None) -> bool:
    """Whether nothing came of what was asked: no thing, or no word."""
    if answer is None:
        return True
    words = "" if asked.names_things else answer.get("plain", "").strip()
    may_say_nothing = not asked.is_demo or not (asked.is_untaught or asked.is_caption)
    has_words = words and (may_say_nothing or not words.startswith(NOTHING))
    return not answer.get("instances") and not has_words


def unknown_lines(asked: Asked) -> Iterator[GuidanceLine]:
    """What the checkpoint does not know, and what may have been meant."""
    reading = asked.reading
    if reading is None or not reading.unknown:
        return
    yield GuidanceLine("unknown", {"model": asked.model, "words": quoted(reading.unknown)})
    meant = dict.fromkeys(name for _, names in reading.alternatives for name in names)
    if meant:
        chips = [(name, " ; ".join((*reading.names, name))) for name in meant]
        yield GuidanceLine("did_you_mean", chips=chips)


def empty_lines(
    asked: Asked, answer: Mapping[str, Any], left_out: Sequence[str]
) -> Iterator[GuidanceLine]:
    """Why nothing is there, and what can be asked instead."""
    if asked.is_parsed:
        yield GuidanceLine("nothing_pasted", action="paste_example", ask={"index": 0})
    elif answer.get("finish") == "length":
        yield from cut_lines(asked, "cut_empty")
    elif not asked.names_things:
        yield from blank_lines(asked)
    else:
        words = quoted(asked.reading.names if asked.reading else ())
        say = nothing_found(asked, is_other=bool(left_out))
        yield GuidanceLine(say, {"model": asked.model, "words": words})
        if not asked.names and Task.caption in asked.tasks:
            yield GuidanceLine("", action="describe", ask={"task": Task.caption, "text": ""})


def nothing_found(asked: Asked, *, is_other: bool) -> str:
    """The key of the sentence for names of which nothing was found; is_other: other things were."""
    if is_other:
        return "nothing_other"
    if asked.is_demo:
        return "nothing_demo"
    return "nothing_listed" if asked.names else "nothing_open"


def blank_lines(asked: Asked) -> Iterator[GuidanceLine]:
    """No word came; a model that lists its names is asked about those."""
    if asked.task == Task.ask and asked.names:
        yield from lesson_lines(asked)
        return
    if asked.task == Task.free and asked.prompts:
        yield from blank_prompt_lines(asked, asked.prompts.read(asked.question))
        return
    say = f"blank_{asked.task}"
    if asked.is_demo and asked.task == Task.caption:
        say = "blank_caption_demo"
    yield GuidanceLine(say, {"model": asked.model}, action="models")
    if asked.temperature < VARIED:
        yield GuidanceLine("", action="vary", ask={"temperature": VARIED})


def blank_prompt_lines(asked: Asked, names: Sequence[str] | None) -> Iterator[GuidanceLine]:
    """Nothing came of a prompt. names: those it asks for; None where it is none that was taught."""
    if names is None:
        yield from lesson_lines(asked)
        return
    say = "nothing_demo" if names else "blank_caption_demo"
    yield GuidanceLine(say, {"model": asked.model, "words": quoted(names)}, (), "models")


def lesson_lines(asked: Asked) -> Iterator[GuidanceLine]:
    """What a question is about that is not known; the questions or prompts that were taught."""
    if about := asked.unknown_thing:
        yield GuidanceLine("unknown", {"model": asked.model, "words": shortened(about)})
    usual = QuestionSet(USUAL, tuple(asked.names))
    taught = asked.prompts if asked.task == Task.free else asked.questions or usual
    asks = taught.examples if taught else []
    say = f"untaught_{asked.task}" if asked.is_untaught else "blank_ask_listed"
    yield GuidanceLine(say, {"model": asked.model}, [(one, one) for one in asks], "models")


def doubtful_lines(asked: Asked, answer: Mapping[str, Any]) -> Iterator[GuidanceLine]:
    """What was answered to something that the model was not made for."""
    if asked.is_untaught:
        yield from lesson_lines(asked)
    if not asked.is_demo:
        return
    scores = [thing.get("score") for thing in answer.get("instances", ())]
    if scores and all(score is not None and score < UNSURE for score in scores):
        yield GuidanceLine("unsure_demo", {"model": asked.model}, action="models")


def name_lines(asked: Asked) -> Iterator[GuidanceLine]:
    """The names there are to ask for besides those asked, and the way to another checkpoint."""
    read = asked.reading.names if asked.reading else ()
    chips = [(name, name) for name in asked.names if name not in read]
    yield GuidanceLine("knows" if chips else "", {"model": asked.model}, chips, "models")


def ending_lines(
    asked: Asked, answer: Mapping[str, Any], left_out: Sequence[str]
) -> Iterator[GuidanceLine]:
    """An answer that ended before it was whole, and what may help."""
    if asked.is_parsed:
        return
    yield from doubtful_lines(asked, answer)
    is_list = bool(answer.get("instances") or left_out)
    if answer.get("finish") == "length":
        yield from cut_lines(asked, "cut_list" if is_list else "cut_words")
    if answer.get("finish") == "repeat":
        if is_list:
            yield GuidanceLine(
                "repeated_list", action="drop_copies", ask={"leave_out": ["drop_repeats"]}
            )
        elif asked.temperature < VARIED:
            yield GuidanceLine("repeated_words", action="vary", ask={"temperature": VARIED})


def cut_lines(asked: Asked, say: str) -> Iterator[GuidanceLine]:
    """The limit was reached; twice as many tokens are asked for, as far as the form goes."""
    more = min(2 * asked.limit, MAX_TOKENS)
    is_more = more > asked.limit
    ask = {"max_tokens": more} if is_more else {}
    yield GuidanceLine(
        say, {"limit": asked.limit, "more": more}, (), "more_tokens" if is_more else "", ask
    )


def left_out_lines(labels: Sequence[str]) -> Iterator[GuidanceLine]:
    """What was found and not asked for."""
    if labels:
        words = quoted(list(dict.fromkeys(label or "?" for label in labels)))
        yield GuidanceLine("left_out", {"words": words}, action="show_left_out")


def read_lines(asked: Asked) -> Iterator[GuidanceLine]:
    """Words that were read as others."""
    for written, name in asked.corrections:
        yield GuidanceLine("read_as", {"written": shortened(written), "name": name})


def quoted(words: Sequence[str]) -> str:
    """Words as a sentence names them: long ones are cut, and of many only the first are there."""
    more = ["…"] if len(words) > MAX_QUOTED else []
    return ", ".join([*map(shortened, words[:MAX_QUOTED]), *more])


def shortened(text: str) -> str:
    """A person's own words in a sentence, cut where they would be longer than it."""
    return text if len(text) <= MAX_LETTERS else f"{text[:MAX_LETTERS].rstrip()}…"
