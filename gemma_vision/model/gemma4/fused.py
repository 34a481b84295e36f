"""Fused: the layers of Gemma 4's decoder with their matrices side by side, for short steps.

The same numbers by fewer and larger operations: matrices that read one input are one product,
stored (in, out), and rotary angles are looked up. Experts stay as they are. R rows times positions,
W width, H query heads, K key heads, D head width, M MLP width, P width of a layer's words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from gemma_vision.model.config import LayerConfig, LayeredTextConfig
from gemma_vision.model.fused.decoder import TABLE
from gemma_vision.model.fused.products import (
    fuse_weights,
    gated_product,
    product,
)
from gemma_vision.model.gemma4.layer import MixedLayer
from gemma_vision.model.gemma4.norms import unit_rms
from gemma_vision.model.rotary import Rotary, apply_rotary, attend, rotary_table
from gemma_vision.model.row_cache import Cache

Masks = Mapping[str, Tensor | None]


@dataclass(frozen=True)
class FusedMixedLayer:
    """The weights of one layer. Norms are the weights themselves, in float32."""

    row: LayerConfig
    qkv: Tensor  # (W, (H + 2 K) D), less where values are keys or keys are another layer's
    out: Tensor  # (H D, W)
    gate_up: Tensor  # (W, 2 M)
    down: Tensor  # (M, W)
    qk: Tensor  # (H + K, D) or (H, D), the norms of queries and keys
    words: tuple[Tensor, Tensor, Tensor] | None  # (W, P), (P, W), and the norm of what comes of it
    plain: MixedLayer  # its norms, its scale, its experts

    @classmethod
    def of(cls, layer: MixedLayer, *, prepacks: bool = False) -> FusedMixedLayer:
        """The layer's parameters become views of what is put side by side.

        prepacks: they stay as they are, and the matrices are prepacked copies.
        """
        seeing, mlp, heads = layer.self_attn, layer.mlp, layer.self_attn.config.num_heads
        row, maps = seeing.row, [seeing.q_proj]
        norms = [seeing.q_norm.scale.expand(heads, -1)]
        if row.source is None:
            maps += [seeing.k_proj, *([seeing.v_proj] if row.has_values else [])]
            norms.append(seeing.k_norm.scale.expand(row.num_kv_heads, -1))
        words = None
        if layer.has_words:
            gate, back = layer.per_layer_input_gate, layer.per_layer_projection
            norm = layer.post_per_layer_input_norm.scale
            words = (
                fuse_weights([gate], prepacks=prepacks),
                fuse_weights([back], prepacks=prepacks),
                norm,
            )
        return cls(
            row=row,
            qkv=fuse_weights(maps, prepacks=prepacks),
            out=fuse_weights([seeing.o_proj], prepacks=prepacks),
            gate_up=fuse_weights([mlp.gate_proj, mlp.up_proj], apart=True, prepacks=prepacks),
            down=fuse_weights([mlp.down_proj], prepacks=prepacks),
            qk=torch.cat(norms),
            words=words,
            plain=layer,
        )


class FusedLayeredDecoder:
    """Computes what the layers of `LayeredDecoder` compute."""

    def __init__(self, config: LayeredTextConfig, layers: Sequence[FusedMixedLayer]) -> None:
        self.config, self.layers = config, layers
        self.tables: dict[str, tuple[Tensor, Tensor]] = {}  # by layer type, for every position

    def layer(
        self,
        index: int,
        x: Tensor,
        rotary: Rotary,
        mask: Tensor | None,
        cache: Cache,
        told: Tensor | None,
    ) -> Tensor:
        """One layer.   (B, T, W), ..., (B, T, P) or None -> (B, T, W)"""
        own, eps = self.layers[index], self.config.eps
        plain = own.plain
        seen = self._attend(
            own, index, normed(x, plain.input_layernorm.scale, eps), rotary, mask, cache
        )
        x = x + normed(seen, plain.post_attention_layernorm.scale, eps)
        x = x + normed(self._widen(own, x), plain.post_feedforward_layernorm.scale, eps)
        if own.words is not None and told is not None:
            gate, back, scale = own.words
            wanted = F.gelu(product(x.flatten(0, 1), gate), approximate="tanh")
            given = product(wanted * told.flatten(0, 1), back).view(x.shape)
            x = x + normed(given, scale, eps)
        return x * plain.layer_scalar

    def rotaries(self, positions: Tensor, length: int, like: Tensor) -> dict[str, Rotary]:
        """Angles for (B, T) positions, by layer type; tables grow with the text."""
        config = self.config
        if not self.tables or next(iter(self.tables.values()))[0].shape[0] <= length:
            every = torch.arange(max(TABLE, 2 * length), device=positions.device)
            for kind, row in zip(config.layer_types, config.layers, strict=True):
                cos, sin = rotary_table(every, config.ropes[kind], row.head_width, like.dtype)
                self.tables[kind] = cos[:, 0], sin[:, 0]  # (P, D)
        return {
            kind: (F.embedding(positions, cos)[:, :, None], F.embedding(positions, sin)[:, :, None])
            for kind, (cos, sin) in self.tables.items()
        }

    def _attend(
        self,
        own: FusedMixedLayer,
        index: int,
        x: Tensor,
        rotary: Rotary,
        mask: Tensor | None,
        cache: Cache,
    ) -> Tensor:
        config, row = self.config, own.row
        heads, both = config.num_heads, len(own.qk)
        qkv = product(x.flatten(0, 1), own.qkv).view(*x.shape[:2], -1, row.head_width)
        qk = F.rms_norm(qkv[:, :, :both].float(), (row.head_width,), None, config.eps) * own.qk
        qk = apply_rotary(qk.to(x.dtype), rotary)
        if row.source is None:
            v = unit_rms(qkv[:, :, both:] if row.has_values else qkv[:, :, heads:], config.eps)
            keys, values = cache.append(index, qk[:, :, heads:].transpose(1, 2), v.transpose(1, 2))
        else:
            keys, values = cache.read(row.source, x.device)
        seen = attend(qk[:, :, :heads], keys, values, mask, config)
        return product(seen.flatten(2).flatten(0, 1), own.out).view(x.shape)

    def _widen(self, own: FusedMixedLayer, x: Tensor) -> Tensor:
        before = own.plain.pre_feedforward_layernorm.scale
        bent = gated_product(normed(x, before, self.config.eps).flatten(0, 1), own.gate_up)
        return own.plain.with_experts(x, product(bent, own.down).view(x.shape))


def normed(x: Tensor, scale: Tensor, eps: float) -> Tensor:
    """Unit root mean square in float32, times the scale, back in x's type."""
    return F.rms_norm(x.float(), (x.shape[-1],), scale, eps).type_as(x)
