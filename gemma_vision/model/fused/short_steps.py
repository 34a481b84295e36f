"""Short steps: the fused decoder for a few positions in float32 on a CPU.

With so few numbers it is the calls that take the time, and NumPy's cost a third of torch's. So
matrices are multiplied by torch, everything else is done by NumPy, in memory that both see. B rows,
T new positions, R = B T, L positions so far, W width, H query heads, D head width, M MLP width.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gemma_vision.model.config import FULL, TextConfig
from gemma_vision.model.fused.decoder import TABLE, FusedDecoder, rounded_root
from gemma_vision.model.fused.products import GELU_CUBE, GELU_SCALE
from gemma_vision.model.rotary import rotary_table
from gemma_vision.model.row_cache import Array, RowCache

MOST_NUMBERS = 16_384  # of hidden states up to which the count of calls is what takes the time
# Products up to this size are never shared among threads by OpenBLAS, so that a step stays on one.
MOST_PRODUCTS = 262_144
SCALE, CUBE = np.float32(GELU_SCALE.item()), np.float32(GELU_CUBE)
ZERO, INFINITE = np.float32(0), np.float32(np.inf)
MOST_KEPT = 16  # sets of memory, one for each number of positions


@dataclass(frozen=True)
class Scales:
    """What the norms of a layer multiply by, (W,) each."""

    before_attention: Array
    before_mlp: Array


class Workspace:
    """Memory for steps of R positions, as torch and as NumPy see it."""

    def __init__(self, rows: int, config: TextConfig, mlp_width: int) -> None:
        heads, width = config.num_heads, config.head_width
        half = width // 2
        self.x, self.x_array = shared(rows, config.width)
        self.normed, self.normed_array = shared(rows, config.width)
        self.qkv, qkv = shared(rows, (heads + 2) * width)
        self.gate_up, gate_up = shared(rows, 2 * mlp_width)
        self.bent, self.bent_array = shared(rows, mlp_width)
        self.seen, self.seen_array = shared(rows, heads * width)
        by_head = qkv.reshape(rows, -1, width)
        self.qk, self.v = by_head[:, :-1], by_head[:, -1]
        self.turned = np.empty((rows, heads + 1, width), np.float32)
        self.swapped = np.empty((rows, heads + 1, width), np.float32)
        self.halves = (
            (self.qk[..., half:], self.swapped[..., :half]),
            (self.qk[..., :half], self.swapped[..., half:]),
        )
        self.q, self.k = self.turned[:, :-1], self.turned[:, -1]
        self.gate, self.up = gate_up[:, :mlp_width], gate_up[:, mlp_width:]


class ShortSteps:
    """Computes what `FusedDecoder` computes, for decoders with one key head, two norms to a layer,
    no window and no cap.
    """

    def __init__(self, fused: FusedDecoder, words: Tensor) -> None:
        self.words, self.root = words.detach().numpy(), rounded_root(words.shape[1], words.dtype)
        self.config, self.layers = fused.config, fused.layers
        self.mlp_width = self.layers[0].down.shape[0]
        self.norm = fused.norm.numpy()
        self.scales = [
            Scales(layer.before_attention.numpy(), layer.before_mlp.numpy())
            for layer in self.layers
        ]
        scales = [[self.config.query_scale]] * self.config.num_heads + [[1.0]]
        self._query_scale = np.array(scales, np.float32)  # (H + 1, 1)
        self._kept: dict[int, Workspace] = {}
        self._table = (np.empty((0, 1, 0), np.float32),) * 2

    @classmethod
    def of(cls, fused: FusedDecoder, words: Tensor) -> ShortSteps | None:
        """The same decoder's short steps; None where it is not one that these compute.

        words: (V, W), the embedding.
        """
        config, layer = fused.config, fused.layers[0]
        is_simple = not (config.has_four_norms or config.has_qk_norm or config.window)
        is_simple = is_simple and config.attention_cap is None and config.num_kv_heads == 1
        is_at_hand = layer.qkv.dtype == torch.float32 and layer.qkv.device.type == "cpu"
        return cls(fused, words) if is_simple and is_at_hand else None

    def fits(self, ids: Tensor, cache: RowCache) -> bool:
        """Whether a step of (B, T) is one that the count of calls decides on."""
        config, length = self.config, ids.shape[1]
        products = config.num_heads * length * config.head_width * (cache.length + length)
        return ids.numel() * config.width <= MOST_NUMBERS and products <= MOST_PRODUCTS

    def __call__(
        self, ids: Tensor, positions: Tensor, mask: Tensor | None, cache: RowCache
    ) -> Tensor:
        """(B, T), (B, T), (B or 1, 1, T, L) -> (B, T, W); the cache grows by T."""
        rows, length = ids.shape
        space = self._kept.pop(rows * length, None)
        if space is None:
            space = Workspace(rows * length, self.config, self.mlp_width)
        x = space.x_array
        np.multiply(self.words[ids.numpy().reshape(-1)], self.root, out=x)
        rotary = self._rotary(positions, cache.length + length)
        added = None if mask is None else np.where(mask[:, 0].numpy(), ZERO, -INFINITE)
        for index, (layer, scales) in enumerate(zip(self.layers, self.scales, strict=True)):
            self._norm(x, scales.before_attention, space.normed_array)
            torch.mm(space.normed, layer.qkv, out=space.qkv)
            turn(space, rotary)
            keys, values = cache.append_arrays(index, space.k, space.v)
            see(space, keys, values, added)
            space.x.addmm_(space.seen, layer.out)
            self._norm(x, scales.before_mlp, space.normed_array)
            torch.mm(space.normed, layer.gate_up, out=space.gate_up)
            bend(space.gate, space.up, space.bent_array)
            space.x.addmm_(space.bent, layer.down)
        cache.length += length
        out = np.empty_like(x)
        self._norm(x, self.norm, out)
        if len(self._kept) < MOST_KEPT:
            self._kept[rows * length] = space
        return torch.from_numpy(out).view(rows, length, -1)

    def _rotary(self, positions: Tensor, length: int) -> tuple[Array, Array]:
        """Cosines and signed sines for H queries and the key, (R, H + 1, D) each.

        Queries are scaled on the way. The table grows with the text.
        """
        if self._table[0].shape[0] <= length:
            every, rope = torch.arange(max(TABLE, 2 * length)), self.config.ropes[FULL]
            table = rotary_table(every, rope, self.config.head_width, torch.float32)
            self._table = (table[0].numpy(), table[1].numpy())
        at = positions.reshape(-1).numpy()
        cos, sin = self._table
        return cos[at] * self._query_scale, sin[at] * self._query_scale

    def _norm(self, x: Array, scale: Array, out: Array) -> None:
        """Unit root mean square, times the scale.   (R, W) -> (R, W)"""
        width, eps = x.shape[1], self.config.eps
        if len(x) == 1:
            row = x[0]
            np.multiply(x, 1 / math.sqrt(row.dot(row) / width + eps), out=out)
        else:
            np.divide(x, np.sqrt(np.vecdot(x, x)[:, None] / width + eps), out=out)
        np.multiply(out, scale, out=out)


def see(space: Workspace, keys: Array, values: Array, added: Array | None) -> None:
    """What the queries see of (B, L, D) keys and values; added: (B or 1, T, L), 0 or -inf."""
    rows, heads = len(keys), space.q.shape[1]
    scores = np.matmul(space.q.reshape(rows, -1, keys.shape[2]), keys.swapaxes(1, 2))
    if added is not None:
        by_position = scores.reshape(rows, -1, heads, keys.shape[1])
        by_position += added[:, :, None]
    scores -= np.maximum.reduce(scores, 2, keepdims=True)
    np.exp(scores, out=scores)
    seen = space.seen_array.reshape(rows, -1, keys.shape[2])
    np.matmul(scores, values, out=seen)
    seen /= np.add.reduce(scores, 2, keepdims=True)


def turn(space: Workspace, rotary: tuple[Array, Array]) -> None:
    """Queries and keys by their position, as `apply_rotary`."""
    cos, sin = rotary
    for half, place in space.halves:
        np.copyto(place, half)
    np.multiply(space.swapped, sin, out=space.swapped)
    np.multiply(space.qk, cos, out=space.turned)
    np.add(space.turned, space.swapped, out=space.turned)


def bend(gate: Array, up: Array, out: Array) -> None:
    """The tanh form of GELU of the gate, times what it lets through.   (R, M), (R, M) -> (R, M)"""
    np.multiply(gate, gate, out=out)
    out *= CUBE
    out += SCALE
    out *= gate
    np.tanh(out, out=out)
    out += np.float32(1)
    out *= gate
    out *= np.float32(0.5)
    out *= up


def shared(rows: int, width: int) -> tuple[Tensor, Array]:
    """The same memory twice: as torch sees it and as NumPy does."""
    with torch.inference_mode(False):
        tensor = torch.empty(rows, width)
    return tensor, tensor.numpy()
