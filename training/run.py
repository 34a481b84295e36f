"""Run: what all stages of a training share: folder, seed, device, precision, and the time there is.

Knows nothing of models, and of scenes which seeds are for evaluation.
"""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn
from torch.optim import Optimizer

from gemma_vision.optimization.clock import Clock
from gemma_vision.optimization.stage import REPORT_EVERY, SAVE_EVERY, TrainingStage
from gemma_vision.synthetic.poses import EVALUATION_SEEDS
from postprocess.errors import UserError

CPU = torch.device("cpu")
MAX_SEED = EVALUATION_SEEDS - 10  # stages draw from this seed and a few after it


class DeviceError(UserError):
    """A device that is not here."""

    CODE = "E_DEVICE"


@dataclass(frozen=True)
class Pace:
    """How a stage is trained: its minutes, and how many times its own batch and its own rate.

    tail: the share of the minutes, at their end, whose weights are averaged.
    """

    minutes: float
    times: int = 1
    gain: float = 1.0
    tail: float = 0.0


@dataclass(frozen=True)
class TrainingRun:
    """One training. `stages` are those that may train; the others only load what they made.

    compositor: "opencv" draws scenes in processes beside the training, "torch" on the device.
    dtype: of products; weights are float32 always.
    """

    folder: Path
    stages: frozenset[str]
    seed: int = 1
    device: torch.device = CPU
    dtype: torch.dtype = torch.bfloat16
    compositor: str = "opencv"
    workers: int = 1
    save_every: float = SAVE_EVERY
    report_every: float = REPORT_EVERY
    clock: Clock = field(default_factory=Clock)


def check_seed(seed: int) -> None:
    """Leave the program where scenes of a seed are for evaluation."""
    if not 0 <= seed <= MAX_SEED:
        sys.exit(f"--seed is {seed}; take one of 0 to {MAX_SEED}: others are for evaluation.")


def pick_device(name: str) -> torch.device:
    """`auto`, `cpu` or `cuda` -> the device; auto takes a GPU where there is one."""
    has_gpu = torch.cuda.is_available()
    if name == "cuda" and not has_gpu:
        raise DeviceError("--device is cuda, but no CUDA device is here; take cpu or auto.")
    return torch.device("cuda" if has_gpu and name != "cpu" else "cpu")


def pick_workers(device: torch.device) -> int:
    """Processes that draw scenes: one beside a CPU that trains, most cores beside a GPU."""
    return 1 if device.type == "cpu" else max(1, min(8, (os.cpu_count() or 2) - 2))


def open_stage(
    run: TrainingRun, name: str, pace: Pace, module: nn.Module, opt: Optimizer
) -> TrainingStage:
    """A stage as its run wants it: precision, clock, how often it saves, whether it may train."""
    return TrainingStage(
        run.folder,
        name,
        pace.minutes,
        module,
        opt,
        clock=run.clock,
        dtype=run.dtype,
        save_every=run.save_every,
        report_every=run.report_every,
        is_open=name in run.stages,
        tail=pace.tail,
    )
