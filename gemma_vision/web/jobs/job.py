"""Jobs: a stream followed from its own thread, so that showing it never slows it down.

Gradio asks a generator for its next value, shows that, and only then asks again. Here the stream
runs on its own and whoever follows it gets the newest value, a few times a second.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from contextvars import copy_context
from typing import Generic, TypeVar

from gemma_vision.web.jobs.model_turns import ModelTurns
from gemma_vision.web.server.picture_worker import stopping
from postprocess.errors import UserError

T = TypeVar("T")
A = TypeVar("A")

EVERY = 0.125  # seconds between two values that are followed
STOP_SECONDS = 20.0  # how long Stop waits for the token that is being made
BEAT = 0.5  # seconds of silence after which the last value is given again, so that Stop is heard
MAX_SECONDS = 600.0  # of one answer, from its turn on
OPENING_SECONDS = 120.0  # of what a run is about: a picture waits a minute for its turn at most
PARSE_SECONDS = 30.0  # of an answer that is pasted, within its limits a second or two
MANY_SECONDS = 4 * 3600.0  # of many answers in one run: a batch, a video
GRACE = 2.0  # seconds after its deadline in which a run may end itself; then nobody waits for it
MAX_RUNS = 16  # of visitors, held for a Stop that is on its way

model_lock = ModelTurns()  # runs share the model, whoever started them; a change has it alone


class RunCutOff(UserError):
    """A run that came to no end of its own and was not stopped: it is no answer."""

    CODE = "E_CUT_OFF"


class Deadline(UserError):
    """A run that took longer than one may."""

    CODE = "E_DEADLINE"


class StreamRun(Generic[T, A]):
    """A stream being read in a thread of its own.

    `start` gives the stream; it is called in the thread, and the stream is closed there, between
    two of its values, once `stop` was called. `latest` is the newest value, `error` what ended it,
    `about` whatever its owner wants to find with it; it `is_whole` once the stream has come to its
    own end. lock: what it waits for a share of while it runs; None where no model is at work.
    seconds: how long it may take from its turn on; None where that is not known beforehand.
    """

    def __init__(
        self,
        start: Callable[[], Iterator[T]],
        about: A,
        *,
        lock: ModelTurns | None = model_lock,
        seconds: float | None = None,
    ) -> None:
        self.about = about
        self._seconds = seconds
        self.latest: T | None = None
        self.error: Exception | None = None
        self.is_whole = False
        self.stopped = threading.Event()
        self._start = start
        self._lock = lock
        self._count = 0
        self._over = False
        self._latest_end = float("inf")  # when the deadline is, once its turn has come
        self._news = threading.Condition()
        context = copy_context()  # who asks; a lent GPU is charged to them
        context.run(stopping.set, self.stopped)
        self._thread = threading.Thread(
            target=context.run, args=(self._work,), name="run", daemon=True
        )
        self._thread.start()

    def follow(self) -> Iterator[T | None]:
        """The newest value when there is news, at most every `EVERY` seconds, at least every
        `BEAT`; the last value always. None while there is none. Closing this stops the run.
        """
        count = -1
        try:
            while True:
                count, over = self._news_since(count)
                if over and self.error:
                    raise self.error
                if not over:
                    self._check_deadline(GRACE)
                yield self.latest
                if over:
                    return
                with self._news:
                    self._news.wait_for(lambda: self._over, EVERY)
        finally:
            self.stop()

    def result(self) -> Generator[None, None, T | None]:
        """The last value, once it is over; until then a beat now and then, so that Stop is heard.

        None where it was stopped. Closing this stops the run.
        """
        try:
            while not self._wait(BEAT):
                self._check_deadline(GRACE)
                yield None
        finally:
            self.stop()
        if self.error:
            raise self.error
        return self.latest

    def _wait(self, seconds: float) -> bool:
        with self._news:
            return self._news.wait_for(lambda: self._over, seconds)

    def stop(self) -> None:
        """End the stream at its next value. Does not wait."""
        self.stopped.set()

    def join(self, seconds: float) -> bool:
        """Wait for the thread; whether it is over."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _news_since(self, count: int) -> tuple[int, bool]:
        """Wait for more than `count` values, or a beat: how many there are, and if that is all."""
        with self._news:
            self._news.wait_for(lambda: self._over or self._count > count, BEAT)
            return self._count, self._over

    def _work(self) -> None:
        try:
            if self._lock is None:
                self._read()
            elif self._take_turn(self._lock):
                try:
                    self._read()
                finally:
                    self._lock.unshare()
        except Exception as error:
            self.error = error
        except BaseException as error:  # a thread that is ended so tells nobody
            self.error = RunCutOff(f"The run was cut off ({type(error).__name__}); try again.")
        finally:
            if self.error is None and not self.is_whole and not self.stopped.is_set():
                self.error = RunCutOff("The run ended before its answer was whole; try again.")
            with self._news:
                self._over = True
                self._news.notify_all()

    def _take_turn(self, lock: ModelTurns) -> bool:
        while not self.stopped.is_set():
            if lock.share(timeout=0.1):
                return True
        return False

    def _read(self) -> None:
        if self._seconds is not None:
            self._latest_end = time.monotonic() + self._seconds
        stream = self._start()
        with closing(stream):  # type: ignore[type-var]
            for value in stream:
                with self._news:
                    self.latest = value
                    self._count += 1
                    self._news.notify_all()
                if self.stopped.is_set():
                    return
                self._check_deadline()
        self.is_whole = True

    def _check_deadline(self, grace: float = 0.0) -> None:
        """Deadline where it has passed, by more than `grace` seconds."""
        if time.monotonic() > self._latest_end + grace:
            message = f"The answer took more than {self._seconds:.0f} seconds; ask for less."
            raise Deadline(message)


class VisitorRuns(Generic[T, A]):
    """The newest run of each visitor, so that Stop finds it. Old ones are dropped."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, StreamRun[T, A]] = OrderedDict()
        self._lock = threading.Lock()

    def follow(self, visitor: str, run: StreamRun[T, A]) -> Iterator[T | None]:
        """As `StreamRun.follow`; until it is over, the visitor's Stop finds the run."""
        self.add(visitor, run)
        try:
            yield from run.follow()
        except Exception:
            self.forget(visitor, run)
            raise
        self.forget(visitor, run)

    def end(self, visitor: str) -> StreamRun[T, A] | None:
        """The visitor's run, stopped and over within a token; None where nothing ran."""
        run = self.take(visitor)
        if run is not None:
            run.join(STOP_SECONDS)
        return run

    def add(self, visitor: str, run: StreamRun[T, A]) -> None:
        """Remember a visitor's run; one of theirs that still goes on is stopped."""
        with self._lock:
            before = self._runs.pop(visitor, None)
            self._runs[visitor] = run
            dropped = [self._runs.popitem(False)[1] for _ in range(len(self._runs) - MAX_RUNS)]
        for old in (before, *dropped):
            if old is not None and old is not run:  # added again, it goes on
                old.stop()

    def take(self, visitor: str) -> StreamRun[T, A] | None:
        """The visitor's run, told to stop and forgotten here."""
        with self._lock:
            run = self._runs.pop(visitor, None)
        if run is not None:
            run.stop()
        return run

    def has(self, visitor: str, run: StreamRun[T, A]) -> bool:
        """Whether it is the visitor's newest run, and nobody took it."""
        with self._lock:
            return self._runs.get(visitor) is run

    def forget(self, visitor: str, run: StreamRun[T, A]) -> None:
        """Forget a run that is over, unless the visitor has a newer one."""
        with self._lock:
            if self._runs.get(visitor) is run:
                del self._runs[visitor]
