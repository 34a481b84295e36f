"""Scheduler: prompts of many callers decoded in one batch.

Whoever waits for a word makes the next step, for everybody; the others find their words made. So
there is no thread to start or to end, and one step at a time. Whoever waits for whole answers
sleeps through the steps that others make: waking dozens of threads at every token costs more than
a small model's step does.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from gemma_vision.runtime.decode import DecodeBatch
from gemma_vision.runtime.engine import Chunk, Prompt
from gemma_vision.runtime.prefill import Prefiller
from gemma_vision.runtime.row import Row
from postprocess.errors import UserError

MAX_ROWS = 32  # answers that grow side by side
MAX_WAITING = 256  # prompts that wait for a place before another caller's are refused
MAX_BYTES = 2 * 2**30  # of keys and values
PATIENCE = 64.0  # tokens that an answer may be longer for each second that it has waited
INTERRUPTED = "The step that made this answer was interrupted for another caller; ask again."


class EngineBusyError(UserError):
    """More prompts wait than an engine takes in, or what it worked at was interrupted."""

    CODE = "E_BUSY"


class Scheduler:
    """Callers submit prompts, take chunks, and withdraw what they no longer want.

    at_once: prompts that are read in one pass. running: entered around everything that the model
    computes.
    """

    def __init__(
        self,
        batch: DecodeBatch,
        prefiller: Prefiller,
        running: Callable[[], AbstractContextManager[None]],
        *,
        at_once: int,
        max_rows: int = MAX_ROWS,
        max_waiting: int = MAX_WAITING,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self.batch, self.prefiller, self.running = batch, prefiller, running
        self.at_once, self.max_rows = at_once, max_rows
        self.max_waiting, self.max_bytes = max_waiting, max_bytes
        self._waiting: list[tuple[float, Row]] = []  # since when, in seconds
        self._leaving: list[Row] = []
        self._turn_lock = threading.RLock()
        # Guards what is above and below; never while computing. Entered itself and not by one of
        # its conditions, whose methods Ctrl+C can end with the lock held.
        self._turn = threading.Condition(self._turn_lock)
        self._stepper: Sequence[Row] | None = None  # whose caller makes the step
        self._sleepers: list[Sleeper] = []  # those who wait for whole answers

    def make_rows(self, prompts: Sequence[Prompt]) -> list[Row]:
        """Rows for prompts, which nobody works at yet: whoever submits them can withdraw them."""
        return [self.batch.make_row(prompt) for prompt in prompts]

    def submit(self, rows: Sequence[Row]) -> None:
        """Take rows in; EngineBusyError where too many of other callers wait already."""
        with self._turn_lock:
            if len(self._waiting) >= self.max_waiting:
                raise EngineBusyError(
                    f"{len(self._waiting)} prompts are waiting for this model, which is as many as "
                    "it takes in; ask again in a moment."
                )
            now = time.monotonic()
            self._waiting += [(now, row) for row in rows]

    def take(self, rows: Sequence[Row]) -> list[Chunk | None]:
        """The next chunk of each of these rows that has one; empty when all have ended.

        Makes steps until there is one, for everybody's rows. Raises what went wrong with a row.
        """
        while True:
            with self._turn_lock:
                while self._stepper is not None and not has_news(rows):
                    self._turn.wait()
                if has_news(rows) or all(row.finish for row in rows):
                    break
                self._stepper = rows
            self._step_for_all()
        if error := next((row.error for row in rows if row.error), None):
            raise error
        chunks = [row.outbox.popleft() if row.outbox else None for row in rows]
        return chunks if any(chunks) else []

    def take_all(self, rows: Sequence[Row], over: threading.Event) -> list[list[Chunk]]:
        """Every chunk of each of these rows, once all have ended; fewer where `over` is set, which
        is seen within a step. Raises what went wrong with a row.
        """
        own = Sleeper(rows, over, threading.Condition(self._turn_lock))
        try:
            while self._may_step(own):
                self._step_for_all(own)
        finally:
            with self._turn_lock:
                self._rouse(None)  # somebody else makes the next step
        if error := next((row.error for row in rows if row.error), None):
            raise error
        return [list(row.outbox) for row in rows]

    def _may_step(self, own: Sleeper) -> bool:
        """Wait for a turn to step, which is then the caller's; False once there is no need."""
        with self._turn_lock:
            self._sleepers.append(own)
            try:
                while self._stepper is not None and not own.is_done:
                    own.bell.wait()
            finally:
                self._sleepers.remove(own)
            if own.is_done:
                return False
            self._stepper = own.rows
            return True

    def _step_for_all(self, stepper: Sleeper | None = None) -> None:
        """A step, and everybody told who has something of it. stepper: who goes on stepping."""
        try:
            with self.running():
                self._step()
        finally:
            with self._turn_lock:
                self._end_turn(stepper)

    def _end_turn(self, stepper: Sleeper | None = None) -> None:
        self._stepper = None
        self._let_go()
        self._turn.notify_all()
        self._rouse(stepper)

    def _rouse(self, stepper: Sleeper | None) -> None:
        """Wake sleepers whose answers are whole, and one more where nobody else goes on."""
        for one in self._sleepers:
            if one.is_done:
                one.bell.notify()
        is_left = stepper is None or stepper.is_done
        if is_left and self._stepper is None and self._sleepers:
            next(
                (one for one in self._sleepers if not one.is_done), self._sleepers[0]
            ).bell.notify()

    def withdraw(self, rows: Sequence[Row]) -> None:
        """What is left of these rows is not wanted any more.

        The turn of a caller that was ended (Ctrl+C) before it could step goes to somebody else.
        """
        with self._turn_lock:
            self._waiting = [entry for entry in self._waiting if entry[1] not in rows]
            self._leaving += [row for row in rows if not row.finish]
            if self._stepper is rows:
                self._end_turn()
            elif self._stepper is None:
                self._let_go()

    def _step(self) -> None:
        """Read the prompts there is a place for, then a token or several for every row."""
        with self._turn_lock:
            self._let_go()
            fresh = self._admit()
        if fresh:
            self._read(fresh)
        if not fresh or len(self.batch.rows) > len(fresh):
            self._advance()

    def _let_go(self) -> None:
        if not self._leaving:
            return
        gone = [row for row in self._leaving if row in self.batch.rows]
        self._leaving = []
        self.batch.leave(gone)

    def _admit(self) -> list[Row]:
        """Those that are read now: short answers first, but the longer one waits the sooner."""
        if not self._waiting:
            return []
        places = min(self.max_rows, self._rows_in_memory()) - len(self.batch.rows)
        count = min(self.at_once, max(places, 0 if self.batch.rows else 1))
        now = time.monotonic()
        self._waiting.sort(
            key=lambda entry: entry[1].prompt.max_tokens - PATIENCE * (now - entry[0])
        )
        fresh = [row for _, row in self._waiting[:count]]
        del self._waiting[:count]
        return fresh

    def _rows_in_memory(self) -> int:
        """How many rows fit, each as long as the longest one may become."""
        cache = self.batch.cache
        each = cache.bytes_per_position * max(
            (
                length + row.prompt.max_tokens - row.num_tokens
                for row, length in zip(self.batch.rows, cache.lengths, strict=True)
            ),
            default=0,
        )
        return self.max_bytes // each if each else self.max_rows

    def _read(self, fresh: list[Row]) -> None:
        try:
            logits, state, timing = self.prefiller.prefill([row.prompt for row in fresh])
            for row in fresh:
                row.timing |= timing
            self.batch.join(fresh, logits, state)
        except BaseException as error:
            self._give_up(fresh, error)

    def _advance(self) -> None:
        if self.batch.rows:
            try:
                self.batch.advance()
            except BaseException as error:
                self._give_up(list(self.batch.rows), error)

    def _give_up(self, rows: list[Row], error: BaseException) -> None:
        """Rows that cannot go on: their callers are told; nobody else's are touched.

        What ends the caller that makes the step (Ctrl+C) is no end for the others in it.
        """
        is_ending = not isinstance(error, Exception)
        for row in rows:
            row.fail(EngineBusyError(INTERRUPTED) if is_ending else error)
        self.batch.leave([row for row in rows if row in self.batch.rows])
        if is_ending:
            raise error


@dataclass(frozen=True, eq=False)
class Sleeper:
    """A caller that wants whole answers of its rows, and no step of them before."""

    rows: Sequence[Row]
    over: threading.Event
    bell: threading.Condition

    @property
    def is_done(self) -> bool:
        """Whether it is to wake: all have ended, or are not wanted any more."""
        return self.over.is_set() or all(row.finish for row in self.rows)


def has_news(rows: Sequence[Row]) -> bool:
    """Whether a caller can be told something."""
    return any(row.outbox or row.error for row in rows)
