"""The answer builder: one answer from its first token to its last."""

from __future__ import annotations

import time
from dataclasses import dataclass

from PIL.Image import Image

from gemma_vision.answers.answer import Answer, Shapes
from gemma_vision.answers.answer_reader import StreamingReader
from gemma_vision.requests.request import NEEDS_NAMES, Request
from gemma_vision.runtime.engine import Chunk, Prompt
from postprocess.filters import Filters
from postprocess.tokens import Notice


@dataclass(frozen=True)
class Job:
    """A request made ready: its first picture upright, and the engine's prompt."""

    request: Request
    image: Image
    prompt: Prompt


class AnswerBuilder:
    """One answer while it grows. `name` is the checkpoint's."""

    def __init__(self, job: Job, reading: StreamingReader, name: str) -> None:
        self.finish: str | None = None
        self._job = job
        self._reading = reading
        self._name = name
        self._hygiene = filters_of(job.request)
        self._shapes = Shapes()
        self._timing: dict[str, float] = {}
        self._began = time.perf_counter()
        self._first = self._last = 0.0  # seconds after the start

    def feed(self, chunk: Chunk) -> None:
        """Take in a step's words; a third copy of one record ends the answer."""
        self._last = time.perf_counter() - self._began
        self._first = self._first or self._last
        self._timing |= chunk.timing
        self._reading.feed(chunk)
        if chunk.finish or self._reading.repeated:
            self.finish = chunk.finish or "repeat"
            self._reading.close()

    def end(self) -> None:
        """The engine has no more: an answer without a finish has stopped."""
        if self.finish is None:
            self.finish = "stop"
            self._reading.close()

    def answer(self) -> Answer:
        """The answer as it stands, filtered as the request says."""
        reading = self._reading
        filtered = self._hygiene.apply(reading.mentions, reading.instances, reading.size)
        return Answer(
            request=self._job.request,
            text=reading.text,
            mentions=filtered.mentions,
            instances=filtered.instances,
            partial=None if self.finish else reading.partial,
            finish=self.finish,
            warnings=[*reading.notices, *filtered.notices, *self._cut(len(filtered.mentions))],
            policy=reading.policy,
            timing=self._measured() | self._timing | {"tokens": reading.tokens},
            model=self._name,
            prompt=self._job.prompt.text,
            plain=reading.plain,
            image=self._job.image,
            crops=self._job.prompt.crops,
            shapes=self._shapes,
        )

    def _cut(self, count: int) -> list[Notice]:
        """Lists of things that the token limit cut are said to be: more may be there."""
        is_list = count > 0 or self._job.request.task in NEEDS_NAMES
        if self.finish != "length" or not is_list:
            return []
        kept = "1 object" if count == 1 else f"{count} objects"
        said = f"The answer was cut at the token limit: {kept} kept, and there may be more."
        return [Notice("token_limit", len(self._reading.text), said)]

    def _measured(self) -> dict[str, float]:
        """What can be told from outside: encoding counts as part of the prefill."""
        return {"encode": 0.0, "prefill": self._first, "decode": self._last - self._first}


def filters_of(request: Request) -> Filters:
    """The rules that a request asks for."""
    return Filters(
        drop_repeats=request.drop_repeats,
        max_overlap=request.max_overlap,
        drop_full_frame=request.drop_full_frame,
        min_score=request.min_score,
        drop_unasked=frozenset(request.names) if request.drop_unasked else None,
    )
