"""Masks: what the mask VQ-VAE learns from: things of scenes, and random shapes.

K masks of 64 x 64 pixels.
"""

import cv2
import numpy as np
from numpy.random import Generator

from gemma_vision.synthetic.compositor import compose
from gemma_vision.synthetic.poses import NUM_NAMES, sample_scene
from postprocess.tokens import MASK_SIDE


def draw_masks(
    rng: Generator, count: int, *, shapes: float = 0.5, names: int = NUM_NAMES
) -> np.ndarray:
    """Things of scenes (hidden and cut ones too) and random shapes -> (K, 64, 64) uint8."""
    masks = [random_shape(rng) for _ in range(int(count * shapes))]
    while len(masks) < count:
        things = compose(sample_scene(rng, num_names=names)).things
        masks += [crop_mask(thing.mask, thing.box) for thing in things]
    return np.stack(masks[:count])


def crop_mask(mask: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """The part of a (H, W) bool mask in a box of pixels, resized -> (64, 64) uint8 0..255."""
    x0, y0, x1, y1 = box
    part = mask[y0:y1, x0:x1].astype(np.uint8) * 255
    shrinks = (x1 - x0) * (y1 - y0) > MASK_SIDE**2
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (MASK_SIDE, MASK_SIDE), interpolation=how))


def random_shape(rng: Generator) -> np.ndarray:
    """An ellipse, a polygon or a blob that touches all four sides -> (64, 64) uint8."""
    canvas = np.zeros((160, 160), np.uint8)
    kind = rng.integers(3)
    if kind == 0:
        axes = rng.uniform(10, 70, 2).astype(int).tolist()
        cv2.ellipse(canvas, (80, 80), axes, rng.uniform(0, 180), 0, 360, 255, -1)
    elif kind == 1:
        angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 9))))
        spokes = rng.uniform(20, 75, len(angles))
        corners = 80 + np.stack([np.cos(angles), np.sin(angles)], 1) * spokes[:, None]
        cv2.fillPoly(canvas, [corners.astype(np.int32)], 255)
    else:
        cells = int(rng.integers(3, 8))
        smooth = cv2.resize(rng.random((cells, cells)), (160, 160), interpolation=cv2.INTER_CUBIC)
        canvas[smooth > rng.uniform(0.4, 0.6)] = 255
    ys, xs = np.nonzero(canvas)
    if len(ys) < 64:
        return random_shape(rng)
    return crop_mask(
        canvas > 0, (int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1)
    )
