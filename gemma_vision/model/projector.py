"""Projectors: what the tower saw, as soft tokens of the decoder. B images, D and W widths.

Soft tokens enter the decoder as they are; only the embeddings of words are scaled by sqrt(W).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gemma_vision.model import uninitialized_layers
from gemma_vision.model.config import ModelConfig
from gemma_vision.model.fused.products import product


class LinearProjector(nn.Module):
    """PaliGemma: one affine map per patch."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.linear = uninitialized_layers.Linear(config.vision.width, config.text.width)

    def forward(self, features: Tensor) -> Tensor:
        """(B, N, D) -> (B, N, W)"""
        soft: Tensor = self.linear(features)
        return soft


class PoolingProjector(nn.Module):
    """Gemma 3: average tiles of the patch grid, normalise, then a map without a bias."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.side = round(config.square.num_soft_tokens**0.5)
        self.eps = config.vision.eps
        self.mm_input_projection_weight = nn.Parameter(
            torch.empty(config.vision.width, config.text.width)  # (in, out), unlike nn.Linear
        )
        self.mm_soft_emb_norm = UnitScale(config.vision.width)

    def forward(self, features: Tensor) -> Tensor:
        """(B, N, D) -> (B, side * side, W)"""
        pooled = pool(features, self.side)
        scale = 1.0 + self.mm_soft_emb_norm.weight.float()
        normed = F.rms_norm(pooled.float(), (pooled.shape[-1],), scale, self.eps).type_as(pooled)
        rows = product(normed.flatten(0, 1), self.mm_input_projection_weight)
        return rows.view(*normed.shape[:2], -1)


class UnitScale(nn.Module):
    """The weight of a Gemma norm, stored as the distance from 1."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width))


def pool(features: Tensor, side: int) -> Tensor:
    """(B, N, D) -> (B, side * side, D): average square tiles of the patch grid."""
    images, num_patches, width = features.shape
    grid = round(num_patches**0.5)
    # Contiguous, because a channels-last view is averaged in another order
    image = features.transpose(1, 2).reshape(images, width, grid, grid).contiguous()
    return F.avg_pool2d(image, grid // side).flatten(2).transpose(1, 2)
