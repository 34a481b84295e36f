"""Progress: how far a checkpoint on its way into memory has come, and a way to call it off.

Whoever loads gets a `ProgressReporter` and tells it at every file and tensor; whoever waits reads
`progress` from any thread, and `cancel` ends the loading at its next word.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(frozen=True)
class LoadProgress:
    """What is being done, and how far it is.

    phase: "fetching" (done and total in bytes), "waiting" for the model's turn, "reading" (in
    tensors), "preparing" (in layers) or "returning" to the checkpoint that was there before. total
    is 0 where nobody knows.
    """

    phase: str
    done: int = 0
    total: int = 0


class Cancelled(Exception):
    """Somebody called the loading off."""


class ProgressReporter:
    """One loading, seen from outside. `progress` is None before its first word."""

    def __init__(self) -> None:
        self.progress: LoadProgress | None = None
        self._cancelled = threading.Event()

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """End the loading at its next word. Does not wait."""
        self._cancelled.set()

    def report(self, phase: str, done: int = 0, total: int = 0) -> None:
        """Say how far it is; raises Cancelled where nobody wants it any more."""
        if self.is_cancelled:
            raise Cancelled
        self.progress = LoadProgress(phase, done, total)
