"""Looking: one visitor's wish carried out, as the page's values. Knows the pipeline, no layout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gemma_vision.answers.answer import Answer
from gemma_vision.errors import describe
from gemma_vision.images.opening import open_image
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.request import Request
from gemma_vision.requests.tasks import TASKS, Task
from gemma_vision.requests.validation import read_region
from gemma_vision.web.components.cache_status import cache_status
from gemma_vision.web.components.crops import crops_value, wants_crops
from gemma_vision.web.forms.options import LEFT_OUT
from gemma_vision.web.jobs.job import StreamRun, VisitorRuns
from gemma_vision.web.jobs.partials import partial_value
from gemma_vision.web.jobs.viewer_value import ViewerState
from gemma_vision.web.server.uploads import resolve_upload

JSON = dict[str, Any]


@dataclass(frozen=True)
class Wish:
    """What the form holds when Run is pressed, as the client sent it."""

    picture: Mapping[str, Any] | str | None
    task: str
    words: str = ""
    language: str = "en"
    max_tokens: int = 256
    temperature: float = 0.0
    seed: int = 0
    style: str = "caption"
    region: str = ""
    pan_and_scan: bool = False
    leave_out: Sequence[str] = ()  # of `forms.options.LEFT_OUT`
    max_overlap: float = 1.0  # any


@dataclass(frozen=True)
class Frame:
    """What the page shows at one moment; `answer` is there once nothing more comes.

    crops and remembered are values of `gemma_vision.web.components.crops`; None changes nothing.
    """

    view: JSON
    answer: JSON | None = None
    is_over: bool = False
    crops: JSON | None = None
    remembered: JSON | None = None


class Looker:
    """Carries out wishes for visitors, each with at most one run at a time."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self._runs: VisitorRuns[Answer, ViewerState] = VisitorRuns()

    def look(self, wish: Wish, visitor: str) -> Iterator[Frame]:
        """Frames until the answer is whole. Errors become a last frame that says what to do."""
        showing = ViewerState(task=wish.task, limit=wish.max_tokens)
        try:
            request = self._request(wish, showing)
            yield Frame(showing.view(None, "running"), crops=crops_value(request, showing))
            yield from self._follow(request, showing, visitor)
        except Exception as error:
            _, message = describe(error)
            view = showing.view(showing.newest, "error", notes=[message])
            yield Frame(view, is_over=True, crops=crops_value(None, showing))

    def stop(self, visitor: str) -> Frame | None:
        """End the visitor's run within a token; its last frame, None where nothing ran."""
        run = self._runs.end(visitor)
        return None if run is None else self._last(run.latest, run.about)

    def leave(self, visitor: str) -> None:
        """Nothing more is worked out for a visitor who has gone."""
        self._runs.take(visitor)

    def _request(self, wish: Wish, showing: ViewerState) -> Request:
        showing.original = resolve_upload(wish.picture)
        showing.image = open_image(showing.original)
        return Request(
            showing.image,
            wish.task,
            wish.words or "",  # None of a field that was never on the page
            language=wish.language,
            max_tokens=wish.max_tokens,
            temperature=wish.temperature,
            seed=wish.seed,
            **self._options(wish),
        )

    def _options(self, wish: Wish) -> dict[str, Any]:
        """What the form offers for this task and this checkpoint; a part that is hidden keeps a
        value from before, which says nothing.
        """
        family = self.pipeline.family
        options: dict[str, Any] = {}
        if wish.task == Task.caption and wish.style in family.styles:
            options["style"] = wish.style
        if wish.task == Task.caption and family.has_regions:
            options["region"] = read_region(wish.region or "")
        if TASKS[wish.task].names_things:
            left_out = wish.leave_out if isinstance(wish.leave_out, list) else []
            options |= {name: name in left_out for name in LEFT_OUT}
            options["max_overlap"] = None if wish.max_overlap == 1 else wish.max_overlap
        return options | {"pan_and_scan": wants_crops(self.pipeline, wish.pan_and_scan)}

    def _follow(self, request: Request, showing: ViewerState, visitor: str) -> Iterator[Frame]:
        run = StreamRun(lambda: self.pipeline.stream(request), showing)
        for answer in self._runs.follow(visitor, run):
            if answer is not None:
                showing.newest = answer.to_dict()
            partial = answer and self._partial(answer)
            yield Frame(showing.view(showing.newest, "running", partial=partial))
        yield self._last(run.latest, showing)

    def _partial(self, answer: Answer) -> JSON | None:
        has_mask = any(instance.mask is not None for instance in answer.instances)
        return partial_value(
            answer.partial,
            answer.image.size,
            answer.policy,
            self.pipeline.decoder,
            is_open=has_mask,
        )

    def _last(self, answer: Answer | None, showing: ViewerState) -> Frame:
        if answer is None:
            return self._over(showing.view(None, "stopped"))
        if answer.finish is None:
            answer = replace(answer, finish="cancelled", partial=None)
        found = answer.to_dict()
        state = "stopped" if answer.finish == "cancelled" else "done"
        return self._over(showing.view(found, state), found)

    def _over(self, view: JSON, answer: JSON | None = None) -> Frame:
        return Frame(view, answer, is_over=True, remembered=cache_status(self.pipeline))
