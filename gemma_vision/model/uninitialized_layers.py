"""Uninitialized layers: torch's own without first values. Every weight comes from a checkpoint.

First values would be thrown away; on the meta device drawing them also imports torch's compiler,
which takes longer than loading a small model.
"""

from __future__ import annotations

from torch import Tensor, nn

from gemma_vision.model.fused.products import is_quick, product


class Linear(nn.Linear):
    """An affine or linear map, by the quickest product that there is."""

    def forward(self, x: Tensor) -> Tensor:
        """(..., W) -> (..., V)"""
        rows = x.reshape(-1, self.in_features)
        if is_quick(rows, self.weight.t(), self.bias):
            return product(rows, self.weight.t(), self.bias).view(*x.shape[:-1], -1)
        return super().forward(x)

    def reset_parameters(self) -> None:
        """Leave the weights as they are."""


class Embedding(nn.Embedding):
    """A row for each number."""

    def reset_parameters(self) -> None:
        """Leave the rows as they are."""


class Conv2d(nn.Conv2d):
    """A map of square patches."""

    def reset_parameters(self) -> None:
        """Leave the weights as they are."""
