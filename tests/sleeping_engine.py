"""An engine that sleeps where another computes: the real scheduler, over a model of known costs.

So that four replicas are four times one, however few processors a machine has.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from benchmarks.capacity import Costs
from gemma_vision.runtime.engine import Chunk, Prompt
from gemma_vision.runtime.scheduler import Scheduler


@dataclass(eq=False)
class SleepingRow:
    """An answer of as many tokens as its prompt's seed says: nobody knows that beforehand."""

    prompt: Prompt
    outbox: deque[Chunk] = field(default_factory=deque)
    timing: dict[str, float] = field(default_factory=dict)
    finish: str | None = None
    error: BaseException | None = None
    num_tokens: int = 0

    def add(self) -> None:
        self.num_tokens += 1
        self.finish = "stop" if self.num_tokens == self.prompt.seed else None
        self.outbox.append(Chunk(" word", (1,), (1.0,), finish=self.finish))


class SleepingModel:
    """A batch, and what reads prompts into it. `busy`: seconds slept, in `steps` and reading."""

    def __init__(self, costs: Costs, sleep: Callable[[float], None]) -> None:
        self.costs = costs
        self.sleep = sleep
        self.steps = 0
        self.rows: list[SleepingRow] = []
        self.busy = 0.0

    @property
    def cache(self) -> SimpleNamespace:
        return SimpleNamespace(bytes_per_position=0, lengths=[0] * len(self.rows))

    def make_row(self, prompt: Prompt) -> SleepingRow:
        return SleepingRow(prompt)

    def prefill(self, prompts: Sequence[Prompt]) -> tuple[None, None, dict[str, float]]:
        self._sleep(self.costs.read_once + self.costs.read * len(prompts))
        return None, None, {}

    def join(self, rows: Sequence[SleepingRow], logits: None, state: None) -> None:
        self.rows += rows

    def advance(self) -> None:
        self.steps += 1
        self._sleep(self.costs.step + self.costs.row * len(self.rows))
        for row in self.rows:
            row.add()
        self.leave([row for row in self.rows if row.finish])

    def leave(self, rows: Sequence[SleepingRow]) -> None:
        self.rows = [row for row in self.rows if row not in rows]

    def _sleep(self, seconds: float) -> None:
        self.busy += seconds
        self.sleep(seconds)


class SleepingEngine:
    """Runs prompts as the local engine does, and sleeps meanwhile."""

    def __init__(
        self, costs: Costs, name: str, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.name = name
        self.model: Any = SleepingModel(costs, sleep)
        self._scheduler = Scheduler(
            self.model,
            self.model,
            nullcontext,
            at_once=costs.at_once,
            max_rows=costs.max_rows,
        )

    def ready(self) -> bool:
        return True

    def stream(self, prompts: Sequence[Prompt]) -> Iterator[list[Chunk | None]]:
        rows = self._scheduler.make_rows(prompts)
        try:
            self._scheduler.submit(rows)
            while chunks := self._scheduler.take(rows):
                yield chunks
        finally:
            self._scheduler.withdraw(rows)

    def complete(self, prompts: Sequence[Prompt], over: threading.Event) -> list[list[Chunk]]:
        rows = self._scheduler.make_rows(prompts)
        try:
            self._scheduler.submit(rows)
            return self._scheduler.take_all(rows, over)
        finally:
            self._scheduler.withdraw(rows)
