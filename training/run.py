"""Run: what all stages of a training share: folder, seed, device, precision, and the time there is.

Knows nothing of stages, models or scenes.
"""

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import torch

from postprocess.errors import UserError

SAVE_EVERY = 45.0  # seconds: state is never older than a minute
REPORT_EVERY = 10.0
TRIALS, TRIAL_SIDE = 12, 384  # of `pick_dtype`: a fifth of a second
CPU = torch.device("cpu")


class TimeUp(Exception):
    """The minutes of this run are used; the message says where it stopped. All state is saved."""


class DeviceError(UserError):
    """A device that is not here."""

    CODE = "E_DEVICE"


class Clock:
    """The time of a run: `minutes` from now on, or as long as it takes.

    `now` gives seconds; another one than the machine's makes a run repeatable.
    """

    def __init__(
        self, minutes: float | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.now = now
        self._end = float("inf") if minutes is None else now() + 60 * minutes

    @property
    def is_up(self) -> bool:
        return self.now() >= self._end


@dataclass(frozen=True)
class Pace:
    """How a stage is trained: its minutes, and how many times its own batch and its own rate."""

    minutes: float
    times: int = 1
    gain: float = 1.0


@dataclass(frozen=True)
class Run:
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


def mixed(device: torch.device, dtype: torch.dtype) -> AbstractContextManager[object]:
    """Autocast to a precision; nothing at all for float32."""
    return nullcontext() if dtype == torch.float32 else torch.autocast(device.type, dtype)


def pick_device(name: str) -> torch.device:
    """`auto`, `cpu` or `cuda` -> the device; auto takes a GPU where there is one."""
    has_gpu = torch.cuda.is_available()
    if name == "cuda" and not has_gpu:
        raise DeviceError("--device is cuda, but no CUDA device is here; take cpu or auto.")
    return torch.device("cuda" if has_gpu and name != "cpu" else "cpu")


def pick_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the device multiplies faster in it, else float32; a CPU is tried out."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    faster = _seconds(torch.bfloat16) < 0.9 * _seconds(torch.float32)
    return torch.bfloat16 if faster else torch.float32


def _seconds(dtype: torch.dtype) -> float:
    """How long a product of two matrices takes at best."""
    a = torch.ones(TRIAL_SIDE, TRIAL_SIDE, dtype=dtype)
    times = []
    for _ in range(TRIALS):
        began = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - began)
    return min(times)


def pick_workers(device: torch.device) -> int:
    """Processes that draw scenes: one beside a CPU that trains, most cores beside a GPU."""
    return 1 if device.type == "cpu" else max(1, min(8, (os.cpu_count() or 2) - 2))
