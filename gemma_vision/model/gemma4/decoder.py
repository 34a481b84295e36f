"""The decoder of Gemma 4. B rows, T new positions, W width, L layers, P width of a layer's words.

Parameter names are those of the published checkpoints below `language_model.`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gemma_vision.model import uninitialized_layers
from gemma_vision.model.config import LayeredTextConfig
from gemma_vision.model.gemma4.fused import FusedLayeredDecoder, FusedMixedLayer
from gemma_vision.model.gemma4.layer import MixedLayer
from gemma_vision.model.gemma4.norms import RmsNorm
from gemma_vision.model.rotary import Rotary, rotary_table
from gemma_vision.model.row_cache import Cache

Masks = Mapping[str, Tensor | None]  # per layer type: True where a query may look, None: anywhere


class LayeredDecoder(nn.Module):
    """Read embeddings, remember them in the cache, and say what each position now means."""

    def __init__(self, config: LayeredTextConfig) -> None:
        super().__init__()
        self.config = config
        self.embed_tokens = uninitialized_layers.Embedding(config.vocab_size, config.width)
        self.layers = nn.ModuleList(MixedLayer(config, index) for index in range(config.num_layers))
        self.norm = RmsNorm(config.width, config.eps)
        self.fused_path: FusedLayeredDecoder | None = None
        inner = config.num_layers * config.per_layer_width
        if inner:
            self.embed_tokens_per_layer = StoredTable(config.per_layer_vocab_size, inner)
            self.per_layer_model_projection = uninitialized_layers.Linear(
                config.width, inner, bias=False
            )
            self.per_layer_projection_norm = RmsNorm(config.per_layer_width, config.eps)

    def embed(self, ids: Tensor) -> Tensor:
        """Words as vectors, times sqrt(W) rounded to their type.   (B, T) -> (B, T, W)"""
        embeds: Tensor = self.embed_tokens(ids)
        return embeds * rounded_root(self.config.width, embeds.dtype)

    def tell_layers(self, ids: Tensor, embeds: Tensor) -> Tensor | None:
        """What each layer is told of each word.   (B, T), (B, T, W) -> (B, T, L, P) or None

        ids are padding (0) where soft tokens stand; embeds hold those.
        """
        config = self.config
        if not config.per_layer_width:
            return None
        shape = (config.num_layers, config.per_layer_width)
        context = self.per_layer_model_projection(embeds) * config.width**-0.5
        normed: Tensor = self.per_layer_projection_norm(context.unflatten(-1, shape))
        looked_up = self.embed_tokens_per_layer(ids, embeds).unflatten(-1, shape)
        own = looked_up.to(embeds.device) * rounded_root(config.per_layer_width, embeds.dtype)
        told: Tensor = (normed + own) * 2**-0.5
        return told

    def forward(
        self,
        embeds: Tensor,
        positions: Tensor,
        masks: Masks,
        cache: Cache,
        told: Tensor | None = None,
        *,
        last_only: bool = False,
    ) -> Tensor:
        """(B, T, W), (B, T), ..., (B, T, L, P) -> (B, T, W); the cache grows by T.

        last_only: what is known of the last position alone, (B, 1, W). Layers that look at others'
        keys leave nothing behind, so that only that position has to go through them.
        """
        fused = self.fused_path
        if fused is None:
            rotaries = self._rotaries(positions, embeds.dtype)
        else:
            rotaries = fused.rotaries(positions, cache.length + embeds.shape[1], embeds)
        x = embeds
        for index, layer in enumerate(self.layers):
            kind = self.config.layer_types[index]
            if last_only and index == self.config.num_producers:
                x, told, rotaries, masks = last(x, told, rotaries, masks)
            own = None if told is None else told[:, :, index]
            if fused is None:
                x = layer(x, rotaries[kind], masks[kind], cache, own)
            else:
                x = fused.layer(index, x, rotaries[kind], masks[kind], cache, own)
        cache.length += embeds.shape[1]
        out: Tensor = self.norm(x[:, -1:] if last_only else x)
        return out

    def fuse(self, *, prepacks: bool = False, each: Callable[[], None] = lambda: None) -> None:
        """Go the quick way from now on (fused.py); the parameters become views of its matrices.

        prepacks: they stay as they are, and the matrices are prepacked copies. each: called after
        every layer.
        """
        layers = []
        for layer in self.layers:
            assert isinstance(layer, MixedLayer)
            layers.append(FusedMixedLayer.of(layer, prepacks=prepacks))
            each()
        self.fused_path = FusedLayeredDecoder(self.config, layers)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> LayeredDecoder:
        self.fused_path = None  # a move gives the parameters storage of their own
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self

    def _rotaries(self, positions: Tensor, dtype: torch.dtype) -> dict[str, Rotary]:
        """Angles by layer type, each for the width of that type's heads."""
        config = self.config
        widths = {
            kind: row.head_width
            for kind, row in zip(config.layer_types, config.layers, strict=True)
        }
        return {
            kind: rotary_table(positions, config.ropes[kind], width, dtype)
            for kind, width in widths.items()
        }


class StoredTable(nn.Module):
    """A large table that is only looked up: it stays where it lies and in its own number type.

    Moving or converting the model leaves it alone, so that pages of a file stay pages of a file.
    """

    def __init__(self, num_rows: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(num_rows, width))

    def forward(self, ids: Tensor, like: Tensor) -> Tensor:
        """(B, T) -> (B, T, L P) on the device and in the type of `like`"""
        return F.embedding(ids.to(self.weight.device), self.weight).to(like)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> StoredTable:
        return self


def rounded_root(number: int, dtype: torch.dtype) -> float:
    """A square root as the number type has it: 39.25 of 1536 in bfloat16."""
    return float(torch.tensor(number**0.5, dtype=dtype))


def last(
    x: Tensor, told: Tensor | None, rotaries: Mapping[str, Rotary], masks: Masks
) -> tuple[Tensor, Tensor | None, dict[str, Rotary], Masks]:
    """The last position of everything that has one for each."""
    turned = {kind: (cos[:, -1:], sin[:, -1:]) for kind, (cos, sin) in rotaries.items()}
    seen = {kind: None if mask is None else mask[:, :, -1:] for kind, mask in masks.items()}
    return x[:, -1:], None if told is None else told[:, -1:], turned, seen
