"""Patches: a picture that keeps its shape, as the grid of patches that a model sees.

A soft token is a tile of `unit` by `unit` pixels; a budget says how many there may be. The rule is
that of Gemma 4 in transformers (get_aspect_ratio_preserving_size): the budget is always filled, so
that small pictures are enlarged, and the shape is kept up to whole tiles. Nothing is padded.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LEVELS = np.arange(256, dtype=np.float32) / np.float32(255)


def soft_grid(size: tuple[int, int], budget: int, unit: int) -> tuple[int, int]:
    """Rows and columns of soft tokens of a picture of (width, height) pixels.

    (640, 480), 280, 48  ->  (14, 19)
    """
    width, height = size
    factor = math.sqrt(budget * unit**2 / (width * height))
    columns, rows = math.floor(factor * width / unit), math.floor(factor * height / unit)
    if rows == 0:
        return 1, min(width // height, budget)
    if columns == 0:
        return min(height // width, budget), 1
    return rows, columns


def to_patches(
    image: Image.Image, grid: tuple[int, int], patch_size: int, pooling: int
) -> NDArray[np.float32]:
    """RGB picture -> (N, 3 P P) float32 in [0, 1], N patches in rows, each by row, column, colour.

    grid: rows and columns of soft tokens, each of `pooling` by `pooling` patches. The same numbers,
    to the bit, as Gemma4ImageProcessorPil of transformers.
    """
    rows, columns = (count * pooling for count in grid)
    size = (columns * patch_size, rows * patch_size)
    resized = image if image.size == size else image.resize(size, Image.Resampling.BICUBIC)
    tiles = np.asarray(resized).reshape(rows, patch_size, columns, patch_size, 3)
    pixels: NDArray[np.float32] = LEVELS[tiles.swapaxes(1, 2).reshape(rows * columns, -1)]
    return pixels
