"""Pipeline: a request in, an answer out that grows while it is decoded.

Walks the path of one upload: open the picture, write the prompt, run the engine, read the answer.
Knows nothing of tensors, threads or user interfaces.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Unpack

from gemma_vision.answers.answer import Answer
from gemma_vision.answers.answer_builder import AnswerBuilder
from gemma_vision.answers.answer_reader import StreamingReader
from gemma_vision.answers.mask_source import MaskSource
from gemma_vision.answers.prepared_request import PreparedRequest, prepare
from gemma_vision.checkpoints.lazy_mask_decoder import lazy_decoder
from gemma_vision.images.opening import Picture
from gemma_vision.requests.interpretation.names import Names, as_text, names_of, read_names
from gemma_vision.requests.options import EXACT
from gemma_vision.requests.request import Request, Turn, as_requests, as_turns
from gemma_vision.requests.tasks import Task
from gemma_vision.requests.validation import TaskError, excerpt, is_whole
from gemma_vision.runtime.engine import Engine, close
from postprocess.coordinate_conventions import find_convention

if TYPE_CHECKING:
    from gemma_vision.requests.family import Family
    from gemma_vision.requests.options import (
        AskOptions,
        CaptionOptions,
        FindOptions,
        FreeOptions,
        WordOptions,
    )
    from postprocess.instances import CodesToMask

BATCH = 8  # prompts decoded side by side; more wins little on a CPU and costs memory


class Pipeline:
    """Sees with one checkpoint. `gemma_vision.load` makes one.

    decoder: the MaskDecoder of the checkpoint's codes, its name or path (opened at the first
    code), or None for boxes only; as an attribute it opens itself. policy: how units become
    pixels, "space" or "bigvision".
    tasks: what the checkpoint was taught, where that is less than its family. card: what else
    `describe` tells, such as the licence and the names that the checkpoint knows. name is what
    everybody is told of it, source what it was loaded by. masks: another pipeline, whose checkpoint
    outlines what this one finds, where this one writes no masks.
    """

    def __init__(
        self,
        engine: Engine,
        family: Family,
        *,
        decoder: CodesToMask | str | None = None,
        policy: str = "space",
        name: str | None = None,
        source: str | None = None,
        tasks: Sequence[str] | None = None,
        card: Mapping[str, Any] | None = None,
        masks: Pipeline | None = None,
    ) -> None:
        self.engine = engine
        self.family = family
        self.decoder = lazy_decoder(decoder)
        self.policy = find_convention(policy).name  # an unknown one ends here, in words
        self.name = name or engine.name
        self.source = source or self.name
        known = family.tasks if tasks is None else [Task(task) for task in tasks]
        self.tasks = tuple(task for task in family.tasks if task in known)
        self.card = dict(card or {})
        self.mask_source = None
        if masks and Task.detect in self.tasks and Task.segment not in self.tasks:
            self.mask_source = masks.as_mask_source()
            self.tasks = tuple(task for task in Task if task in (*self.tasks, Task.segment))

    def __repr__(self) -> str:
        """Pipeline(tiny: detect, segment, caption, ask)"""
        return f"Pipeline({self.name}: {', '.join(self.tasks)})"

    def stream(self, request: Request) -> Iterator[Answer]:
        """The answer again and again while it grows; the last one has a `finish`.

        A request that cannot work raises here, before anything is computed. Closing the
        iterator cancels the work.
        """
        (request,) = as_requests([request])
        if self._is_outlined_elsewhere(request):
            return self._outline(request)
        return self._grow(self._prepare(request))

    def run(self, request: Request) -> Answer:
        """The whole answer."""
        return self.batch([request])[0]

    def batch(self, requests: Iterable[Request], *, size: int = BATCH) -> list[Answer]:
        """One whole answer per request, in their order, up to `size` of them decoded together."""
        if not is_whole(size) or size < 1:
            message = f"size is {excerpt(size)}; give a whole number of requests, 1 or more."
            raise TaskError(message, "E_BATCH_SIZE")
        requests = as_requests(requests)
        if any(map(self._is_outlined_elsewhere, requests)):
            return [list(self.stream(request))[-1] for request in requests]
        groups = (requests[start : start + size] for start in range(0, len(requests), size))
        return [one for group in groups for one in self._finish([*map(self._prepare, group)])]

    def detect(self, image: Picture, text: Names, **options: Unpack[FindOptions]) -> Answer:
        """A box around every thing named in `text`, for example "cat ; dog" or ["cat", "dog"]."""
        return self.run(Request(image, Task.detect, as_text(text), **options))

    def segment(self, image: Picture, text: Names, **options: Unpack[FindOptions]) -> Answer:
        """A box and a mask of every thing named in `text`."""
        return self.run(Request(image, Task.segment, as_text(text), **options))

    def point(self, image: Picture, text: Names, **options: Unpack[FindOptions]) -> Answer:
        """A place in every thing named in `text`, where the checkpoint can point."""
        return self.run(Request(image, Task.point, as_text(text), **options))

    def caption(
        self,
        image: Picture | tuple[Picture, ...],
        language: str = "en",
        **options: Unpack[CaptionOptions],
    ) -> Answer:
        """A sentence about the picture in a language ("en", "ja", ...)."""
        return self.run(Request(image, Task.caption, language=language, **options))

    def ask(
        self, image: Picture | tuple[Picture, ...], question: str, **options: Unpack[AskOptions]
    ) -> Answer:
        """The answer to a question about the picture."""
        return self.run(Request(image, Task.ask, question, **options))

    def ocr(self, image: Picture | tuple[Picture, ...], **options: Unpack[WordOptions]) -> Answer:
        """The words written in the picture."""
        return self.run(Request(image, Task.ocr, **options))

    def free(
        self, image: Picture | tuple[Picture, ...], prompt: str, **options: Unpack[FreeOptions]
    ) -> Answer:
        """What the model says to a prompt of your own."""
        return self.run(Request(image, Task.free, prompt, **options))

    def chat(
        self,
        image: Picture | tuple[Picture, ...],
        message: str,
        turns: Sequence[Turn] = (),
        **options: Unpack[FreeOptions],
    ) -> Answer:
        """The model's next turn in a conversation; `turns` is what was said before."""
        return self.run(Request(image, Task.chat, message, turns=as_turns(turns), **options))

    def describe(self) -> dict[str, Any]:
        """The checkpoint's row of `/models`: what it is, what it can do, where it comes from."""
        row = {"id": self.name, "family": self.family.name, "tasks": [str(t) for t in self.tasks]}
        facts = ("side", "parameters", "licence")
        return row | {fact: self.card.get(fact) for fact in facts} | {"here": True}

    def become(self, other: Pipeline) -> None:
        """See with another's checkpoint from now on. Answers under way end as they began."""
        vars(self).update(vars(other))

    def cache_status(self) -> dict[str, dict[str, int]]:
        """What the engine keeps of pictures it has seen, in numbers; empty where it keeps nothing.

        "pictures" and "prefixes" (behind which Gemma 3 goes on) have "kept", "bytes", "limit",
        "hits" and "misses".
        """
        counts: dict[str, dict[str, int]] = getattr(self.engine, "cache_status", dict)()
        return counts

    @property
    def names(self) -> tuple[str, ...]:
        """The names that the checkpoint knows; none where its vocabulary is open."""
        return names_of(self.card)

    def interpret(self, request: Request) -> Request:
        """The request as this checkpoint is asked: its names read, what is left out decided.

        Where the checkpoint lists its names, things under others than those asked for are left out
        unless the request says. Raises TaskError (E_UNKNOWN_NAME) where it knows none of the names.
        """
        if not request.spec.names_things:
            return request
        drops = bool(self.names) if request.drop_unasked is None else request.drop_unasked
        reading = request.reading or read_names(request.text, self.names)
        decoding = request.decoding or self.card.get("decoding", EXACT)
        return replace(request, reading=reading, drop_unasked=drops, decoding=decoding)

    def as_mask_source(self) -> MaskSource:
        """This checkpoint as one that outlines what another finds; TaskError where it cannot."""
        return MaskSource(self.engine, self.family, self.decoder, self.policy, self.name)

    def _is_outlined_elsewhere(self, request: Request) -> bool:
        return request.task is Task.segment and self.mask_source is not None

    def _outline(self, request: Request) -> Iterator[Answer]:
        """Boxes while they are found, and last all of them with the masks of the other."""
        assert self.mask_source is not None
        for answer in self._grow(self._prepare(replace(request, task=Task.detect))):
            told = replace(answer, request=request)
            yield self.mask_source.add_masks(told) if told.finish else told

    def _prepare(self, request: Request) -> PreparedRequest:
        if request.task not in self.tasks:
            message = self.family.explain_task(request.task, self.name, self.tasks)
            raise TaskError(message, "E_TASK_UNSUPPORTED")
        request = self.interpret(request)  # what is wrong with words comes before the pictures
        return prepare(request, self.family, self._names_at_once(request))

    def _names_at_once(self, request: Request) -> int | None:
        """How many names the checkpoint is asked for in one prompt; None is any."""
        own: int | Mapping[str, int] | None = self.card.get("names_per_prompt")
        count = own.get(request.decoding or EXACT) if isinstance(own, Mapping) else own
        return request.names_per_prompt or count or self.family.names_per_prompt

    def _begin(self, job: PreparedRequest) -> AnswerBuilder:
        reading = StreamingReader(job.image.size, self.decoder, self.policy)
        return AnswerBuilder(job, reading, self.name)

    def _grow(self, job: PreparedRequest) -> Iterator[Answer]:
        growing = self._begin(job)
        steps = self.engine.stream(job.prompts)
        try:
            for chunks in steps:
                if growing.feed_rows(chunks):
                    if growing.finish:
                        break
                    yield growing.answer()
        finally:
            close(steps)
        growing.end()
        yield growing.answer()

    def _finish(self, jobs: Sequence[PreparedRequest]) -> list[Answer]:
        rows = [self._begin(job) for job in jobs]
        stream = getattr(self.engine, "stream_whole", self.engine.stream)  # may try again
        steps = stream([prompt for job in jobs for prompt in job.prompts])
        try:
            for chunks in steps:
                parts = iter(chunks)
                for row, job in zip(rows, jobs, strict=True):
                    own = list(islice(parts, len(job.prompts)))
                    if not row.finish:
                        row.feed_rows(own)
                if all(row.finish for row in rows):
                    break
        finally:
            close(steps)
        for row in rows:
            row.end()
        return [row.answer() for row in rows]
