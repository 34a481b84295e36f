"""Model turns: who may use the model now. Runs share it; a change of checkpoint has it alone."""

from __future__ import annotations

import threading
import time
from types import TracebackType

PATIENCE = 1.0  # seconds that others hold back after somebody wanted the model alone
MODEL_RUNS = 16  # at once, page and endpoints together; the engine decodes them in one batch


class ModelTurns:
    """A lock with two ways in. Who wants the model alone goes before those who would share it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._num_sharing = 0
        self._wanted_until = 0.0  # by somebody who wants it alone, who may ask again and again
        self._is_alone = False

    def acquire(self, timeout: float | None = None) -> bool:
        """Have the model alone, after at most so many seconds; whether it came to that."""
        with self._changed:
            self._wanted_until = time.monotonic() + PATIENCE + (timeout or 0.0)
            got = self._changed.wait_for(lambda: not self.locked(), timeout)
            self._is_alone |= got
        return got

    def release(self) -> None:
        """Others may have it again."""
        with self._changed:
            self._is_alone, self._wanted_until = False, 0.0
            self._changed.notify_all()

    def share(self, timeout: float) -> bool:
        """Use the model beside others, after at most so many seconds; whether it came to that."""
        with self._changed:
            got = self._changed.wait_for(self._has_room, timeout)
            self._num_sharing += got
        return got

    def unshare(self) -> None:
        """One fewer uses it."""
        with self._changed:
            self._num_sharing -= 1
            self._changed.notify_all()

    def locked(self) -> bool:
        """Whether anybody uses it."""
        return self._is_alone or self._num_sharing > 0

    def _has_room(self) -> bool:
        is_wanted = self._is_alone or time.monotonic() < self._wanted_until
        return not is_wanted and self._num_sharing < MODEL_RUNS

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
