"""Norms of Gemma 4: unit root mean square in float32, times the weight as it is stored."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class RmsNorm(nn.Module):
    """Scale to unit root mean square, then by the weight (not by 1 + weight), back in the type."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """(..., W) -> (..., W)"""
        return F.rms_norm(x.float(), (x.shape[-1],), self.scale, self.eps).type_as(x)

    @property
    def scale(self) -> Tensor:
        """(W,) float32, what is multiplied by"""
        return self.weight.float()


def unit_rms(x: Tensor, eps: float) -> Tensor:
    """The same without a weight.   (..., W) -> (..., W)"""
    return F.rms_norm(x.float(), (x.shape[-1],), None, eps).type_as(x)
