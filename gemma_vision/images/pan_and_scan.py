"""Pan and scan: a long picture shown again in squarer crops, so that small things are not lost.

The rule is that of Gemma 3 in transformers (Gemma3ImageProcessor.pan_and_scan); the model sees the
whole picture first, then the crops from left to right or from top to bottom.
"""

from __future__ import annotations

import math

from PIL.Image import Image

MIN_RATIO = 1.2  # long side over short side from which on a picture is cropped
MIN_CROP = 256  # pixels: no crop is smaller than that
MAX_CROPS = 4

Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels


def crop_boxes(size: tuple[int, int]) -> list[Box]:
    """Where a picture of (width, height) is cropped; nothing where it is not long or large enough.

    (1000, 800)  ->  [(0, 0, 500, 800), (500, 0, 1000, 800)]
    """
    width, height = size
    is_wide = width >= height
    long, short = max(size), min(size)
    if long / short < MIN_RATIO:
        return []
    count = min(long // MIN_CROP, math.floor(long / short + 0.5))
    count = min(max(count, 2), MAX_CROPS)
    step = math.ceil(long / count)
    if min(step, short) < MIN_CROP:
        return []
    spans = [(start, min(start + step, long)) for start in range(0, count * step, step)]
    return [(a, 0, b, height) if is_wide else (0, a, width, b) for a, b in spans]


def views(image: Image) -> list[Image]:
    """The picture itself, then its crops."""
    return [image, *(image.crop(box) for box in crop_boxes(image.size))]
