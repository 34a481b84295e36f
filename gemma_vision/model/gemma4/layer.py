"""A layer of Gemma 4's decoder, each of its own widths. B rows, T new positions, W width.

H query heads, K key heads, D head width, P width of what a layer is told of each word.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gemma_vision.model import uninitialized_layers
from gemma_vision.model.config import LayeredTextConfig
from gemma_vision.model.gemma4.experts import Experts, Router
from gemma_vision.model.gemma4.norms import RmsNorm, unit_rms
from gemma_vision.model.rotary import Rotary, apply_rotary, attend
from gemma_vision.model.row_cache import Cache


class MixedLayer(nn.Module):
    """Attention, an MLP (beside it perhaps experts), what the word tells this layer, and a scale.

    Each gives to the residual stream what a norm made of its result; last the whole stream is
    scaled.
    """

    layer_scalar: Tensor

    def __init__(self, config: LayeredTextConfig, index: int) -> None:
        super().__init__()
        width, eps = config.width, config.eps
        self.input_layernorm = RmsNorm(width, eps)
        self.self_attn = SharingAttention(config, index)
        self.post_attention_layernorm = RmsNorm(width, eps)
        self.pre_feedforward_layernorm = RmsNorm(width, eps)
        self.mlp = GatedMlp(width, config.layers[index].mlp_width)
        self.post_feedforward_layernorm = RmsNorm(width, eps)
        self.register_buffer("layer_scalar", torch.ones(1))
        self.has_experts = config.experts is not None
        if config.experts is not None:
            self.router = Router(config, config.experts)
            self.experts = Experts(width, config.experts)
            self.post_feedforward_layernorm_1 = RmsNorm(width, eps)
            self.post_feedforward_layernorm_2 = RmsNorm(width, eps)
            self.pre_feedforward_layernorm_2 = RmsNorm(width, eps)
        inner = config.per_layer_width
        self.has_words = bool(inner)
        if inner:
            self.per_layer_input_gate = uninitialized_layers.Linear(width, inner, bias=False)
            self.per_layer_projection = uninitialized_layers.Linear(inner, width, bias=False)
            self.post_per_layer_input_norm = RmsNorm(width, eps)

    def forward(
        self, x: Tensor, rotary: Rotary, mask: Tensor | None, cache: Cache, told: Tensor | None
    ) -> Tensor:
        """(B, T, W), ..., (B, T, P) or None -> (B, T, W)"""
        seen = self.self_attn(self.input_layernorm(x), rotary, mask, cache)
        x = x + self.post_attention_layernorm(seen)
        wide = self.with_experts(x, self.mlp(self.pre_feedforward_layernorm(x)))
        x = x + self.post_feedforward_layernorm(wide)
        if told is not None:
            x = x + self._told(x, told)
        out: Tensor = x * self.layer_scalar
        return out

    def with_experts(self, x: Tensor, wide: Tensor) -> Tensor:
        """What the MLP made of the stream, and what experts made of it, if there are any."""
        if not self.has_experts:
            return wide
        flat = x.flatten(0, 1)
        chosen, weights = self.router(flat)
        expert = self.experts(self.pre_feedforward_layernorm_2(flat), chosen, weights)
        mixed: Tensor = self.post_feedforward_layernorm_1(wide)
        mixed = mixed + self.post_feedforward_layernorm_2(expert).view_as(x)
        return mixed

    def _told(self, x: Tensor, told: Tensor) -> Tensor:
        gate = F.gelu(self.per_layer_input_gate(x), approximate="tanh")
        out: Tensor = self.post_per_layer_input_norm(self.per_layer_projection(gate * told))
        return out


class SharingAttention(nn.Module):
    """H query heads share K heads of keys and values: this layer's own, or another's.

    A layer with a source has queries alone. One without values of its own takes its keys for them,
    as they are before they are scaled and turned.
    """

    def __init__(self, config: LayeredTextConfig, index: int) -> None:
        super().__init__()
        self.config, self.index, self.row = config, index, config.layers[index]
        row, width = self.row, config.width
        inner = row.num_kv_heads * row.head_width
        outer = config.num_heads * row.head_width
        self.q_proj = uninitialized_layers.Linear(width, outer, bias=False)
        self.q_norm = RmsNorm(row.head_width, config.eps)
        if row.source is None:
            self.k_proj = uninitialized_layers.Linear(width, inner, bias=False)
            self.k_norm = RmsNorm(row.head_width, config.eps)
            if row.has_values:
                self.v_proj = uninitialized_layers.Linear(width, inner, bias=False)
        self.o_proj = uninitialized_layers.Linear(outer, width, bias=False)

    def forward(self, x: Tensor, rotary: Rotary, mask: Tensor | None, cache: Cache) -> Tensor:
        """(B, T, W) -> (B, T, W)"""
        q = apply_rotary(self.q_norm(self._heads(self.q_proj(x))), rotary)
        keys, values = self._keys_and_values(x, rotary, cache)
        out: Tensor = self.o_proj(attend(q, keys, values, mask, self.config).flatten(2))
        return out

    def _keys_and_values(self, x: Tensor, rotary: Rotary, cache: Cache) -> tuple[Tensor, Tensor]:
        if self.row.source is not None:
            return cache.read(self.row.source, x.device)
        k = self._heads(self.k_proj(x))
        v = unit_rms(self._heads(self.v_proj(x)) if self.row.has_values else k, self.config.eps)
        k = apply_rotary(self.k_norm(k), rotary)
        return cache.append(self.index, k.transpose(1, 2), v.transpose(1, 2))

    def _heads(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], -1, self.row.head_width)  # (B, T, heads, D)


class GatedMlp(nn.Module):
    """A gate, bent by the tanh form of GELU, times a widened copy, narrowed."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.gate_proj = uninitialized_layers.Linear(width, inner, bias=False)
        self.up_proj = uninitialized_layers.Linear(width, inner, bias=False)
        self.down_proj = uninitialized_layers.Linear(inner, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, W) -> (B, T, W)"""
        gate = F.gelu(self.gate_proj(x), approximate="tanh")
        out: Tensor = self.down_proj(gate * self.up_proj(x))
        return out
