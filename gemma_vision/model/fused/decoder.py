"""Fused: the decoder of decoder.py with its matrices put side by side, for short steps.

The same numbers by fewer and larger operations: matrices that read one input are one product,
stored (in, out); rotary angles are looked up; residuals are added within products; no module is
called. R rows times positions, W width, H query heads, K key heads, D head width, M MLP width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache as cached

import torch
import torch.nn.functional as F
from torch import Tensor

from gemma_vision.model.config import FULL, TextConfig
from gemma_vision.model.fused.products import added_product, gated_product, product
from gemma_vision.model.rotary import Rotary, apply_rotary, attend, ropes_of, rotary_table
from gemma_vision.model.row_cache import Cache

SHORT = 16_384  # numbers up to which the count of operations is what takes the time
TABLE = 1024  # positions that angles are worked out for at first


@dataclass(frozen=True)
class FusedLayer:
    """The weights of one layer, plain or prepacked. Norms are 1 + weight, in float32."""

    qkv: Tensor  # (W, (H + 2 K) D)
    out: Tensor  # (H D, W)
    gate_up: Tensor  # (W, 2 M)
    down: Tensor  # (M, W)
    before_attention: Tensor
    before_mlp: Tensor
    after_attention: Tensor | None
    after_mlp: Tensor | None
    qk: Tensor | None  # (H + K, D), the norms of queries and keys


class FusedDecoder:
    """Computes what `GemmaDecoder.forward` computes."""

    def __init__(self, config: TextConfig, layers: Sequence[FusedLayer], norm: Tensor) -> None:
        self.config = config
        self.layers = layers
        self.norm = norm
        self.tables: dict[str, tuple[Tensor, Tensor]] = {}  # by layer type, for every position

    def __call__(
        self, embeds: Tensor, positions: Tensor, masks: Mapping[str, Tensor | None], cache: Cache
    ) -> Tensor:
        """(B, T, W), (B, T) -> (B, T, W); the cache grows by T."""
        rows, length, width = embeds.shape
        rotaries = self._rotary(positions, cache.length + length, embeds)
        x = embeds.reshape(-1, width)
        for index, (layer, kind) in enumerate(
            zip(self.layers, self.config.layer_types, strict=True)
        ):
            x = self._attend(
                layer, index, x, rotaries.get(kind, rotaries[FULL]), masks[kind], cache
            )
            x = self._widen(layer, x)
        cache.length += length
        return self._normed(x, self.norm).view(rows, length, width)

    def _attend(
        self,
        layer: FusedLayer,
        index: int,
        x: Tensor,
        rotary: Rotary,
        mask: Tensor | None,
        cache: Cache,
    ) -> Tensor:
        """(R, W) -> (R, W), with what the layer saw added"""
        config = self.config
        heads, both = config.num_heads, config.num_heads + config.num_kv_heads
        rows, length = rotary[0].shape[:2]
        normed = self._normed(x, layer.before_attention)
        qkv = product(normed, layer.qkv).view(rows, length, -1, config.head_width)
        qk = qkv[:, :, :both]
        if layer.qk is not None:
            qk = self._normed(qk) * layer.qk
        qk = apply_rotary(qk.to(x.dtype), rotary)
        k, v = qk[:, :, heads:].transpose(1, 2), qkv[:, :, both:].transpose(1, 2)
        keys, values = cache.append(index, k, v)
        seen = attend(qk[:, :, :heads], keys, values, mask, config).reshape(x.shape[0], -1)
        return self._added(x, seen, layer.out, layer.after_attention)

    def _widen(self, layer: FusedLayer, x: Tensor) -> Tensor:
        """(R, W) -> (R, W), with the MLP's result added"""
        bent = gated_product(self._normed(x, layer.before_mlp), layer.gate_up)
        return self._added(x, bent, layer.down, layer.after_mlp)

    def _added(self, x: Tensor, y: Tensor, weight: Tensor, norm: Tensor | None) -> Tensor:
        """x + y @ weight, normalised before it is added where the family does so"""
        if norm is None:
            return added_product(x, y, weight)
        return x + self._normed(product(y, weight), norm)

    def _normed(self, x: Tensor, scale: Tensor | None = None) -> Tensor:
        """Unit root mean square in float32, times the scale; back in x's type with a scale."""
        width = x.shape[-1]
        if x.numel() <= SHORT and x.dtype == torch.float32 and x.device.type == "cpu":
            return short_rms_norm(x, scale, self.config.eps)
        normed = F.rms_norm(x.float(), (width,), scale, self.config.eps)
        return normed if scale is None else normed.type_as(x)

    def _rotary(self, positions: Tensor, length: int, like: Tensor) -> dict[str, Rotary]:
        """Angles for (B, T) positions; tables grow with the text."""
        if not self.tables or self.tables[FULL][0].shape[0] <= length:
            every = torch.arange(max(TABLE, 2 * length), device=positions.device)
            width = self.config.head_width
            for kind, rope in ropes_of(self.config).items():
                cos, sin = rotary_table(every, rope, width, like.dtype)
                self.tables[kind] = cos[:, 0], sin[:, 0]  # (P, D)
        return {
            kind: (F.embedding(positions, cos)[:, :, None], F.embedding(positions, sin)[:, :, None])
            for kind, (cos, sin) in self.tables.items()
        }


def short_rms_norm(x: Tensor, scale: Tensor | None, eps: float) -> Tensor:
    """As F.rms_norm, which is six operations on a CPU, where layer_norm is one.   (..., W)

    Beside its own negative a vector has a mean of 0, so that its variance is its mean square.
    """
    width = x.shape[-1]
    normed = F.layer_norm(torch.cat([x, -x], dim=-1), (2 * width,), None, None, eps)
    normed = normed.narrow(-1, 0, width)
    return normed if scale is None else normed * scale


@cached
def rounded_root(width: int, dtype: torch.dtype) -> float:
    """The square root of a width as a type has it."""
    return float(torch.tensor(width**0.5, dtype=dtype))
