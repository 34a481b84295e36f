"""State: what a batch of one length remembers between steps. B rows, L positions so far."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from gemma_vision.model.kv_cache import KVCache


@dataclass
class State:
    """What the model remembers between steps of a batch."""

    cache: KVCache
    is_real: Tensor | None  # (B, L) bool, False where a row is padded; None where no row is
    position: Tensor  # (B, 1) of the newest token

    @property
    def nbytes(self) -> int:
        """What the keys and values hold."""
        return self.cache.nbytes

    def copy(self, room: int) -> State:
        """The same state in memory of its own, with room for more tokens."""
        return State(self.cache.copy(room), self.is_real, self.position)

    def select_rows(self, rows: Tensor) -> None:
        """Go on with these rows alone."""
        self.cache.select_rows(rows)
        self.position = self.position[rows]
        if self.is_real is not None:
            self.is_real = self.is_real[rows]
