"""Tasks: what can be done with a picture, a row each. Every door offers what stands here.

The methods of `Pipeline`, the commands, the endpoints, the MCP tools and the forms of the page are
made from these rows or call them by the same words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gemma_vision.requests.validation import TaskError, excerpt


class Task(StrEnum):
    """What to do with a picture; the same word is the method, the verb and the endpoint."""

    detect = "detect"
    segment = "segment"
    point = "point"
    caption = "caption"
    ask = "ask"
    ocr = "ocr"
    free = "free"
    chat = "chat"


PARSE = "parse"  # an answer that is read without a model: no task, but it has options


@dataclass(frozen=True)
class Words:
    """The text that a task takes: what an endpoint calls it, what it is, how a command names it."""

    name: str
    about: str
    usage: str


@dataclass(frozen=True)
class TaskSpec:
    """One task.

    about: what an endpoint does, a sentence or two. command: the same for a list of commands.
    words: the text it takes; None where it takes none. names_things: those words are names of
    things, and one picture is looked at. gives: where the result stands in the answer's JSON.
    writes: what a result takes of an answer's tokens, for people. tokens_per_record: the same as a
    number, None where results are not counted. is_in_words: a result is words alone, never things.
    is_conversation: it has a tab of its own, and no form and no endpoint.
    """

    name: Task
    about: str
    command: str
    gives: str
    words: Words | None = None
    names_things: bool = False
    writes: str = ""
    tokens_per_record: int | None = None
    is_in_words: bool = False
    is_conversation: bool = False


THINGS = '"instances" of the JSON has each thing with "label", "box" and "score"'
MASKS = '"mask" (COCO run-lengths) and "polygons"'
PLAIN = '"plain" of the JSON has the words'
PARSE_GIVES = f"{THINGS}, and where there are codes {MASKS}."

TASKS: Mapping[str, TaskSpec] = {
    row.name: row
    for row in (
        TaskSpec(
            Task.detect,
            "Find things in a picture: a box around everything that is named.",
            "find things: a box around each",
            f"{THINGS}.",
            Words(
                "text",
                'What to find, names with a semicolon between them, for example "cat ; dog".',
                "the things to find, separated by ; or ,",
            ),
            names_things=True,
            writes="a box takes about 7",
            tokens_per_record=7,  # 4 positions, a name, its space, a separator
        ),
        TaskSpec(
            Task.segment,
            "Cut things out of a picture: a box and a mask of everything that is named.",
            "outline things: a box and a mask for each",
            f"{THINGS}, {MASKS}.",
            Words(
                "text",
                'What to cut out, names with a semicolon between them, for example "cat ; dog".',
                "the things to outline, separated by ; or ,",
            ),
            names_things=True,
            writes="a mask takes about 23",
            tokens_per_record=23,  # a box and 16 codes
        ),
        TaskSpec(
            Task.point,
            "Point at things in a picture: a place in everything that is named.",
            "point at things: a place in each",
            '"instances" of the JSON has each thing with "label" and "point".',
            Words(
                "text",
                'What to point at, names with a semicolon between them, for example "cat ; dog".',
                "the things to point at, separated by ; or ,",
            ),
            names_things=True,
        ),
        TaskSpec(
            Task.caption,
            "Describe a picture in a sentence.",
            "describe pictures in a sentence",
            f"{PLAIN}.",
            is_in_words=True,
        ),
        TaskSpec(
            Task.ask,
            "Answer a question about a picture.",
            "answer a question about pictures",
            f"{PLAIN}.",
            Words("question", "The question.", "the question"),
            is_in_words=True,
        ),
        TaskSpec(
            Task.ocr,
            "Read the words that are written in a picture.",
            "read the words in pictures",
            f"{PLAIN}.",
            is_in_words=True,
        ),
        TaskSpec(
            Task.free,
            "Give the model a prompt of your own, word for word.",
            "give the model a prompt of your own",
            f"{PLAIN}, {THINGS}.",
            Words(
                "prompt",
                'The prompt, for example "detect cat".',
                "the prompt, given to the model as it is",
            ),
        ),
        TaskSpec(
            Task.chat,
            "Say something in a conversation about pictures.",
            "talk about pictures (Gemma 3 and 4)",
            f"{PLAIN}.",
            Words("message", "The newest message.", "the message"),
            is_in_words=True,
            is_conversation=True,
        ),
    )
}
FORM_TASKS = tuple(row.name for row in TASKS.values() if not row.is_conversation)


def as_task(task: str) -> Task:
    """The task of that name; `TaskError` names the tasks there are."""
    try:
        return Task(task)
    except ValueError:
        known = ", ".join(Task)
        raise TaskError(f"{excerpt(task)} is no task; take one of {known}.", "E_TASK") from None
