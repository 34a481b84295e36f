"""The vision tower (SigLIP, without a pooling head). B images, N patches, D width, H heads.

Parameter names are those of the published checkpoints below `vision_tower.`.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch.nn.functional as F
from torch import Tensor, nn

from gemma_vision.model import uninitialized_layers
from gemma_vision.model.config import VisionConfig


class SiglipTower(nn.Module):
    """Look at pictures: (B, 3, S, S) in [-1, 1] -> (B, N, D), one feature per patch."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.config = config
        self.embeddings = PatchEmbedding(config)
        self.encoder = Encoder(config)
        self.post_layernorm = nn.LayerNorm(config.width, eps=config.eps)

    def forward(self, pixels: Tensor) -> Tensor:
        """(B, 3, S, S) -> (B, N, D), patches in rows from the top left; S must be exact."""
        side = self.config.image_size
        if tuple(pixels.shape[1:]) != (3, side, side):  # 60 would pass for 56 and lose its edge
            raise ValueError(f"Pixels are {tuple(pixels.shape)}; (B, 3, {side}, {side}) is wanted.")
        out: Tensor = self.post_layernorm(self.encoder(self.embeddings(pixels)))
        return out

    def follow(self, pixels: Tensor) -> Iterator[Tensor]:
        """The patches as vectors, what each block makes of them, and last the features."""
        x = self.embeddings(pixels)
        yield x
        for block in self.encoder.layers:
            x = block(x)
            yield x
        yield self.post_layernorm(x)


class PatchEmbedding(nn.Module):
    """Cut the picture into patches and say where each one was."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        size = config.patch_size
        self.patch_embedding = uninitialized_layers.Conv2d(
            3, config.width, kernel_size=size, stride=size
        )
        self.position_embedding = uninitialized_layers.Embedding(config.num_patches, config.width)

    def forward(self, pixels: Tensor) -> Tensor:
        """(B, 3, S, S) -> (B, N, D)"""
        patches = self.patch_embedding(pixels.to(self.patch_embedding.weight.dtype))
        embedded: Tensor = patches.flatten(2).transpose(1, 2) + self.position_embedding.weight
        return embedded


class Encoder(nn.Module):
    """The blocks, one after the other."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Block(config) for _ in range(config.num_layers))

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, D) -> (B, N, D)"""
        for layer in self.layers:
            x = layer(x)
        return x


class Block(nn.Module):
    """SiglipAttention over all patches, then an MLP, each on normalised input."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.layer_norm1 = nn.LayerNorm(config.width, eps=config.eps)
        self.self_attn = SiglipAttention(config)
        self.layer_norm2 = nn.LayerNorm(config.width, eps=config.eps)
        self.mlp = SiglipMlp(config)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, D) -> (B, N, D)"""
        x = x + self.self_attn(self.layer_norm1(x))
        out: Tensor = x + self.mlp(self.layer_norm2(x))
        return out


class SiglipAttention(nn.Module):
    """Every patch looks at every patch; scores are scaled by (D / H) ** -0.5."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.num_heads = config.num_heads
        self.q_proj = uninitialized_layers.Linear(config.width, config.width)
        self.k_proj = uninitialized_layers.Linear(config.width, config.width)
        self.v_proj = uninitialized_layers.Linear(config.width, config.width)
        self.out_proj = uninitialized_layers.Linear(config.width, config.width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, D) -> (B, N, D)"""
        q, k, v = (self._heads(project(x)) for project in (self.q_proj, self.k_proj, self.v_proj))
        seen = F.scaled_dot_product_attention(q, k, v)
        out: Tensor = self.out_proj(seen.transpose(1, 2).flatten(2))
        return out

    def _heads(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], self.num_heads, -1).transpose(1, 2)  # (B, H, N, D / H)


class SiglipMlp(nn.Module):
    """Widen, bend (tanh form of GELU), narrow."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.fc1 = uninitialized_layers.Linear(config.width, config.mlp_width)
        self.fc2 = uninitialized_layers.Linear(config.mlp_width, config.width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, D) -> (B, N, D)"""
        out: Tensor = self.fc2(F.gelu(self.fc1(x), approximate="tanh"))
        return out
