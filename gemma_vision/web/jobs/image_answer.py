"""Picture run: one picture asked about, as the viewer shows it and as it is taken home."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from gemma_vision.answers.answer import Answer
from gemma_vision.checkpoints.model_names import embedded
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.interpretation.names import ParsedNames, UnknownNameError
from gemma_vision.requests.interpretation.prompt_set import PromptSet
from gemma_vision.requests.options import options_of
from gemma_vision.requests.request import Request
from gemma_vision.requests.tasks import Task
from gemma_vision.web.jobs.asked import Asked
from gemma_vision.web.jobs.partials import partial_value
from gemma_vision.web.jobs.viewer_value import JSON, ViewerState
from gemma_vision.web.jobs.visitor_answers import UNNAMED, VisitorAnswer
from postprocess.filters import Filters


class Divided:
    """An answer, and what is `kept` of it: without things that were not asked for, where it drops.

    `hidden`: which of the whole answer's instances are not among those that are kept.
    """

    def __init__(self, whole: Answer, *, drops: bool) -> None:
        self.whole = self.shown = whole
        names = whole.request.names if whole.request else ()
        if drops:
            filters = Filters(drop_unasked=frozenset(names))
            found = filters.apply(whole.mentions, whole.instances, whole.size)
            warnings = [*whole.warnings, *found.notices]
            self.shown = replace(
                whole, mentions=found.mentions, instances=found.instances, warnings=warnings
            )
        kept = {id(instance) for instance in self.shown.instances}
        places = enumerate(whole.instances)
        self.hidden = frozenset(place for place, one in places if id(one) not in kept)


class ImageAnswer:
    """One picture and one request, from the reading of its names to the end of its answer.

    request: None where the checkpoint knows none of the names, so that nobody is asked. viewer:
    where it is shown; name: what a person calls the picture.
    """

    def __init__(
        self, pipeline: Pipeline, request: Request, viewer: ViewerState, name: str = UNNAMED
    ) -> None:
        self.request: Request | None = None
        self.viewer = viewer
        self._pipeline = pipeline
        self._wanted = request
        self._name = name
        self._drops = False
        self._latest: Divided | None = None
        viewer.task, viewer.limit = str(request.task), request.max_tokens
        try:
            self.request = self._interpret(request)
            reading = self.request.reading
        except UnknownNameError as error:
            reading = error.reading
        viewer.asked = asked_of(pipeline, request, reading)

    def stream(self) -> Iterator[Answer]:
        """The answer while it grows; nothing where the model knows none of the names."""
        if self.request is not None:
            yield from self._pipeline.stream(self.request)

    def take(self, answer: Answer) -> None:
        """The newest state of the answer, which is shown and taken home from now on."""
        self._latest = Divided(answer, drops=self._drops)

    def running(self, answer: Answer | None) -> JSON:
        """The viewer's value, with the record that is being written."""
        if answer is None:
            return self.viewer.view(None, "running" if self.request else "empty")
        divided = Divided(answer, drops=self._drops)  # not taken: its end may have come meanwhile
        return self._view_of(divided, "running", partial=self._partial(answer))

    def ended(self, answer: Answer | None) -> JSON:
        """The viewer's value at the end; an answer that has no end of its own was stopped."""
        if answer is None:
            return self.viewer.view(None, "stopped" if self.request else "empty")
        if answer.finish is None:
            answer = replace(answer, finish="cancelled", partial=None)
        self.take(answer)
        return self.view("stopped" if answer.finish == "cancelled" else "done")

    def view(self, state: str, **more: Any) -> JSON:
        """The viewer's value of the newest answer; more: as for `ViewerState.view`."""
        if self._latest is None:
            return self.viewer.view(None, state, **more)
        return self._view_of(self._latest, state, **more)

    def _view_of(self, divided: Divided, state: str, **more: Any) -> JSON:
        return self.viewer.view(divided.whole.to_dict(), state, hidden=divided.hidden, **more)

    @property
    def shown(self) -> Answer | None:
        """The newest answer without what was not asked for; None where there is none."""
        return self._latest.shown if self._latest else None

    def result(self) -> VisitorAnswer | None:
        """The newest answer to take home; None where there is none."""
        if self.shown is None:
            return None
        request = self._wanted
        return VisitorAnswer(
            self.shown.to_dict(),
            self.viewer.original,
            self._name,
            model=self._pipeline.name,
            task=str(request.task),
            text=request.text,
            options=changed_options(request),
        )

    def _interpret(self, request: Request) -> Request:
        """The request with its names read. What was not asked for is left out here, not on the
        way, so that it can be brought back.
        """
        read = self._pipeline.interpret(request)
        self._drops = bool(read.drop_unasked)
        return replace(read, drop_unasked=False) if read.spec.names_things else read

    def _partial(self, answer: Answer) -> JSON | None:
        return partial_value(
            answer.partial,
            answer.image.size,
            answer.policy,
            None if self._wanted.task == Task.detect else self._pipeline.decoder,
            is_open=any(instance.mask is not None for instance in answer.instances),
        )


def asked_of(pipeline: Pipeline, request: Request, reading: ParsedNames | None) -> Asked:
    """What is asked of a checkpoint, for the lines that guide whoever asked."""
    family, is_demo = pipeline.family, pipeline.name in embedded()
    questions, prompts = family.questions, None
    if is_demo and questions:  # a fine-tune may have been taught any prompt
        prompts = PromptSet(family.wording, family.languages, questions)
    return Asked(
        task=str(request.task),
        model=pipeline.name,
        limit=request.max_tokens,
        temperature=request.temperature,
        reading=reading,
        names=pipeline.names,
        is_demo=is_demo,
        tasks=tuple(pipeline.tasks),
        question=request.text,
        questions=questions,
        prompts=prompts,
    )


def changed_options(request: Request) -> JSON:
    """The options of a request that are not as always, by name."""
    values = {one.name: getattr(request, one.name) for one in options_of(request.task)}
    defaults = {one.name: one.default for one in options_of(request.task)}
    return {name: value for name, value in values.items() if value != defaults[name]}
