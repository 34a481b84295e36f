"""ProgressLine: how far a long verb is, on standard error."""

from __future__ import annotations

import sys
import time

from gemma_vision.cli.writing import print_message


class ProgressLine:
    """A line on standard error: rewritten in place on a terminal, now and then elsewhere."""

    EVERY = 10.0  # seconds between lines where they cannot be rewritten

    def __init__(self, things: str) -> None:
        self._things = things
        self._before = 0  # done when the work began
        self._began = self._told = time.monotonic()
        self._is_terminal = sys.stderr.isatty()

    def update(self, done: int, total: int) -> None:
        """`done` of `total`, how many a second, and about how long the rest will take."""
        now = time.monotonic()
        if not self._is_terminal and now - self._told < self.EVERY and done < total:
            return
        self._told = now
        line = f"{done} of {total} {self._things}"
        if (fresh := done - self._before) > 0:
            rate = fresh / max(now - self._began, 1e-6)
            line += f", {rate:.1f} a second, about {duration((total - done) / rate)} left"
        print_message(f"\r{line}\033[K" if self._is_terminal else line, end=self._end)

    def begin(self, done: int) -> None:
        """So many were done before: they say nothing of how fast the others will be."""
        self._before, self._began = done, time.monotonic()

    def end(self) -> None:
        """Leave the terminal's line."""
        if self._is_terminal:
            print_message("")

    @property
    def _end(self) -> str:
        return "" if self._is_terminal else "\n"


def duration(seconds: float) -> str:
    """A time as a person says it.   200.0  ->  "3 min 20 s" """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
