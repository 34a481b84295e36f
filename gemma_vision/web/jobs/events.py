"""Events: what happens on Run and on Stop, the same in every tab.

A tab says what its work is (`Job`). The thread, the one queue of the model, the two buttons and the
sentence for what went wrong are here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

from gemma_vision.web.jobs.job import (
    MAX_SECONDS,
    OPENING_SECONDS,
    StreamRun,
    VisitorRuns,
    model_lock,
)
from gemma_vision.web.jobs.model_turns import MODEL_RUNS, ModelTurns
from gemma_vision.web.server.errors import to_note

S = TypeVar("S")
T = TypeVar("T")

NamedUpdates = Mapping[str, Any]  # by the name that a tab gives a component
Updates = dict[Any, Any]  # by component; Gradio leaves alone those that are not in it

SILENT: dict[str, Any] = {"queue": False, "api_visibility": "private", "show_progress": "hidden"}
MODEL_QUEUE: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": MODEL_RUNS}
QUICK_QUEUE: dict[str, Any] = {"concurrency_id": "quick", "concurrency_limit": 4}  # without a model
STOP = "stop"
RUN_AND_STOP = ("run", STOP)


class Job(Protocol[S]):
    """One visitor's work, from what the form holds to its end; S is its state.

    The updates are those of the tab's own components, by name; what is not among them stays as it
    is. The form's values are the client's own.
    """

    def begin(self) -> NamedUpdates:
        """Open and check what the form holds, before anybody waits: what the page shows at once.

        Whatever cannot work raises.
        """

    def stream(self) -> Iterator[S]:
        """The work: its state again and again. Closing the iterator ends it."""

    def updates(self, state: S | None) -> NamedUpdates:
        """What the page shows of a state; None is the one before the first."""

    def finished(self, state: S | None, is_whole: bool) -> NamedUpdates:
        """What it shows at the end; the work is not whole where it was stopped."""

    def failed(self, sentence: str, state: S | None) -> NamedUpdates:
        """What it shows when something went wrong, be it in `begin` or later.

        sentence: behind its code, as the scripts' `noteText` takes it.
        """


class JobRunner(Generic[S]):
    """Carries out a tab's jobs for its visitors, each with at most one at a time.

    make_job: the job that a form's values, by name, ask for. Nothing is checked yet; `begin` does.
    controls: the names of what starts a job and of what stops it; none where it takes no time.
    lock: what a job has a share of while it streams; None where no model is at work. seconds: how
    long one may take from its turn on.
    """

    def __init__(
        self,
        make_job: Callable[[Mapping[str, Any], str], Job[S]],
        controls: Sequence[str] = RUN_AND_STOP,
        *,
        lock: ModelTurns | None = model_lock,
        seconds: float = MAX_SECONDS,
    ) -> None:
        self.busy = controls_state(controls, is_busy=True)
        self.idle = controls_state(controls, is_busy=False)
        self._make_job = make_job
        self._lock = lock
        self._seconds = seconds
        self._beginnings: VisitorRuns[NamedUpdates, Job[S]] = VisitorRuns()
        self._runs: VisitorRuns[S, Job[S]] = VisitorRuns()

    def start(self, values: Mapping[str, Any], visitor: str) -> Iterator[NamedUpdates]:
        """Updates until the job is over; what went wrong becomes the last of them."""
        job, run = self._make_job(values, visitor), None
        begun: StreamRun[NamedUpdates, Job[S]] | None = None
        try:
            begun = StreamRun(lambda: once(job.begin), job, lock=None, seconds=OPENING_SECONDS)
            self._beginnings.add(visitor, begun)
            for _ in begun.result():
                yield self.busy
            if begun.latest is None:  # stopped while the picture was opened
                yield self.idle
                return
            yield {**self.busy, **begun.latest}
            if not self._beginnings.has(visitor, begun):  # stopped while that was shown
                return
            run = StreamRun(job.stream, job, lock=self._lock, seconds=self._seconds)
            self._runs.add(visitor, run)
            if not self._beginnings.has(visitor, begun):  # stopped before Stop could find the run
                self._runs.take(visitor)
                return
            for state in self._runs.follow(visitor, run):
                self._beginnings.forget(visitor, begun)  # no sooner: Stop finds one of the two
                yield job.updates(state)
            yield {**job.finished(run.latest, run.is_whole), **self.idle}
        except Exception as error:
            if begun is not None:
                self._beginnings.forget(visitor, begun)
            yield {**job.failed(to_note(error), run.latest if run else None), **self.idle}

    def stop(self, visitor: str) -> NamedUpdates:
        """End the visitor's job within a token: what is done."""
        begun, run = self._beginnings.take(visitor), self._runs.end(visitor)
        if run is not None:
            return {**run.about.finished(run.latest, run.is_whole), **self.idle}
        if begun is not None and begun.latest is not None:  # the page shows it as running
            return {**begun.about.finished(None, False), **self.idle}
        return self.idle

    def leave(self, visitor: str) -> None:
        """Nothing more is worked out for a visitor who has gone. Does not wait."""
        self._beginnings.take(visitor)
        self._runs.take(visitor)


