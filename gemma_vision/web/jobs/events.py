"""Wiring: what happens on Run and on Stop, the same in every tab.

A tab says what its work is and how it looks (`Work`). The thread, the one queue of the model, the
two buttons and the sentence for what went wrong are here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, Protocol, TypeVar

import gradio as gr

from gemma_vision.errors import describe
from gemma_vision.web.jobs.job import StreamRun, VisitorRuns

T = TypeVar("T")
A = TypeVar("A")
Updates = list[Any]

SILENT: dict[str, Any] = {"queue": False, "api_visibility": "private", "show_progress": "hidden"}


class Work(Protocol[T, A]):
    """What a tab does for one visitor; T is its state, A what was made for this run alone.

    The updates are those of the tab's own components, without its buttons.
    """

    def begin(self, *values: Any) -> StreamRun[T, A]:
        """The run that the form asks for. Its values are the client's own; bad ones raise."""

    def growing(self, states: Iterator[T | None], about: A) -> Iterator[Updates]:
        """What the page shows while the state grows; None is the state before the first."""

    def finished(self, state: T | None, about: A, is_whole: bool) -> Updates:
        """What it shows at the end; the work is not whole where it was stopped."""

    def failed(self, sentence: str, state: T | None) -> Updates:
        """What it shows when something went wrong."""


def connect(
    work: Work[T, A], fields: list[Any], shown: list[Any], run: gr.Button, stop: gr.Button
) -> None:
    """Carry out a tab's work on Run; Stop ends it within a token and keeps what is done."""
    carrier, buttons = Carrier(work, len(shown)), [run, stop]
    run.click(busy, None, buttons, **SILENT)
    listen([run.click], carrier.start, carrier.halt, fields, shown, buttons)


class Carrier(Generic[T, A]):
    """Carries out a tab's work for its visitors, each with at most one run at a time.

    Gives updates of the tab's own components, `num_shown` of them, and then of Run and Stop.
    """

    def __init__(self, work: Work[T, A], num_shown: int) -> None:
        self._work = work
        self._num_shown = num_shown
        self._runs: VisitorRuns[T, A] = VisitorRuns()

    def start(self, request: gr.Request, *values: Any) -> Iterator[Updates]:
        """Updates until the work is over; what went wrong becomes the last of them."""
        work, run = self._work, None
        try:
            run = work.begin(*values)
            states = self._runs.follow(str(request.session_hash), run)
            for updates in work.growing(states, run.about):
                yield [*updates, *unchanged(2)]
            yield [*work.finished(run.latest, run.about, run.is_whole), *idle()]
        except Exception as error:
            yield [*work.failed(describe(error)[1], run.latest if run else None), *idle()]

    def halt(self, request: gr.Request) -> Updates:
        """What is done, within a token."""
        run = self._runs.end(str(request.session_hash))
        if run is None:
            return [*unchanged(self._num_shown), *idle()]
        return [*self._work.finished(run.latest, run.about, run.is_whole), *idle()]


def listen(
    starts: Sequence[Callable[..., Any]],
    start: Callable[..., Iterator[Updates]],
    halt: Callable[..., Updates],
    fields: list[Any],
    shown: list[Any],
    controls: list[Any],
    *,
    rest: Callable[[], Updates] | None = None,
) -> Any:
    """`start` on each of these events, one visitor after the other; `halt` on Stop.

    Both give updates of `shown` and then of `controls`, whose last is the Stop button. However it
    ends, the controls are put to `rest` (`idle`): a failure has an event of its own. Fields come
    raw: nobody opens a file before `gemma_vision.web.server.uploads` has looked at where it is.
    """
    outputs = [*shown, *controls]
    running = gr.on(
        list(starts),
        start,
        fields,
        outputs,
        preprocess=False,
        concurrency_id="model",
        concurrency_limit=1,
        trigger_mode="once",
        api_visibility="private",
        show_progress="minimal",
        show_progress_on=shown[:1],
    )
    running.then(rest or idle, None, controls, **SILENT)
    running.failure(rest or idle, None, controls, **SILENT)
    controls[-1].click(halt, None, outputs, cancels=[running], **SILENT)
    return running


def busy() -> Updates:
    """Run and Stop while a wish is carried out."""
    return [gr.update(interactive=False), gr.update(interactive=True)]


def idle() -> Updates:
    """Run and Stop while nothing runs."""
    return [gr.update(interactive=True), gr.update(interactive=False)]


def unchanged(count: int) -> Updates:
    """So many components as they are."""
    return [gr.skip()] * count
