"""Budget: how long a run learns, how far it is, and the rate that goes with it."""

import math
from dataclasses import dataclass
from typing import Any

from gemma_vision.optimization.training_state import StageProgress

FLOOR = 0.02  # the rate ends at this share of its peak


@dataclass(frozen=True)
class Budget:
    """How long a run learns: so many steps, or so many seconds."""

    steps: int | None = None
    seconds: float | None = None

    def progress(self, steps: int, seconds: float) -> float:
        """How much of it is used, 0 to 1."""
        used = steps / self.steps if self.steps else seconds / (self.seconds or 1)
        return min(1.0, used)


@dataclass
class Reached:
    """How far a run is, and the best that it was."""

    steps: int = 0
    seconds: float = 0.0
    scorings: int = 0
    best: float = -math.inf
    best_step: int = 0
    worse: int = 0  # scorings since the best one
    last: float = -math.inf  # score
    ended: str = ""  # why it is over before its time

    def notes(self) -> dict[str, Any]:
        """What is kept in the state beside steps and seconds."""
        known = {key: value for key, value in vars(self).items() if key not in ("steps", "seconds")}
        return {key: None if value == -math.inf else value for key, value in known.items()}

    @classmethod
    def of(cls, progress: StageProgress) -> "Reached":
        """The inverse of `notes`."""
        known: dict[str, Any] = {
            k: -math.inf if v is None else v for k, v in progress.notes.items()
        }
        return cls(progress.steps, progress.seconds, **known)


def rate_at(progress: float, schedule: str, warm_up: float) -> float:
    """A rise, then a fall to `FLOOR`, or none: share of the peak rate."""
    if progress < warm_up:
        return max(progress / warm_up, 0.01)
    turn = (progress - warm_up) / max(1 - warm_up, 1e-9)
    falls = {
        "cosine": 0.5 * (1 + math.cos(math.pi * turn)),
        "linear": 1 - turn,
        "constant": 1.0,
    }
    return FLOOR + (1 - FLOOR) * falls[schedule]
