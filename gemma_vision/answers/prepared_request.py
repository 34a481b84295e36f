"""Prepared request: what an engine is asked for a request, and its rows put together again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PIL.Image import Image

from gemma_vision.images.opening import open_image
from gemma_vision.requests.interpretation.names import listed
from gemma_vision.requests.languages import TONGUES
from gemma_vision.requests.options import EXACT, FREE
from gemma_vision.requests.request import Request
from gemma_vision.requests.tasks import Task
from gemma_vision.runtime.choices import ChoiceGrammar
from gemma_vision.runtime.engine import Chunk, Prompt
from gemma_vision.runtime.grammar import SEPARATOR, Grammar
from gemma_vision.runtime.json_grammar import JsonGrammar
from postprocess.tokens import Notice

if TYPE_CHECKING:
    from gemma_vision.requests.family import Family

MAX_LANGUAGES = 5  # that a sentence tells


@dataclass(frozen=True)
class PreparedRequest:
    """A request made ready: its first picture upright, and the engine's prompts.

    There are several where more names are asked for than the checkpoint was taught to look for at
    once; their answers belong together, in this order.
    """

    request: Request
    image: Image
    prompts: tuple[Prompt, ...]
    text: str  # the whole request as one prompt, however many the model is asked
    choices: tuple[str, ...] = ()  # the words that the answer is one of
    notices: tuple[Notice, ...] = ()  # what a person should know beforehand


def prepare(request: Request, family: Family, at_once: int | None) -> PreparedRequest:
    """Open the pictures and write the prompts.

    at_once: the names that go into one prompt at most; None is all of them.
    """
    parts = split_request(request, at_once)
    choices = choices_of(request, family)
    text = family.write_prompt(request)  # what is wrong with words comes first
    texts = [family.write_prompt(part) for part in parts] if len(parts) > 1 else [text]
    images = tuple(open_image(picture) for picture in request.images)
    prompts = tuple(
        Prompt(
            images,
            words,
            request.max_tokens,
            request.temperature,
            request.seed,
            grammar_of(part, family),
            is_verified=request.decoding == EXACT and not choices,
            pan_and_scan=request.pan_and_scan,
            budget=family.budget_of(request),
            thinking=request.thinking,
        )
        for part, words in zip(parts, texts, strict=True)
    )
    notices = tuple(find_doubts(request, family))
    return PreparedRequest(request, images[0], prompts, text, choices, notices)


def find_doubts(request: Request, family: Family) -> Iterator[Notice]:
    """How names and questions were read; a language that the checkpoint was not taught."""
    if request.reading is not None:
        yield from request.reading.notices
    if request.task is Task.ask and family.questions:
        yield from family.questions.find_doubts(request.text)
    code = request.language
    if family.uses_language(request.verb) and code not in family.languages:
        known = listed([TONGUES[one] for one in family.languages], MAX_LANGUAGES)
        said = f"This checkpoint was taught {known}, not {TONGUES[code]}: it may say nothing."
        yield Notice("unknown_language", 0, said)


def split_request(request: Request, at_once: int | None) -> list[Request]:
    """Requests for some of the names each.   cat ; dog ; car, 2  ->  cat ; dog   and   car"""
    names = request.names
    if request.reading is None or at_once is None or len(names) <= at_once:
        return [request]
    parts = [names[start : start + at_once] for start in range(0, len(names), at_once)]
    return [replace(request, reading=replace(request.reading, names=part)) for part in parts]


def choices_of(request: Request, family: Family) -> tuple[str, ...]:
    """The words that the answer is one of; none where it is free."""
    return family.choices if request.task is Task.ask else ()


def grammar_of(request: Request, family: Family) -> Grammar | JsonGrammar | ChoiceGrammar | None:
    """The language that an answer is held to, or found by; None where words are free."""
    if choices := choices_of(request, family):
        return ChoiceGrammar(choices)
    if not request.spec.names_things or request.decoding == FREE:
        return None
    names = tuple(dict.fromkeys(name.lower() for name in request.names))
    if family.answers_in_json(request.task):
        return JsonGrammar(names, has_points=request.task is Task.point)
    if request.task is Task.point:
        return None
    has_masks = request.task is Task.segment
    return Grammar(names, has_masks, is_bare=has_masks and family.has_bare_phrases)


class RowMerger:
    """Chunks of several rows as one answer: the first row as it comes, the others behind it."""

    def __init__(self, count: int) -> None:
        self._waiting: list[deque[Chunk]] = [deque() for _ in range(count)]
        self._current = 0
        self._has_text = False  # whether the answer has words yet
        self._wants_separator = False
        self._is_cut = False  # whether one of the rows was

    def add(self, chunks: Sequence[Chunk | None]) -> Iterator[Chunk]:
        """What one step brought to each row -> what it brings to the answer."""
        for waiting, chunk in zip(self._waiting, chunks, strict=True):
            waiting += () if chunk is None else (chunk,)
        while self._current < len(self._waiting) and self._waiting[self._current]:
            yield from self._merge(self._waiting[self._current].popleft())

    def _merge(self, chunk: Chunk) -> Iterator[Chunk]:
        if chunk.text.strip() and self._wants_separator:
            self._wants_separator = False
            yield Chunk(SEPARATOR)
        if chunk.finish is None:
            yield chunk
            self._has_text |= bool(chunk.text.strip())
            return
        self._has_text |= bool(chunk.text.strip())
        self._wants_separator |= self._has_text
        self._is_cut |= chunk.finish != "stop"
        self._current += 1
        is_last = self._current == len(self._waiting)
        finish = ("length" if self._is_cut else "stop") if is_last else None
        yield replace(chunk, finish=finish)