def once(work: Callable[[], T]) -> Iterator[T]:
    """What a function gives, as a stream of one."""
    yield work()


def controls_state(controls: Sequence[str], *, is_busy: bool) -> NamedUpdates:
    """What starts a job can be used while none runs, what stops it while one does."""
    states = (not is_busy, is_busy)
    return {
        name: gr.update(interactive=can_be_used)
        for name, can_be_used in zip(controls, states, strict=False)
    }


def connect(
    runner: JobRunner[Any],
    starts: Sequence[Callable[..., Any]],
    fields: Mapping[str, Component],
    outputs: Mapping[str, Block],
    *,
    is_busy_at_once: bool = True,
    **options: Any,
) -> Any:
    """Start a job on each of these events, one visitor after the other; the event of the job.

    fields: where a job's values come from. They come raw: nobody opens a file before
    `gemma_vision.web.server.uploads` has looked at where it is. outputs: what the job's updates
    name. Progress is shown on the first of them; a button called "stop" among them ends the job.
    is_busy_at_once: the controls change before the job's turn has come. options: of the event,
    where they differ from those of the model's queue.
    """

    def start(request: gr.Request, *values: Any) -> Iterator[Updates]:
        form = dict(zip(fields, values, strict=True))
        for updates in runner.start(form, visitor_of(request)):
            yield by_component(updates, outputs)

    def block() -> Updates:
        return by_component(runner.busy, outputs)

    if is_busy_at_once:
        gr.on(list(starts), block, None, [outputs[name] for name in runner.busy], **SILENT)
    components = list(outputs.values())
    own = {"show_progress": "minimal", "show_progress_on": components[:1], **MODEL_QUEUE}
    running = gr.on(
        list(starts),
        start,
        list(fields.values()),
        components,
        preprocess=False,
        api_visibility="private",
        **({"trigger_mode": "once"} | own | options),
    )
    if STOP in outputs:
        connect_stop(runner, running, outputs)
    return running


def connect_stop(runner: JobRunner[Any], running: Any, outputs: Mapping[str, Block]) -> None:
    """Stop the job on its button. However it ends, the controls are idle again.

    running: the event of the job. A failure has an event of its own.
    """

    def end(request: gr.Request) -> Updates:
        return by_component(runner.stop(visitor_of(request)), outputs)

    def rest() -> Updates:
        return by_component(runner.idle, outputs)

    controls = [outputs[name] for name in runner.idle]
    running.then(rest, None, controls, **SILENT)
    running.failure(rest, None, controls, **SILENT)
    stop: Any = outputs[STOP]
    stop.click(end, None, list(outputs.values()), cancels=[running], **SILENT)


def by_component(updates: NamedUpdates, outputs: Mapping[str, Block]) -> Updates:
    """The updates as Gradio takes them; where there are none, everything is skipped."""
    return {outputs[name]: update for name, update in updates.items()} or skip()


def skip() -> Updates:
    """Nothing changes."""
    return dict(gr.skip())


def visitor_of(request: gr.Request) -> str:
    """Who asks: one page that is open in a browser."""
    return str(request.session_hash)
