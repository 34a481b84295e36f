"""Row cache: keys and values of answers that are decoded together, each as long as it is.

B rows, K heads, T new positions, L positions of the longest row, C of room, D width.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gemma_vision.model.kv_cache import KVCache

Array = np.ndarray[Any, np.dtype[np.float32]]

ROOM = 64  # positions added at least when the room is used up


class RowCache:
    """What `KVCache` is to one batch, to rows that come and go.

    Row b holds its positions from 0 to `lengths[b]`; behind them stands what is of no use, which
    nobody looks at and which is written over. So a row is taken back by shortening it. Decoders
    use it as they use a `KVCache`.
    """

    def __init__(self) -> None:
        self.keys: list[Tensor] = []  # (rows there is room for, K, C, D) for each layer
        self.values: list[Tensor] = []
        self.lengths: list[int] = []  # positions that each row has
        self.length = 0  # positions of the longest row before a step; the decoder counts on
        self._end = 0
        self._arrays: list[tuple[Array, Array]] = []  # of each layer's one key head, once wanted
        self._places: tuple[Tensor, Tensor] | None = None  # of the new positions, where rows differ

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def nbytes(self) -> int:
        """What is held, room that is not used yet included."""
        return sum(tensor.nbytes for tensor in (*self.keys, *self.values))

    @property
    def bytes_per_position(self) -> int:
        """What one position of one row takes; 0 before the first row."""
        rooms = [keys.shape[0] * keys.shape[2] for keys in self.keys]
        return sum(
            (keys.nbytes + values.nbytes) // room
            for keys, values, room in zip(self.keys, self.values, rooms, strict=True)
        )

    @property
    def is_even(self) -> bool:
        """Whether all rows are of one length."""
        return len(self.lengths) == 1 or len(set(self.lengths)) == 1

    def add_rows(self, cache: KVCache, paddings: Iterable[int]) -> None:
        """Take in the rows of a prefill, without the padding that they have on the left.

        Its memory becomes this one's where there are no rows yet and no padding.
        """
        paddings, self._arrays = list(paddings), []
        if not self.lengths and not any(paddings):
            self.keys, self.values = list(cache.keys), list(cache.values)
            self.lengths = [cache.length] * len(paddings)
            return
        first, lengths = len(self), [cache.length - padding for padding in paddings]
        ends = (first + len(lengths), max([*lengths, *self.lengths]))
        for own, theirs in ((self.keys, cache.keys), (self.values, cache.values)):
            for layer, new in enumerate(theirs):
                if layer == len(own):
                    own.append(new[:0, :, :0])
                own[layer] = _grown(own[layer], *ends)
                for row, (length, padding) in enumerate(zip(lengths, paddings, strict=True)):
                    own[layer][first + row, :, :length] = new[row, :, padding : cache.length]
        self.lengths += lengths

    def drop_rows(self, rows: Iterable[int]) -> None:
        """Forget rows. The last row takes the place of each, the highest place first."""
        for row in sorted(rows, reverse=True):
            last, length = len(self) - 1, self.lengths[-1]
            if row != last:
                for tensor in (*self.keys, *self.values):
                    tensor[row, :, :length] = tensor[last, :, :length]
                self.lengths[row] = length
            self.lengths.pop()
        if not self.lengths:
            self.keys, self.values, self._arrays = [], [], []

    def replace(self, keys: list[Tensor], values: list[Tensor]) -> None:
        """Go on in other memory, which holds the same."""
        self.keys, self.values, self._arrays = keys, values, []

    def begin_step(self, count: int, device: torch.device) -> None:
        """Make room for so many positions more in every row, at the end of each."""
        self.length = max(self.lengths)
        self._end = self.length + count
        if self._end > self.keys[0].shape[2]:
            more = max(self._end, self.length + max(ROOM, self.length // 2))
            self.keys = [_grown(keys, len(self), more) for keys in self.keys]
            self.values = [_grown(values, len(self), more) for values in self.values]
            self._arrays = []
        self._places = None
        if not self.is_even:
            rows = torch.arange(len(self), device=device)[:, None]
            starts = torch.tensor(self.lengths, device=device)[:, None]
            self._places = (rows, starts + torch.arange(count, device=device))

    def append(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Remember (B, K, T, D) new ones; everything so far comes back, (B, K, L + T, D)."""
        keys, values = self.keys[layer], self.values[layer]
        rows, end = len(self), self._end
        if self._places is None:
            if keys.shape[0] > rows:
                keys, values = keys[:rows], values[:rows]
            keys.narrow(2, self.length, end - self.length).copy_(k)
            values.narrow(2, self.length, end - self.length).copy_(v)
            return keys.narrow(2, 0, end), values.narrow(2, 0, end)
        row, at = (place.to(keys.device) for place in self._places)
        keys[row, :, at] = k.transpose(1, 2)
        values[row, :, at] = v.transpose(1, 2)
        return keys[:rows, :, :end], values[:rows, :, :end]

    def append_arrays(self, layer: int, k: Array, v: Array) -> tuple[Array, Array]:
        """As `append` for one key head, (B T, D) of NumPy on a CPU; views of all, (B, L + T, D)."""
        if not self._arrays:
            every = zip(self.keys, self.values, strict=True)
            self._arrays = [(keys[:, 0].numpy(), values[:, 0].numpy()) for keys, values in every]
        rows, start, end = len(self.lengths), self.length, self._end
        keys, values = self._arrays[layer]
        keys, values = keys[:rows, :end], values[:rows, :end]
        k, v = k.reshape(rows, end - start, -1), v.reshape(rows, end - start, -1)
        if self._places is None:
            keys[:, start:], values[:, start:] = k, v
        else:
            row, at = (place.numpy() for place in self._places)
            keys[row, at], values[row, at] = k, v
        return keys, values

    def read(self, layer: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """What an earlier layer has, the newest positions included, (B, K, L + T, D) each."""
        rows, end = len(self), self._end
        keys, values = self.keys[layer][:rows, :, :end], self.values[layer][:rows, :, :end]
        return keys.to(device), values.to(device)


Cache = KVCache | RowCache  # what a decoder reads and adds to


def _grown(old: Tensor, rows: int, positions: int) -> Tensor:
    """Room for at least so many rows and positions; what is there stays."""
    if rows <= old.shape[0] and positions <= old.shape[2]:
        return old
    more_rows = old.shape[0] if rows <= old.shape[0] else max(rows, 2 * old.shape[0])
    new = old.new_zeros(more_rows, old.shape[1], max(positions, old.shape[2]), old.shape[3])
    new[: old.shape[0], :, : old.shape[2]] = old
    return new
