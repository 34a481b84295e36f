"""Clock: the time that a training has."""

import time
from collections.abc import Callable


class TimeUp(Exception):
    """The minutes of this run are used; the message says where it stopped. All state is saved."""


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
