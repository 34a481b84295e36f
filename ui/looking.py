"""Looking: one visitor's wish carried out, as the page's values. Knows the pipeline, no layout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gemma_vision.answer import Answer
from gemma_vision.images import open_image
from gemma_vision.pipeline import Pipeline
from gemma_vision.tasks import Request
from ui.partials import show_partial
from ui.refusals import explain
from ui.results import Showing
from ui.running import Run, Runs
from ui.uploads import resolve_upload

JSON = dict[str, Any]
STOP_SECONDS = 20.0  # how long Stop waits for the token that is being made


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


@dataclass(frozen=True)
class Frame:
    """What the page shows at one moment; `answer` is there once nothing more comes."""

    view: JSON
    answer: JSON | None = None
    is_over: bool = False


class Looker:
    """Carries out wishes for visitors, each with at most one run at a time."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self._runs: Runs[Answer, Showing] = Runs()

    def look(self, wish: Wish, visitor: str) -> Iterator[Frame]:
        """Frames until the answer is whole. Errors become a last frame that says what to do."""
        showing = Showing(task=wish.task, limit=wish.max_tokens)
        try:
            request = self._request(wish, showing)
            yield Frame(showing.view(None, "running"))
            yield from self._follow(request, showing, visitor)
        except Exception as error:
            _, message = explain(error)
            yield Frame(showing.view(showing.newest, "error", notes=[message]), is_over=True)

    def stop(self, visitor: str) -> Frame | None:
        """End the visitor's run within a token; its last frame, None where nothing ran."""
        run = self._runs.take(visitor)
        if run is None:
            return None
        run.join(STOP_SECONDS)
        return self._last(run.latest, run.about)

    def leave(self, visitor: str) -> None:
        """Nothing more is worked out for a visitor who has gone."""
        self._runs.take(visitor)

    def _request(self, wish: Wish, showing: Showing) -> Request:
        showing.original = resolve_upload(wish.picture)
        showing.image = open_image(showing.original)
        return Request(
            showing.image,
            wish.task,
            wish.words,
            language=wish.language,
            max_tokens=wish.max_tokens,
            temperature=wish.temperature,
            seed=wish.seed,
        )

    def _follow(self, request: Request, showing: Showing, visitor: str) -> Iterator[Frame]:
        run = Run(lambda: self.pipeline.stream(request), showing)
        self._runs.add(visitor, run)
        for answer in run.follow():
            if answer is not None:
                showing.newest = answer.to_dict()
            partial = answer and self._partial(answer)
            yield Frame(showing.view(showing.newest, "running", partial=partial))
        self._runs.forget(visitor, run)
        yield self._last(run.latest, showing)

    def _partial(self, answer: Answer) -> JSON | None:
        has_mask = any(instance.mask is not None for instance in answer.instances)
        return show_partial(
            answer.partial,
            answer.image.size,
            answer.policy,
            self.pipeline.decoder,
            is_open=has_mask,
        )

    def _last(self, answer: Answer | None, showing: Showing) -> Frame:
        if answer is None:
            return Frame(showing.view(None, "stopped"), is_over=True)
        if answer.finish is None:
            answer = replace(answer, finish="cancelled", partial=None)
        found = answer.to_dict()
        state = "stopped" if answer.finish == "cancelled" else "done"
        return Frame(showing.view(found, state), found, is_over=True)
