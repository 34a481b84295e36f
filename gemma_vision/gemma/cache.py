"""Cache: keys and values of the positions read so far. B rows, K heads, L positions, D width."""

from __future__ import annotations

from torch import Tensor

from gemma_vision.config import TextConfig

ROOM = 64  # positions added at least when the cache is full


class Cache:
    """Room for `capacity` positions in every layer; it grows by half when they are used up."""

    def __init__(self, config: TextConfig, rows: int, capacity: int, like: Tensor) -> None:
        shape = (rows, config.num_kv_heads, capacity, config.head_width)
        self.keys = [like.new_empty(shape) for _ in range(config.num_layers)]
        self.values = [like.new_empty(shape) for _ in range(config.num_layers)]
        self.length = 0  # positions every layer has; the decoder counts on after its last layer

    def append(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Remember (B, K, T, D) new ones; everything so far comes back, (B, K, L, D)."""
        end = self.length + k.shape[2]
        if end > self.keys[layer].shape[2]:
            self.keys[layer] = _grown(self.keys[layer], end)
            self.values[layer] = _grown(self.values[layer], end)
        keys, values = self.keys[layer], self.values[layer]
        keys[:, :, self.length : end] = k
        values[:, :, self.length : end] = v
        return keys[:, :, :end], values[:, :, :end]

    def keep(self, rows: Tensor) -> None:
        """Forget all rows but these."""
        self.keys = [keys[rows] for keys in self.keys]
        self.values = [values[rows] for values in self.values]


def _grown(old: Tensor, least: int) -> Tensor:
    rows, heads, capacity, width = old.shape
    new = old.new_empty(rows, heads, max(least, capacity + max(ROOM, capacity // 2)), width)
    new[:, :, :capacity] = old
    return new
