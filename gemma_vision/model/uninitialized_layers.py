"""Uninitialized layers: torch's own without first values. Every weight comes from a checkpoint.

First values would be thrown away; on the meta device drawing them also imports torch's compiler,
which takes longer than loading a small model.
"""

from __future__ import annotations

from torch import nn


class Linear(nn.Linear):
    """An affine or linear map."""

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
