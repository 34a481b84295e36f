"""Patch labels: which thing each patch of an image shows, and where that thing is.

N patches, T things of an image, C names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from gemma_vision.finetuning.data.image_set import ImageObject, LabelledImage
from postprocess.instances import crop

SHAPE = 16  # points along a box at which a mask is told


@dataclass(frozen=True)
class PatchLabels:
    """owners (N,) int64, the thing at the middle of each patch, -1 on the ground.

    boxes (T, 4) float32 y0, x0, y1, x1 in shares of the image; shapes (T, 256) float32 0..1, NaN
    for a thing without a mask.
    """

    owners: np.ndarray
    boxes: np.ndarray
    shapes: np.ndarray


def patch_labels(image: LabelledImage, grid: int) -> PatchLabels:
    """Labels of grid x grid patches. The later of two things lies on top."""
    width, height = image.size
    owners = np.full((grid, grid), -1, np.int64)
    boxes = np.zeros((len(image.objects), 4), np.float32)
    shapes = np.full((len(image.objects), SHAPE * SHAPE), np.nan, np.float32)
    for index, thing in enumerate(image.objects):
        owners[covers(thing, image.size, grid)] = index
        x0, y0, x1, y1 = thing.box
        boxes[index] = y0 / height, x0 / width, y1 / height, x1 / width
        if thing.mask is not None:
            shapes[index] = shape_of(thing.mask, thing).ravel()
    return PatchLabels(owners.ravel(), boxes, shapes)


def covers(thing: ImageObject, size: tuple[int, int], grid: int) -> np.ndarray:
    """(grid, grid) bool: patches whose middle is on a thing; without a mask, on its ellipse."""
    width, height = size
    x, y = (np.arange(grid) + 0.5) * width / grid, (np.arange(grid) + 0.5) * height / grid
    if thing.mask is not None:
        return np.asarray(thing.mask[y.astype(int)[:, None], x.astype(int)])
    x0, y0, x1, y1 = thing.box
    across = (2 * x - x0 - x1) / max(x1 - x0, 1e-6)
    return np.asarray(across**2 + ((2 * y - y0 - y1) / max(y1 - y0, 1e-6))[:, None] ** 2 < 1)


def shape_of(mask: np.ndarray, thing: ImageObject) -> np.ndarray:
    """A mask within its box -> (16, 16) float32, how much of each part is covered."""
    x0, y0, x1, y1 = (round(edge) for edge in thing.box)
    piece = torch.from_numpy(crop(mask, (x0, y0, max(x1, x0 + 1), max(y1, y0 + 1))))
    return np.asarray(F.adaptive_avg_pool2d(piece[None, None], SHAPE)[0, 0])


def patch_kinds(image: LabelledImage, labels: PatchLabels, names: Sequence[str]) -> np.ndarray:
    """Which name each patch shows -> (N,) int64, C where there is none."""
    kinds = np.array([*(names.index(thing.name) for thing in image.objects), len(names)], np.int64)
    return np.asarray(kinds[labels.owners])  # the last one stands for -1
