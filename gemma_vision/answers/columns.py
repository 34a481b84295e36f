"""Columns: the things of an answer as arrays, a row each. N things, H x W picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from postprocess.instances import Instance


def stack_boxes(instances: Sequence[Instance]) -> NDArray[np.float32]:
    """(N, 4) float32: x0, y0, x1, y1 in pixels."""
    return np.array([instance.box for instance in instances], np.float32).reshape(-1, 4)


def stack_scores(instances: Sequence[Instance]) -> NDArray[np.float32]:
    """(N,) float32, 0 to 1; NaN where there is none."""
    scores = [np.nan if one.score is None else one.score for one in instances]
    return np.array(scores, np.float32)


def stack_masks(instances: Sequence[Instance], size: tuple[int, int]) -> NDArray[np.bool_] | None:
    """(N, H, W) bool, empty for a thing without one; None where no thing has a mask."""
    if all(instance.mask is None for instance in instances):
        return None
    width, height = size
    masks = np.zeros((len(instances), height, width), np.bool_)
    for row, instance in zip(masks, instances, strict=True):
        if instance.mask is not None:
            row[:] = instance.mask
    return masks
