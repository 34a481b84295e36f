"""The answer builder: one answer from its first token to its last."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import fields

from gemma_vision.answers.answer import Answer
from gemma_vision.answers.answer_reader import StreamingReader
from gemma_vision.answers.instance_json import Shapes
from gemma_vision.answers.prepared_request import PreparedRequest, RowMerger
from gemma_vision.requests.request import Request
from gemma_vision.runtime.engine import Chunk
from postprocess.filters import Filters
from postprocess.tokens import Notice


class AnswerBuilder:
    """One answer while it grows. `name` is the checkpoint's."""

    def __init__(self, prepared: PreparedRequest, reader: StreamingReader, name: str) -> None:
        self.finish: str | None = None
        self._prepared = prepared
        self._reader = reader
        self._name = name
        self._filters = filters_of(prepared.request)
        self._shapes = Shapes()
        self._timing: dict[str, float] = {}
        self._probabilities: dict[str, float] = {}
        self._began = time.perf_counter()
        self._first = self._last = 0.0  # seconds after the start
        self._merger = RowMerger(len(prepared.prompts))

    def feed_rows(self, chunks: Sequence[Chunk | None]) -> bool:
        """Take in what a step brought to each of the prompts; whether that was anything."""
        is_new = False
        for chunk in self._merger.add(chunks):
            is_new = True
            self.feed(chunk)
            if self.finish:
                break
        return is_new

    def feed(self, chunk: Chunk) -> None:
        """Take in a step's words; a third copy of one record ends the answer."""
        self._last = time.perf_counter() - self._began
        self._first = self._first or self._last
        self._timing |= chunk.timing
        if chunk.scores and not self._probabilities:
            self._probabilities = shares(self._prepared.choices, chunk.text, chunk.scores[0])
        self._reader.feed(chunk)
        if chunk.finish or self._reader.repeated:
            self.finish = chunk.finish or "repeat"
            self._reader.close()

    def end(self) -> None:
        """The engine has no more: an answer without a finish has stopped."""
        if self.finish is None:
            self.finish = "stop"
            self._reader.close()

    def answer(self) -> Answer:
        """The answer as it stands, filtered as the request says."""
        reader = self._reader
        filtered = self._filters.apply(reader.mentions, reader.instances, reader.size)
        return Answer(
            request=self._prepared.request,
            text=reader.text,
            mentions=filtered.mentions,
            instances=filtered.instances,
            partial=None if self.finish else reader.partial,
            finish=self.finish,
            warnings=[
                *self._prepared.notices,
                *reader.notices,
                *filtered.notices,
                *self._cut(len(filtered.mentions)),
            ],
            policy=reader.policy,
            timing=self._measured() | self._timing | {"tokens": reader.tokens},
            model=self._name,
            prompt=self._prepared.text,
            plain=reader.plain,
            thought=reader.thought,
            probabilities=self._probabilities,
            size=reader.size,
            picture=self._prepared.image,
            crops=self._prepared.prompts[0].crops,
            shapes=self._shapes,
        )

    def _cut(self, count: int) -> list[Notice]:
        """Lists of things that the token limit cut are said to be: more may be there."""
        is_list = count > 0 or self._prepared.request.spec.names_things
        if self.finish != "length" or not is_list:
            return []
        kept = "1 object" if count == 1 else f"{count} objects"
        said = f"The answer was cut at the token limit: {kept} kept, and there may be more."
        return [Notice("token_limit", len(self._reader.text), said)]

    def _measured(self) -> dict[str, float]:
        """What can be told from outside: encoding counts as part of the prefill."""
        return {"encode": 0.0, "prefill": self._first, "decode": self._last - self._first}


def shares(choices: Sequence[str], said: str, score: float) -> dict[str, float]:
    """How likely each of two words was, the one that was said and the other; {} where words are
    free."""
    return {word: score if word == said else 1 - score for word in choices}


def filters_of(request: Request) -> Filters:
    """The filters that a request asks for; they are called alike."""
    asked = {one.name: getattr(request, one.name) for one in fields(Filters)}
    return Filters(**asked | {"drop_unasked": asked_names(request)})


def asked_names(request: Request) -> frozenset[str] | None:
    """The names that alone may stay, or None where others may too."""
    return frozenset(request.names) if request.drop_unasked else None
