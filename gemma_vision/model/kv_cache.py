"""KV cache: keys and values of the positions read so far. B rows, K heads, L positions, D width."""

from __future__ import annotations

import torch
from torch import Tensor

ROOM = 64  # positions added at least when the cache is full


class KVCache:
    """Keys and values of every layer that makes some, each where that layer computes.

    Memory for `capacity` positions is taken at first; it grows by half when they are used up.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.keys: list[Tensor] = []
        self.values: list[Tensor] = []
        self.length = 0  # positions every layer has; the decoder counts on after its last layer
        self._end = 0  # positions the layer that appended last has

    def append(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Remember (B, K, T, D) new ones; everything so far comes back, (B, K, L, D)."""
        end = self._end = self.length + k.shape[2]
        if layer == len(self.keys):
            for store, first in ((self.keys, k), (self.values, v)):
                store.append(_grown(first[:, :, :0], max(end, self.capacity)))
        if end > self.keys[layer].shape[2]:
            more = max(end, self.length + max(ROOM, self.length // 2))
            self.keys[layer] = _grown(self.keys[layer], more)
            self.values[layer] = _grown(self.values[layer], more)
        keys, values = self.keys[layer], self.values[layer]
        keys[:, :, self.length : end] = k
        values[:, :, self.length : end] = v
        return keys[:, :, :end], values[:, :, :end]

    def read(self, layer: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """What an earlier layer has, the newest positions included, (B, K, L, D) each."""
        keys, values = self.keys[layer][:, :, : self._end], self.values[layer][:, :, : self._end]
        return keys.to(device), values.to(device)

    @property
    def nbytes(self) -> int:
        """What is held, room that is not used yet included."""
        return sum(tensor.nbytes for tensor in (*self.keys, *self.values))

    def copy(self, room: int) -> KVCache:
        """The same positions in memory of its own, with room for more."""
        twin = KVCache(self.length + room)
        twin.length = self.length
        twin.keys = [_grown(keys[:, :, : self.length], twin.capacity) for keys in self.keys]
        twin.values = [_grown(one[:, :, : self.length], twin.capacity) for one in self.values]
        return twin

    def select_rows(self, rows: Tensor) -> None:
        """Forget all rows but these."""
        self.keys = [keys[rows.to(keys.device)] for keys in self.keys]
        self.values = [values[rows.to(values.device)] for values in self.values]


def _grown(old: Tensor, capacity: int) -> Tensor:
    rows, heads, length, width = old.shape
    new = old.new_zeros(rows, heads, capacity, width)  # a row cache masks what it never wrote
    new[:, :, :length] = old
    return new
