"""Mipmaps: every sprite at 128, 64, 32 and 16 pixels, and which of them a pose is drawn from.

Both compositors draw from here, so that they differ in how they sample and in nothing else.
"""

from functools import cache

import cv2
import numpy as np

from gemma_vision.synthetic.atlas import SIDE, load_atlas
from gemma_vision.synthetic.poses import Pose, frame

NUM_LEVELS = 4  # 128, 64, 32, 16
SMOOTHING = 0.9  # sprite pixels: a hard edge drawn larger than it is, without the stairs


@cache
def mipmaps(sprite: int) -> list[np.ndarray]:
    """The sprite at its four sides, colours premultiplied by alpha, float32 0..1."""
    image = load_atlas().images[sprite].astype(np.float32) / 255
    image[..., :3] *= image[..., 3:]
    levels = [image]
    while len(levels) < NUM_LEVELS:
        half = levels[-1].shape[0] // 2
        levels.append(cv2.resize(levels[-1], (half, half), interpolation=cv2.INTER_AREA))
    return levels


@cache
def smoothed(sprite: int) -> np.ndarray:
    """For drawing larger than the sprite is."""
    return np.asarray(cv2.GaussianBlur(mipmaps(sprite)[0], (0, 0), SMOOTHING))


def is_enlarged(pose: Pose) -> bool:
    """Whether a pose is drawn larger than its sprite."""
    return pose.longest > SIDE


def level_of(pose: Pose) -> int:
    """The smallest mipmap that is still larger than the drawing."""
    return next((i for i in (3, 2, 1) if pose.longest * 1.2 < SIDE / 2**i), 0)


def placing(pose: Pose) -> np.ndarray:
    """The (2, 3) affine map from pixels of the pose's mipmap to picture pixels."""
    matrix, step = pose.matrix(), 2.0 ** level_of(pose)
    linear = matrix[:, :2] * step
    shift = matrix[:, 2] + matrix[:, :2].sum(1) * (step - 1) / 2
    return np.column_stack([linear, shift])


def window(pose: Pose, width: int, height: int) -> tuple[int, int, int, int]:
    """left, top, right, bottom of the pixels that a pose can touch; empty where it is outside."""
    x0, y0, x1, y1 = frame(pose)
    return (
        max(0, int(x0) - 1),
        max(0, int(y0) - 1),
        min(width, int(x1) + 2),
        min(height, int(y1) + 2),
    )


def full_area(pose: Pose) -> float:
    """Picture pixels that a thing covers where nothing hides it, inside the frame or not."""
    return _solid_pixels(pose.sprite) * abs(float(np.linalg.det(pose.matrix()[:, :2])))


@cache
def _solid_pixels(sprite: int) -> float:
    return float(np.count_nonzero(load_atlas().images[sprite, ..., 3] > 127))
