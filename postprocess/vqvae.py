"""The mask VQ-VAE as a torch module. K masks, 64 x 64 pixels each, 4 x 4 codes out of 128.

The parameters carry the names and shapes of the published `vae-oid.npz`. The only module of this
package that imports torch when it is imported; it knows nothing of files, boxes or pictures.
"""

import torch
from torch import Tensor, nn

from postprocess.tokens import CODES_PER_MASK, NUM_CODES

_GRID = 4
_CODE_WIDTH = 512
_WIDTH = 128


class ResidualBlock(nn.Module):
    """(K, D, H, W) -> (K, D, H, W): the input plus what three convolutions make of it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        change: Tensor = self.net(x)
        return x + change


class Codebook(nn.Module):
    """The 128 code vectors that masks are spelled with."""

    def __init__(self) -> None:
        super().__init__()
        self._embedding = nn.Parameter(torch.randn(NUM_CODES, _CODE_WIDTH))

    @property
    def vectors(self) -> Tensor:
        """(128, 512)."""
        return self._embedding

    def nearest(self, features: Tensor) -> Tensor:
        """(N, 512) -> (N,) int64: the code whose vector is closest to each feature."""
        # |f - v|^2 without |f|^2, which is the same for every code.
        distance = self.vectors.square().sum(1) - 2 * features @ self.vectors.T
        return distance.argmin(1)


class MaskVQVAE(nn.Module):
    """Masks to 16 codes and back."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = _encoder()
        self._vq_vae = Codebook()
        self.decoder = _decoder()

    @property
    def codebook(self) -> Codebook:
        """The 128 code vectors, named `_vq_vae` in the file."""
        return self._vq_vae

    def features(self, images: Tensor) -> Tensor:
        """(K, 1, 64, 64) in -1..1 -> (K, 512, 4, 4), not yet rounded to codes."""
        features: Tensor = self.encoder(images)
        return features

    def encode(self, images: Tensor) -> Tensor:
        """(K, 1, 64, 64) in -1..1 -> (K, 16) int64, the codes row by row."""
        features = self.features(images).permute(0, 2, 3, 1)  # (K, 4, 4, 512)
        return self.codebook.nearest(features.reshape(-1, _CODE_WIDTH)).view(-1, CODES_PER_MASK)

    def vectors(self, codes: Tensor) -> Tensor:
        """(K, 16) int64 -> (K, 512, 4, 4); the mean vector stands in for a code of -1."""
        known = self.codebook.vectors
        table = torch.cat([known, known.mean(0, keepdim=True)])  # index -1 is the mean
        vectors = table[codes].view(-1, _GRID, _GRID, _CODE_WIDTH)
        return vectors.permute(0, 3, 1, 2)

    def decode(self, codes: Tensor) -> Tensor:
        """(K, 16) int64, 0..127 or -1 -> (K, 1, 64, 64) logits; the mask is where they exceed 0."""
        logits: Tensor = self.decoder(self.vectors(codes))
        return logits


def _encoder() -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in ((1, 16), (16, 32), (32, 64), (64, _WIDTH)):
        layers += [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), nn.ReLU()]
    residual = [ResidualBlock(_WIDTH), ResidualBlock(_WIDTH)]
    return nn.Sequential(*layers, *residual, nn.Conv2d(_WIDTH, _CODE_WIDTH, 1))


def _decoder() -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(_CODE_WIDTH, _WIDTH, 1), nn.ReLU()]
    layers += [ResidualBlock(_WIDTH), ResidualBlock(_WIDTH)]
    for inputs, outputs in ((_WIDTH, 128), (128, 64), (64, 32), (32, 16)):
        layers += [nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv2d(16, 1, 1))
