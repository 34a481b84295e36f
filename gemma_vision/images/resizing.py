"""Resizing: a picture as the numbers that a model sees. S side of the model's square picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# pixels of the 256 levels: divided by 255, then mean and deviation 0.5, each step in float32
LEVELS = (np.arange(256, dtype=np.float32) / np.float32(255) - np.float32(0.5)) / np.float32(0.5)


def to_pixels(
    image: Image.Image, side: int, resize_filter: Image.Resampling = Image.Resampling.BICUBIC
) -> NDArray[np.float32]:
    """RGB picture -> (3, side, side) float32 in [-1, 1]; the picture is squeezed to a square.

    The same numbers, to the bit, as SiglipImageProcessorPil of transformers.
    """
    small = np.asarray(image.resize((side, side), resize_filter))
    pixels: NDArray[np.float32] = LEVELS[np.ascontiguousarray(small.transpose(2, 0, 1))]
    return pixels
