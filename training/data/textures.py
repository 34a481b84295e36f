"""Textures: what the torch compositor samples from: all sprites, and the latest backgrounds.

Lives on one device. B pictures of H x W pixels; a texture is U x V pixels.
"""

from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gemma_vision.synthetic.atlas import SIDE, load_atlas
from gemma_vision.synthetic.mipmaps import NUM_LEVELS, mipmaps, smoothed
from training.data import background_stream

# The mipmaps of a sprite lie in one texture, each with empty pixels all around, so that sampling
# beside one gives nothing: 128 on the left, 64, 32 and 16 in a column right of it.
CORNERS = ((1, 1), (SIDE + 3, 1), (SIDE + 3, 67), (SIDE + 3, 101))  # x, y of each level
WIDTH, HEIGHT = SIDE + 3 + SIDE // 2 + 1, SIDE + 2


class SpriteTextures:
    """Every sprite with its mipmaps, and again smoothed, as (2 S, 4, U, V) float32."""

    def __init__(self, device: torch.device) -> None:
        numbers = range(len(load_atlas().images))
        plain = [_sheet(mipmaps(sprite)) for sprite in numbers]
        soft = [_sheet([smoothed(sprite), *mipmaps(sprite)[1:]]) for sprite in numbers]
        sheets = np.stack(plain + soft).transpose(0, 3, 1, 2)
        self.sheets = torch.from_numpy(np.ascontiguousarray(sheets)).to(device)
        self.corners = torch.tensor(CORNERS, device=device, dtype=torch.float32)
        self.scale = torch.tensor([2 / (WIDTH - 1), 2 / (HEIGHT - 1)], device=device)

    def sample(self, texture: Tensor, level: Tensor, places: Tensor) -> Tensor:
        """texture, level (B,), places (B, H, W, 2) x, y in pixels of the mipmap -> (B, 4, H, W).

        Red, green and blue, premultiplied, and alpha; nothing outside the mipmap.
        """
        side = SIDE / 2.0 ** level[:, None, None, None]
        inside = torch.minimum(places.clamp(min=-1), side) + self.corners[level][:, None, None]
        where = inside * self.scale - 1
        return F.grid_sample(self.sheets[texture], where, mode="bilinear", align_corners=True)


@cache
def sprites_on(device: torch.device) -> SpriteTextures:
    """The sprites on a device, brought there once."""
    return SpriteTextures(device)


def _sheet(levels: list[np.ndarray]) -> np.ndarray:
    sheet = np.zeros((HEIGHT, WIDTH, 4), np.float32)
    assert len(levels) == NUM_LEVELS
    for (x, y), level in zip(CORNERS, levels, strict=True):
        side = len(level)
        sheet[y : y + side, x : x + side] = level
    return sheet


class BackgroundTextures:
    """The latest backgrounds of one process that draws them; `extra` may be new in one batch."""

    def __init__(self, device: torch.device, extra: int) -> None:
        # A batch brings `extra` at most, so that none is overwritten before it was shown.
        self.num_places = background_stream.KEPT + extra
        side = background_stream.SIDE
        shape = (self.num_places, side, side, 3)
        self.pixels = torch.zeros(shape, dtype=torch.uint8, device=device)

    def store(self, numbers: Tensor, fresh: Tensor) -> None:
        """Add backgrounds: numbers (F,), fresh (F, 288, 288, 3) uint8."""
        if len(numbers):
            self.pixels[numbers % self.num_places] = fresh

    def crop(self, corners: Tensor, width: int, height: int) -> Tensor:
        """corners (B, 4) number, left, top, mirrored -> (B, 3, H, W) float32 in 0..255."""
        number, left, top, is_mirrored = (column[:, None] for column in corners.unbind(1))
        along = torch.arange(width, device=corners.device)
        columns = left + torch.where(is_mirrored > 0, width - 1 - along, along)  # (B, W)
        rows = top + torch.arange(height, device=corners.device)  # (B, H)
        places = (number % self.num_places)[..., None]  # (B, 1, 1)
        crops = self.pixels[places, rows[:, :, None], columns[:, None, :]]
        return crops.permute(0, 3, 1, 2).float()
