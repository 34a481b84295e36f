"""Run: updates under a falling rate until the time, the steps or the patience are used up.

Resumable after any interruption: state is one file that is whole or not there. What is drawn at a
step hangs on the seed and on the number of the step alone, so that a run that was killed draws what
it would have drawn. Knows nothing of what is learned.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from gemma_vision.finetuning.learning.budget import Budget, Reached, rate_at
from gemma_vision.finetuning.learning.interrupts import Interrupted, stop_asked
from gemma_vision.optimization.atomic_write import atomic_file
from gemma_vision.optimization.metrics_log import MetricsLog
from gemma_vision.optimization.training_state import StageProgress, load_state, save_state

NAME = "finetune"
SAVE_EVERY = 45.0  # seconds: state is never much older than a minute
SAVE_SHARE = 20  # times that it takes to write the state: a large one is written less often
REPORT_EVERY = 5.0  # seconds
TIE = 0.02  # of the score: the later of two states that are nearly as good is kept

Figures = dict[str, float]
Step = Callable[[Generator, float], Figures]  # draws, progress in 0..1 -> figures; one update
Score = Callable[[], Figures]  # "score" is what the best state is told by


@dataclass
class LearningRun:
    """One run over the parameters that learn; each group's `peak` is its top rate.

    told: is given every row of figures as it is written down. now: seconds. agree: makes several
    processes count the same time, so that all end at one step.
    """

    folder: Path
    module: nn.Module
    opt: Optimizer
    budget: Budget
    seed: int
    schedule: str = "cosine"
    warm_up: float = 0.02
    scorings: int = 8
    patience: int | None = None
    told: Callable[[dict[str, Any]], None] = lambda row: None
    now: Callable[[], float] = time.monotonic
    save_every: float = SAVE_EVERY
    report_every: float = REPORT_EVERY
    agree: Callable[[float], float] = float  # what the first of several processes says
    is_writer: bool = True  # of several processes one writes
    reached: Reached = field(default_factory=Reached)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.metrics = MetricsLog(self.folder / f"{NAME}.jsonl")
        if self.state.exists():
            self.reached = Reached.of(load_state(self.state, self.module, self.opt))

    @property
    def state(self) -> Path:
        """Where the state lies."""
        return self.folder / f"{NAME}.safetensors"

    @property
    def best_file(self) -> Path:
        """Where the best state's weights lie."""
        return self.folder / "best.safetensors"

    @property
    def progress(self) -> float:
        """How much of the budget is used, 0 to 1."""
        return self.budget.progress(self.reached.steps, self.reached.seconds)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to learn."""
        return self.progress >= 1 or bool(self.reached.ended)

    def run(self, step: Step, score: Score | None = None) -> None:
        """Learn until the end. Interrupted, with the state written, where somebody stops it."""
        if self.is_writer:
            self.metrics.truncate_after(self.reached.steps)
        self._saved = self._reported = self._last = self.now()
        self._save_took = 0.0
        with stop_asked() as asked:
            while not self.is_over:
                self.take(step)
                if score is not None and self.is_scoring_due:
                    self.score(score)
                is_stopped = asked()  # whoever asks from here on is heard after the next step
                self.write_due(is_stopped=is_stopped)
                if is_stopped and not self.is_over:
                    raise Interrupted

    def take(self, step: Step) -> None:
        """One update."""
        rate = rate_at(self.progress, self.schedule, self.warm_up)
        for group in self.opt.param_groups:
            group["lr"] = group["peak"] * rate
        torch.manual_seed(self.seed * 1_000_003 + self.reached.steps)  # of dropout
        self.figures = step(np.random.default_rng((self.seed, self.reached.steps)), self.progress)
        self.reached.steps += 1
        self.count_time()

    def count_time(self) -> None:
        """Seconds since the last time; those between runs do not count."""
        now = self.now()
        self.reached.seconds = self.agree(self.reached.seconds + now - self._last)
        self._last = now

    @property
    def is_scoring_due(self) -> bool:
        """Whether the next share of the budget is used."""
        return self.progress * self.scorings >= self.reached.scorings + 1

    def score(self, score: Score) -> None:
        """Ask about the pictures put aside, and keep the state where it is the best so far."""
        scores, reached = score(), self.reached
        reached.scorings = int(self.progress * self.scorings + 1e-9)
        reached.last = scores["score"]
        if reached.last >= reached.best - TIE:
            reached.best, reached.best_step = max(reached.best, reached.last), reached.steps
            reached.worse = 0
            self.keep_best()
        else:
            reached.worse += 1
        if self.patience is not None and reached.worse >= self.patience:
            reached.ended = f"{reached.worse} scorings brought nothing better"
        self.count_time()
        self.report({f"held_{key}": value for key, value in scores.items()})

    def keep_best(self) -> None:
        """Write the weights as they are now."""
        if self.is_writer:
            tensors = {k: v.detach().contiguous() for k, v in self.module.state_dict().items()}
            with atomic_file(self.best_file) as draft:
                save_file(tensors, draft)

    def take_best(self) -> int:
        """Put the best weights into the module -> the step that they are of."""
        reached = self.reached
        if reached.best_step not in (0, reached.steps) and self.best_file.is_file():
            tensors: dict[str, Tensor] = load_file(self.best_file)
            self.module.load_state_dict(tensors)
            return reached.best_step
        return reached.steps

    def write_due(self, *, is_stopped: bool) -> None:
        """Figures now and then, the state less often, both at the end."""
        ends, now = self.is_over or is_stopped, self.now()
        if now - self._reported > self.report_every or ends:
            self._reported = now
            self.report(self.figures)
        if self.is_writer and (now - self._saved > self.wait or ends):
            self.save()

    @property
    def wait(self) -> float:
        """Seconds between two states."""
        return max(self.save_every, SAVE_SHARE * self._save_took)

    def save(self) -> None:
        """Write the state, whole or not at all."""
        began, reached = self.now(), self.reached
        progress = StageProgress(reached.seconds, reached.steps, reached.notes())
        save_state(self.state, self.module, self.opt, progress)
        self._saved = self._last = self.now()
        self._save_took = self._saved - began

    def report(self, figures: Figures) -> None:
        """A row of figures, with how far the run is and how many seconds it has left."""
        reached = self.reached
        row: dict[str, Any] = {
            "steps": reached.steps,
            "seconds": round(reached.seconds, 1),
            "progress": round(self.progress, 4),
            "left": round(self.seconds_left, 1),
        }
        row |= {key: round(value, 4) for key, value in figures.items()}
        if self.is_writer:
            self.metrics.add(row)
            self.told(row)

    @property
    def seconds_left(self) -> float:
        """About how long the rest takes."""
        return self.reached.seconds * (1 - self.progress) / max(self.progress, 1e-6)
