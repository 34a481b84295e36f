"""The Gemma decoder: Gemma, Gemma 2 and Gemma 3 text, with keys and values kept between steps.

B rows, T new positions, L positions so far, W width, H query heads, K key heads, D head width.
Parameter names are those of the published checkpoints below `language_model.model.`. There are no
buffers: scales and rotary tables are computed, so nothing is lost when a model is built on meta.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gemma_vision.model import uninitialized_layers
from gemma_vision.model.config import FULL, TextConfig
from gemma_vision.model.fused.decoder import FusedDecoder, FusedLayer, rounded_root
from gemma_vision.model.fused.products import fuse_weights
from gemma_vision.model.fused.short_steps import ShortSteps
from gemma_vision.model.rotary import Rotary, apply_rotary, attend, ropes_of, rotary_table
from gemma_vision.model.row_cache import Cache, RowCache

Masks = Mapping[str, Tensor | None]  # per layer type: True where a query may look, None: anywhere


class GemmaDecoder(nn.Module):
    """Read embeddings, remember them in the cache, and say what each position now means."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.config = config
        self.embed_tokens = uninitialized_layers.Embedding(config.vocab_size, config.width)
        self.layers = nn.ModuleList(Layer(config, index) for index in range(config.num_layers))
        self.norm = Norm(config.width, config.eps)
        self.fused_path: FusedDecoder | None = None
        self.short_path: ShortSteps | None = None

    def embed(self, ids: Tensor) -> Tensor:
        """Words as vectors, times sqrt(W) rounded to their type.   (B, T) -> (B, T, W)"""
        if self.fused_path is None:  # whose layers may be elsewhere, each with its hooks
            embeds: Tensor = self.embed_tokens(ids)
        else:
            embeds = F.embedding(ids, self.embed_tokens.weight)
        return embeds * rounded_root(self.config.width, embeds.dtype)

    def forward(self, embeds: Tensor, positions: Tensor, masks: Masks, cache: Cache) -> Tensor:
        """(B, T, W), (B, T) -> (B, T, W); the cache grows by T."""
        if self.fused_path is not None:
            return self.fused_path(embeds, positions, masks, cache)
        rotaries = {
            kind: rotary_table(positions, rope, self.config.head_width, embeds.dtype)
            for kind, rope in ropes_of(self.config).items()
        }
        x = embeds
        for layer, kind in zip(self.layers, self.config.layer_types, strict=True):
            x = layer(x, rotaries.get(kind, rotaries[FULL]), masks[kind], cache)
        cache.length += embeds.shape[1]
        out: Tensor = self.norm(x)
        return out

    def read(self, ids: Tensor, positions: Tensor, masks: Masks, cache: Cache) -> Tensor:
        """The same of words alone.   (B, T), (B, T) -> (B, T, W)"""
        if self.short_path and isinstance(cache, RowCache) and self.short_path.fits(ids, cache):
            return self.short_path(ids, positions, masks[FULL], cache)
        return self(self.embed(ids), positions, masks, cache)  # type: ignore[no-any-return]

    def fuse(self, *, prepacks: bool = False, each: Callable[[], None] = lambda: None) -> None:
        """Go the quick way from now on (fused/); the parameters become views of its matrices.

        prepacks: they stay as they are, and the matrices are prepacked copies. each: called after
        every layer.
        """
        layers = []
        for layer in self.layers:
            assert isinstance(layer, Layer)
            layers.append(layer.fused(prepacks=prepacks))
            each()
        self.fused_path = FusedDecoder(self.config, layers, self.norm.scale)
        self.short_path = ShortSteps.of(self.fused_path, self.embed_tokens.weight)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> GemmaDecoder:
        self.fused_path = self.short_path = None  # a move gives the parameters other storage
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self


