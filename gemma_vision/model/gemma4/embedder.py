"""The embedder of Gemma 4: what the tower saw, as soft tokens of the decoder."""

from __future__ import annotations

from torch import Tensor, nn

from gemma_vision.model import uninitialized_layers
from gemma_vision.model.config import ModelConfig
from gemma_vision.model.gemma4.norms import unit_rms


class NormedProjector(nn.Module):
    """Unit root mean square, then a map without a bias; what it gives is not scaled."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.eps = config.vision.eps
        self.embedding_projection = uninitialized_layers.Linear(
            config.vision.width, config.text.width, bias=False
        )

    def forward(self, features: Tensor) -> Tensor:
        """(B, M, D) -> (B, M, W)"""
        soft: Tensor = self.embedding_projection(unit_rms(features, self.eps))
        return soft
