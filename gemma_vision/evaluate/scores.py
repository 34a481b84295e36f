"""Scores: the results of all pictures as one table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gemma_vision.evaluate.dataset import Dataset
from gemma_vision.evaluate.judging import true_shape
from gemma_vision.evaluate.result import Result
from postprocess.metrics import coco_precision, mask_iou

Shape = npt.NDArray[np.bool_]


def summarise(dataset: Dataset, results: Sequence[Result], policy: str) -> dict[str, Any]:
    """The table of `eval`; a value is None where nothing was asked that it could come from.

    recall50, recall75: the share of objects whose matched box has an IoU of at least 0.5, 0.75.
    mean_box_iou: the mean of those IoUs, 0 for a missed object. ap, ap50: COCO's average precision
    of the boxes. miou: the mean IoU over the whole picture of the masks asked for one at a time, 0
    for a missed one. mask_in_box: shape alone, over the things that got a mask: IoU of the decoded
    64 x 64 mask with the true mask cropped to the true box. mask_in_box_mean_shape: the same if the
    answer had been the mean true shape of that name. absent_empty: the share of absent names that
    got no box. seconds_per_image: all of a picture's questions, decoded in batches.
    """
    ious = [iou for result in results for iou in result.ious]
    masked = [one for result in results for one in result.masked]
    shapes = {one.thing: one.in_box for one in masked if one.in_box is not None}
    precision = average_precision(dataset, results)
    return {
        "n_images": len(results),
        "n_objects": len(ious),
        "recall50": mean(iou >= 0.5 for iou in ious),
        "recall75": mean(iou >= 0.75 for iou in ious),
        "ap50": precision[1],
        "ap": precision[0],
        "mean_box_iou": mean(ious),
        "miou": mean(one.iou for one in masked),
        "mask_in_box": mean(shapes.values()),
        "mask_in_box_mean_shape": mean(mean_shape_ious(dataset, set(shapes))) if shapes else None,
        "absent_empty": mean(r.is_empty for r in results if r.is_empty is not None),
        "count_accuracy": share([r.counts for r in results]),
        "seconds_per_image": mean(result.seconds for result in results),
        "policy": policy,
        "seed": dataset.seed,
    }


def mean(values: Iterable[float]) -> float | None:
    """The mean, to six places; None of nothing."""
    known = list(values)
    return round(sum(known) / len(known), 6) if known else None


def share(counts: Iterable[tuple[int, int]]) -> float | None:
    """(right, asked) of each picture -> the share of all asked; None where nothing was."""
    right, asked = map(sum, zip(*counts, strict=True))
    return round(right / asked, 6) if asked else None


def average_precision(
    dataset: Dataset, results: Sequence[Result]
) -> tuple[float | None, float | None]:
    """COCO's box AP over IoU 0.5 to 0.95, and at 0.5, on the pictures that have a result."""
    if not any(result.ious for result in results):
        return None, None
    found = [row for result in results for row in result.found]
    images = [result.image for result in results]
    precision = coco_precision(dataset.coco, found, images)
    return round(precision["ap"], 6), round(precision["ap50"], 6)


def mean_shape_ious(dataset: Dataset, wanted: set[int]) -> list[float]:
    """For each wanted thing the IoU of its shape with the mean shape of its name."""
    sums: dict[str, Any] = defaultdict(lambda: np.zeros((64, 64)))
    counts: dict[str, int] = defaultdict(int)
    kept: dict[int, tuple[str, Shape]] = {}
    for scene in dataset.scenes:
        for thing in scene.objects:
            mask = thing.mask(scene.size)
            if mask is not None:
                shape = true_shape(thing, mask)
                sums[thing.name] += shape
                counts[thing.name] += 1
                if thing.id in wanted:
                    kept[thing.id] = (thing.name, shape)
    means = {name: total / counts[name] >= 0.5 for name, total in sums.items()}
    return [mask_iou(means[name], shape) for name, shape in kept.values()]
