"""ProgressLine: how far a long verb is, on standard error."""

from __future__ import annotations

import sys
import time


class ProgressLine:
    """A line on standard error: rewritten in place on a terminal, now and then elsewhere."""

    EVERY = 10.0  # seconds between lines where they cannot be rewritten

    def __init__(self, things: str) -> None:
        self._things = things
        self._began = self._told = time.monotonic()
        self._is_terminal = sys.stderr.isatty()

    def update(self, done: int, total: int) -> None:
        """`done` of `total`, and about how long the rest will take."""
        now = time.monotonic()
        if not self._is_terminal and now - self._told < self.EVERY and done < total:
            return
        self._told = now
        left = (now - self._began) / done * (total - done)
        line = f"{done} of {total} {self._things}, about {left:.0f} s left"
        print(f"\r{line}\033[K" if self._is_terminal else line, end=self._end, file=sys.stderr)

    def end(self) -> None:
        """Leave the terminal's line."""
        if self._is_terminal:
            print(file=sys.stderr)

    @property
    def _end(self) -> str:
        return "" if self._is_terminal else "\n"
