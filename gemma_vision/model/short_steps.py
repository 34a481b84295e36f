"""Short steps: the fused decoder for a few positions in float32 on a CPU.

With so few numbers it is the calls that take the time, and NumPy's cost a third of torch's. So
matrices are multiplied by torch, everything else is done by NumPy, in memory that both see. B rows,
T new positions, R = B T, L positions so far, W width, H query heads, K key heads, D head width, M
MLP width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gemma_vision.model.config import FULL, TextConfig
from gemma_vision.model.fused import GELU_CUBE, GELU_SCALE, TABLE, FusedDecoder
from gemma_vision.model.rotary import rotary_table
from gemma_vision.model.row_cache import Array, RowCache

MOST_NUMBERS = 16_384  # of hidden states up to which the count of calls is what takes the time
# Products up to this size are never shared among threads by OpenBLAS, so that a step stays on one.
MOST_PRODUCTS = 262_144
SCALE, CUBE = np.float32(GELU_SCALE.item()), np.float32(GELU_CUBE)
MOST_KEPT = 16  # sets of memory, one for each number of positions


@dataclass(frozen=True)
class Scales:
    """What the norms of a layer multiply by, (W,) each."""

    before_attention: Array
    before_mlp: Array


class Workspace:
    """Memory for steps of R positions, as torch and as NumPy see it."""

    def __init__(self, rows: int, config: TextConfig, mlp_width: int) -> None:
        heads, both, width = config.num_heads, config.num_kv_heads, config.head_width
        both += heads
        self.x, self.x_array = shared(rows, config.width)
        self.normed, self.normed_array = shared(rows, config.width)
        self.qkv, qkv = shared(rows, (both + config.num_kv_heads) * width)
        self.gate_up, gate_up = shared(rows, 2 * mlp_width)
        self.bent, self.bent_array = shared(rows, mlp_width)
        self.seen, self.seen_array = shared(rows, heads * width)
        by_head = qkv.reshape(rows, -1, width)
        self.qk, self.v = by_head[:, :both], by_head[:, both:]
        self.turned = np.empty((rows, both, width), np.float32)
        self.swapped = np.empty((rows, both, width), np.float32)
        half = width // 2
        self.halves = (
            (by_head[:, :both, half:], self.swapped[..., :half]),
            (by_head[:, :both, :half], self.swapped[..., half:]),
        )
        self.q, self.k = self.turned[:, :heads], self.turned[:, heads:]
        self.gate, self.up = gate_up[:, :mlp_width], gate_up[:, mlp_width:]


def is_short(embeds: Tensor, cache: RowCache, config: TextConfig) -> bool:
    """Whether a step of (B, T, W) is one that the count of calls decides on."""
    length, group = embeds.shape[1], config.num_heads // config.num_kv_heads
    products = group * length * config.head_width * (cache.length + length)
    return embeds.numel() <= MOST_NUMBERS and products <= MOST_PRODUCTS


class ShortSteps:
    """Computes what `FusedDecoder` computes, for decoders with two norms to a layer, no window and
    no cap. One step at a time may be under way.
    """

    def __init__(self, fused: FusedDecoder) -> None:
        self.config, self.layers = fused.config, fused.layers
        self.mlp_width = self.layers[0].down.shape[0]
        self.norm = fused.norm.numpy()
        self.scales = [
            Scales(layer.before_attention.numpy(), layer.before_mlp.numpy())
            for layer in self.layers
        ]
        self._kept: dict[int, Workspace] = {}
        self._table = (np.empty((0, 1, 0), np.float32),) * 2

    @classmethod
    def of(cls, fused: FusedDecoder) -> ShortSteps | None:
        """The same decoder's short steps; None where it is not one that these compute."""
        config, layer = fused.config, fused.layers[0]
        is_simple = not (config.has_four_norms or config.has_qk_norm or config.window)
        is_at_hand = layer.qkv.dtype == torch.float32 and layer.qkv.device.type == "cpu"
        return cls(fused) if is_simple and config.attention_cap is None and is_at_hand else None

    def __call__(
        self, embeds: Tensor, positions: Tensor, mask: Tensor | None, cache: RowCache
    ) -> Tensor:
        """(B, T, W), (B, T), (B or 1, 1, T, L) -> (B, T, W); the cache grows by T."""
        rows, length, width = embeds.shape
        space = self._kept.pop(rows * length, None)
        if space is None:
            space = Workspace(rows * length, self.config, self.mlp_width)
        x = space.x_array
        np.copyto(x, embeds.numpy().reshape(-1, width))
        rotary = self._rotary(positions, cache.length + length)
        added = None if mask is None else np.where(mask.numpy(), 0.0, -np.inf).astype(np.float32)
        for index, (layer, scales) in enumerate(zip(self.layers, self.scales, strict=True)):
            self._norm(x, scales.before_attention, space.normed_array)
            torch.mm(space.normed, layer.qkv, out=space.qkv)
            turn(space, rotary)
            keys, values = cache.append_arrays(index, space.k, space.v)
            self._attend(space, keys, values, added)
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
        return torch.from_numpy(out).view(rows, length, width)

    def _rotary(self, positions: Tensor, length: int) -> tuple[Array, Array]:
        """Cosines and signed sines, (R, 1, D) each; the table grows with the text."""
        if self._table[0].shape[0] <= length:
            every = torch.arange(max(TABLE, 2 * length))
            table = rotary_table(
                every, self.config.ropes[FULL], self.config.head_width, torch.float32
            )
            self._table = (table[0].numpy(), table[1].numpy())
        at = positions.reshape(-1).numpy()
        return self._table[0][at], self._table[1][at]

    def _norm(self, x: Array, scale: Array, out: Array) -> None:
        """Unit root mean square, times the scale.   (R, W) -> (R, W)"""
        mean = np.vecdot(x, x)
        mean *= 1 / x.shape[-1]
        mean += self.config.eps
        np.sqrt(mean, out=mean)
        np.divide(x, mean[:, None], out=out)
        np.multiply(out, scale, out=out)

    def _attend(self, space: Workspace, keys: Array, values: Array, added: Array | None) -> None:
        """(B, K, L, D) twice, (B or 1, 1, T, L) -> what each position saw, (R, H D)"""
        rows, kv_heads, _, width = keys.shape
        np.multiply(space.q, self.config.query_scale, out=space.q)
        q = space.q.reshape(rows, -1, kv_heads, self.config.num_heads // kv_heads, width)
        length, group = q.shape[1], q.shape[3]
        q = q.transpose(0, 2, 1, 3, 4)  # (B, K, T, H / K, D)
        scores = np.matmul(q.reshape(rows, kv_heads, -1, width), keys.swapaxes(2, 3))
        if added is not None:
            by_position = scores.reshape(rows, kv_heads, length, group, -1)
            by_position += added[:, :, :, None]
        scores -= scores.max(-1, keepdims=True)
        np.exp(scores, out=scores)
        seen = np.matmul(scores, values)
        seen /= np.add.reduce(scores, -1, keepdims=True)
        by_position = seen.reshape(rows, kv_heads, length, group, width)
        out = space.seen_array.reshape(rows, length, kv_heads, group, width)
        np.copyto(out, by_position.transpose(0, 2, 1, 3, 4))


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
