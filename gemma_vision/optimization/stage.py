"""A stage of training: steps under one cosine, boxed in time, resumable after an interruption.

State lives in a folder as one file (see training_state.py), figures go to a .jsonl file beside it.
Knows nothing of what is trained.
"""

import json
import math
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from gemma_vision.optimization.clock import Clock, TimeUp
from gemma_vision.optimization.metrics_log import MetricsLog
from gemma_vision.optimization.precision import autocast
from gemma_vision.optimization.training_state import StageProgress, load_state, save_state

SAVE_EVERY = 45.0  # seconds: state is never older than a minute
REPORT_EVERY = 10.0
WARM_UP = 0.02  # share of the budget
MEAN, COUNT = "mean", "num_averaged"  # in the optimiser's state
FLOOR = 0.02  # the learning rate ends at this share of its peak

Step = Callable[[float], dict[str, float]]  # progress in 0..1 -> figures; does one update


class TrainingStage:
    """One time-boxed run over a module and its optimiser; each group's `peak` is its top rate.

    tail: the share of its budget, at the end, over whose steps the weights are averaged; what comes
    out is their mean. 0 leaves the last weights.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        minutes: float,
        module: nn.Module,
        opt: Optimizer,
        *,
        clock: Clock | None = None,
        dtype: torch.dtype = torch.bfloat16,
        save_every: float = SAVE_EVERY,
        report_every: float = REPORT_EVERY,
        is_open: bool = True,
        tail: float = 0.0,
    ) -> None:
        self.folder, self.name, self.budget = folder, name, minutes * 60
        self.module, self.opt = module, opt
        self.clock, self.dtype, self.is_open = clock or Clock(), dtype, is_open
        self.tail = tail
        self.save_every, self.report_every = save_every, report_every
        self.seconds, self.steps = 0.0, 0
        self.device = next(module.parameters()).device
        self.metrics = MetricsLog(folder / f"{name}.jsonl")
        folder.mkdir(parents=True, exist_ok=True)
        if self._state.exists():
            progress = load_state(self._state, module, opt)
            self.seconds, self.steps = progress.seconds, progress.steps

    @property
    def progress(self) -> float:
        return min(1.0, self.seconds / self.budget)

    @property
    def is_due(self) -> bool:
        """Whether there is something left to train, and it is this stage's turn."""
        return self.is_open and self.progress < 1

    @property
    def _state(self) -> Path:
        return state_file(self.folder, self.name)

    def autocast(self) -> AbstractContextManager[object]:
        """Products in the stage's precision, on the device of its module."""
        return autocast(self.device, self.dtype)

    def run(self, step: Step) -> None:
        """Call `step` until the minutes are used, adjusting the learning rate before each.

        Raises TimeUp, with everything saved, when the clock is up before that.
        """
        self.metrics.truncate_after(self.steps)
        saved = reported = last = self.clock.now()
        while self.progress < 1:
            self._set_rate()
            figures = step(self.progress)
            now = self.clock.now()
            self.seconds, last, self.steps = self.seconds + now - last, now, self.steps + 1
            if self.tail and self.progress >= 1 - self.tail:
                take_into_mean(self.opt)
            if self.tail and self.progress >= 1:
                put_mean(self.opt)
            is_up = self.clock.is_up
            ends = self.progress >= 1 or is_up
            if now - reported > self.report_every or ends:
                reported = now
                self._report(figures)
            if now - saved > self.save_every or ends:
                saved = now
                save_state(
                    self._state, self.module, self.opt, StageProgress(self.seconds, self.steps)
                )
            if is_up and self.progress < 1:
                raise TimeUp(f"stage {self.name} is at {self.progress:.0%}")

    def _set_rate(self) -> None:
        rate = schedule(self.progress)
        for group in self.opt.param_groups:
            group["lr"] = group["peak"] * rate

    def _report(self, figures: dict[str, float]) -> None:
        row = {"stage": self.name, "seconds": round(self.seconds, 1), "steps": self.steps}
        row |= {key: round(value, 4) for key, value in figures.items()}
        self.metrics.add(row)
        print(json.dumps(row), file=sys.stderr, flush=True)


def state_file(folder: Path, name: str) -> Path:
    """Where the state of a stage lies."""
    return folder / f"{name}.safetensors"


def schedule(progress: float) -> float:
    """Linear warm-up, then a cosine down to `FLOOR`: share of the peak rate."""
    if progress < WARM_UP:
        return max(progress / WARM_UP, 0.01)
    turn = (progress - WARM_UP) / (1 - WARM_UP)
    return FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * turn))


@torch.no_grad()
def take_into_mean(opt: Optimizer) -> None:
    """Take the weights as they are into their mean, which is part of the optimiser's state.

    All steps count alike (Izmailov et al., "Averaging Weights Leads to Wider Optima", 2018).
    """
    for parameter, state in opt.state.items():
        if MEAN not in state:
            state[MEAN], state[COUNT] = parameter.detach().clone(), torch.zeros(())
        state[COUNT] += 1
        state[MEAN].lerp_(parameter, 1 / float(state[COUNT]))


@torch.no_grad()
def put_mean(opt: Optimizer) -> None:
    """The mean takes the place of the weights."""
    for parameter, state in opt.state.items():
        if MEAN in state:
            parameter.copy_(state[MEAN])


def update(stage: TrainingStage, parameters: list[nn.Parameter], loss: Tensor) -> None:
    """Backward, clip the gradient's norm to 1, step."""
    stage.opt.zero_grad()
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_(parameters, 1.0)
    stage.opt.step()


def adamw(groups: list[tuple[list[nn.Parameter], float]], decay: float) -> torch.optim.AdamW:
    """AdamW over (parameters, peak rate) groups; gains, biases and tables are not decayed."""
    rows = []
    for parameters, peak in groups:
        for matrices in (True, False):
            chosen = [p for p in parameters if (p.ndim > 1) is matrices]
            rows.append(
                {"params": chosen, "peak": peak, "weight_decay": decay if matrices else 0.0}
            )
    return torch.optim.AdamW([row for row in rows if row["params"]], lr=0.0, betas=(0.9, 0.98))
