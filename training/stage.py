"""A stage of training: steps under one cosine, boxed in time, resumable after an interruption.

State lives in a folder as safetensors (weights, optimiser) and JSON (seconds used, steps done);
figures go to a .jsonl file beside it. Knows nothing of what is trained.
"""

import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim import Optimizer

SAVE_EVERY = 60.0  # seconds
REPORT_EVERY = 10.0
WARM_UP = 0.02  # share of the budget
FLOOR = 0.02  # the learning rate ends at this share of its peak

Step = Callable[[float], dict[str, float]]  # progress in 0..1 -> figures; does one update


class Stage:
    """One time-boxed run over a module and its optimiser; each group's `peak` is its top rate."""

    def __init__(self, folder: Path, name: str, minutes: float, module: nn.Module, opt: Optimizer):
        self.folder, self.name, self.budget = folder, name, minutes * 60
        self.module, self.opt = module, opt
        self.seconds, self.steps = 0.0, 0
        folder.mkdir(parents=True, exist_ok=True)
        if self._notes.exists():
            self._load()

    @property
    def progress(self) -> float:
        return min(1.0, self.seconds / self.budget)

    @property
    def _notes(self) -> Path:
        return self.folder / f"{self.name}.json"

    @property
    def _tensors(self) -> Path:
        return self.folder / f"{self.name}.safetensors"

    def run(self, step: Step) -> None:
        """Call `step` until the minutes are used, adjusting the learning rate before each."""
        saved = reported = last = time.monotonic()
        while self.progress < 1:
            rate = schedule(self.progress)
            for group in self.opt.param_groups:
                group["lr"] = group["peak"] * rate
            figures = step(self.progress)
            now = time.monotonic()
            self.seconds, last, self.steps = self.seconds + now - last, now, self.steps + 1
            if now - reported > REPORT_EVERY or self.progress >= 1:
                reported = now
                self._report(figures)
            if now - saved > SAVE_EVERY or self.progress >= 1:
                saved = now
                self._save()

    def _report(self, figures: dict[str, float]) -> None:
        row = {"stage": self.name, "seconds": round(self.seconds), "steps": self.steps}
        row |= {key: round(value, 4) for key, value in figures.items()}
        with (self.folder / f"{self.name}.jsonl").open("a") as log:
            log.write(json.dumps(row) + "\n")
        print(json.dumps(row), file=sys.stderr, flush=True)

    def _save(self) -> None:
        tensors = {f"module.{k}": v.contiguous() for k, v in self.module.state_dict().items()}
        tensors |= {f"opt.{k}": v for k, v in _optimiser_tensors(self.opt)}
        save_file(_unshared(tensors), self._tensors.with_suffix(".new"))
        self._tensors.with_suffix(".new").replace(self._tensors)
        self._notes.write_text(json.dumps({"seconds": self.seconds, "steps": self.steps}))

    def _load(self) -> None:
        notes, tensors = json.loads(self._notes.read_text()), load_file(self._tensors)
        self.seconds, self.steps = notes["seconds"], notes["steps"]
        module = {k.removeprefix("module."): v for k, v in tensors.items() if k[:7] == "module."}
        self.module.load_state_dict(module, strict=False)  # shared tensors are stored once
        for index, parameter in enumerate(_parameters(self.opt)):
            keys = [k for k in tensors if k.startswith(f"opt.{index}.")]
            self.opt.state[parameter] = {k.split(".", 2)[2]: tensors[k] for k in keys}


def schedule(progress: float) -> float:
    """Linear warm-up, then a cosine down to `FLOOR`: share of the peak rate."""
    if progress < WARM_UP:
        return max(progress / WARM_UP, 0.01)
    turn = (progress - WARM_UP) / (1 - WARM_UP)
    return FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * turn))


def update(stage: Stage, parameters: list[nn.Parameter], loss: Tensor) -> None:
    """Backward, clip the gradient's norm to 1, step."""
    stage.opt.zero_grad()
    loss.backward()
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


def _parameters(opt: Optimizer) -> Iterator[nn.Parameter]:
    for group in opt.param_groups:
        yield from group["params"]


def _optimiser_tensors(opt: Optimizer) -> Iterator[tuple[str, Tensor]]:
    for index, parameter in enumerate(_parameters(opt)):
        for key, value in opt.state.get(parameter, {}).items():
            yield f"{index}.{key}", torch.as_tensor(value).contiguous()


def _unshared(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Leave out second names of one tensor (a tied head): the format stores each once."""
    seen: set[int] = set()
    kept = {}
    for key, value in tensors.items():
        if value.numel() == 0 or value.data_ptr() not in seen:
            kept[key] = value
            seen.add(value.data_ptr())
    return kept