class Layer(nn.Module):
    """Attention and MLP around a residual stream; Gemma 2 and 3 normalise their results too."""

    def __init__(self, config: TextConfig, index: int) -> None:
        super().__init__()
        self.config = config
        self.input_layernorm = Norm(config.width, config.eps)
        self.self_attn = GemmaAttention(config, index)
        self.post_attention_layernorm = Norm(config.width, config.eps)
        if config.has_four_norms:
            self.pre_feedforward_layernorm = Norm(config.width, config.eps)
            self.post_feedforward_layernorm = Norm(config.width, config.eps)
        self.mlp = GemmaMlp(config)

    def forward(self, x: Tensor, rotary: Rotary, mask: Tensor | None, cache: Cache) -> Tensor:
        """(B, T, W) -> (B, T, W)"""
        seen = self.self_attn(self.input_layernorm(x), rotary, mask, cache)
        if not self.config.has_four_norms:
            x = x + seen
            out: Tensor = x + self.mlp(self.post_attention_layernorm(x))
            return out
        x = x + self.post_attention_layernorm(seen)
        out = x + self.post_feedforward_layernorm(self.mlp(self.pre_feedforward_layernorm(x)))
        return out

    def fused(self, *, prepacks: bool = False) -> FusedLayer:
        """The layer's weights with those side by side that read the same input."""
        seeing, mlp, has_four = self.self_attn, self.mlp, self.config.has_four_norms
        before_mlp = self.pre_feedforward_layernorm if has_four else self.post_attention_layernorm
        return FusedLayer(
            qkv=fuse_weights([seeing.q_proj, seeing.k_proj, seeing.v_proj], prepacks=prepacks),
            out=fuse_weights([seeing.o_proj], prepacks=prepacks),
            gate_up=fuse_weights([mlp.gate_proj, mlp.up_proj], apart=True, prepacks=prepacks),
            down=fuse_weights([mlp.down_proj], prepacks=prepacks),
            before_attention=self.input_layernorm.scale,
            before_mlp=before_mlp.scale,
            after_attention=self.post_attention_layernorm.scale if has_four else None,
            after_mlp=self.post_feedforward_layernorm.scale if has_four else None,
            qk=seeing.qk_scale() if self.config.has_qk_norm else None,
        )


class Norm(nn.Module):
    """Scale to unit root mean square in float32, then by 1 + weight, then back to the type."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """(..., W) -> (..., W)"""
        return F.rms_norm(x.float(), (x.shape[-1],), self.scale, self.eps).type_as(x)

    @property
    def scale(self) -> Tensor:
        """(W,) float32, what is multiplied by"""
        return 1.0 + self.weight.float()


class GemmaAttention(nn.Module):
    """H query heads share K heads of keys and values, H / K to each."""

    def __init__(self, config: TextConfig, index: int) -> None:
        super().__init__()
        self.config, self.index = config, index
        heads, kv_heads, width = config.num_heads, config.num_kv_heads, config.head_width
        self.q_proj = uninitialized_layers.Linear(config.width, heads * width, bias=False)
        self.k_proj = uninitialized_layers.Linear(config.width, kv_heads * width, bias=False)
        self.v_proj = uninitialized_layers.Linear(config.width, kv_heads * width, bias=False)
        self.o_proj = uninitialized_layers.Linear(heads * width, config.width, bias=False)
        if config.has_qk_norm:
            self.q_norm = Norm(width, config.eps)
            self.k_norm = Norm(width, config.eps)

    def forward(self, x: Tensor, rotary: Rotary, mask: Tensor | None, cache: Cache) -> Tensor:
        """(B, T, W) -> (B, T, W)"""
        q, k, v = (self._heads(project(x)) for project in (self.q_proj, self.k_proj, self.v_proj))
        if self.config.has_qk_norm:
            q, k = self.q_norm(q), self.k_norm(k)
        q, k = apply_rotary(q, rotary), apply_rotary(k, rotary)
        keys, values = cache.append(self.index, k.transpose(1, 2), v.transpose(1, 2))
        out: Tensor = self.o_proj(attend(q, keys, values, mask, self.config).flatten(2))
        return out

    def qk_scale(self) -> Tensor:
        """(H + K, D), what the norms of queries and keys multiply by"""
        q = self.q_norm.scale.expand(self.config.num_heads, -1)
        return torch.cat([q, self.k_norm.scale.expand(self.config.num_kv_heads, -1)])

    def _heads(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], -1, self.config.head_width)  # (B, T, heads, D)


class GemmaMlp(nn.Module):
    """A gate, bent by the tanh form of GELU, times a widened copy, narrowed."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.gate_proj = uninitialized_layers.Linear(config.width, config.mlp_width, bias=False)
        self.up_proj = uninitialized_layers.Linear(config.width, config.mlp_width, bias=False)
        self.down_proj = uninitialized_layers.Linear(config.mlp_width, config.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, W) -> (B, T, W)"""
        gate = F.gelu(self.gate_proj(x), approximate="tanh")
        out: Tensor = self.down_proj(gate * self.up_proj(x))
        return out
