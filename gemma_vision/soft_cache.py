"""Soft cache: what the tower made of pictures seen lately, up to a number of bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from torch import Tensor

MAX_BYTES = 256 * 2**20  # about 490 pictures of PaliGemma-3B at 224 pixels in bfloat16


class SoftCache:
    """Soft tokens by the content they stand for; the ones longest unused go first."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self.max_bytes = max_bytes
        self.hits = 0
        self.misses = 0
        self._kept: OrderedDict[Hashable, Tensor] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def num_bytes(self) -> int:
        """What is held now."""
        return sum(soft.nbytes for soft in self._kept.values())

    def get(self, key: Hashable) -> Tensor | None:
        """The soft tokens kept under a key, counted as a hit or a miss."""
        soft = self._kept.get(key)
        if soft is None:
            self.misses += 1
            return None
        self.hits += 1
        self._kept.move_to_end(key)
        return soft

    def put(self, key: Hashable, soft: Tensor) -> None:
        """Keep soft tokens; others are forgotten until all fit."""
        self._kept[key] = soft
        self._kept.move_to_end(key)
        while self._kept and self.num_bytes > self.max_bytes:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forget every picture; the counts go on."""
        self._kept.clear()
