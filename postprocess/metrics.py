"""Metrics: overlap, average precision, confusion of labels, and the reference mIoU.

Boxes of instances are x0, y0, x1, y1 in pixels; masks are (H, W) bool.
"""

import contextlib
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from postprocess.coordinate_conventions import Box
from postprocess.instances import Instance, Mask
from postprocess.mask_formats import run_lengths
from postprocess.tokens import folded

JSON = dict[str, Any]
Group = Sequence[Sequence[Instance]]  # the instances of each picture


def box_iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, 0..1; 0 where both are empty."""
    both = _area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))
    either = _area(a) + _area(b) - both
    return both / either if either > 0 else 0.0


def mask_iou(a: Mask, b: Mask) -> float:
    """Intersection over union of two masks of one shape, 0..1; 0 where both are empty."""
    either = int(np.count_nonzero(a | b))
    return int(np.count_nonzero(a & b)) / either if either else 0.0


def match(
    truth: Sequence[Instance],
    found: Sequence[Instance],
    *,
    least: float = 0.0,
    same_label: bool = False,
) -> list[tuple[int, int, float]]:
    """Pairs (index in truth, index in found, IoU of the boxes), best first, each used once.

    Labels are looked at only where `same_label` is wanted, and compared without case; an IoU of
    `least` or below is no match.
    """
    overlaps = (
        (box_iou(a.box, b.box), i, j)
        for i, a in enumerate(truth)
        for j, b in enumerate(found)
        if not same_label or folded(a.label) == folded(b.label)
    )
    return best_first(overlaps, least=least)


def best_first(
    overlaps: Iterable[tuple[float, int, int]], *, least: float = 0.0
) -> list[tuple[int, int, float]]:
    """(overlap, i, j) of any i with any j -> pairs (i, j, overlap), the largest overlap first.

    Each i and each j is used once; an overlap of `least` or below is no pair.
    """
    pairs: list[tuple[int, int, float]] = []
    used_i: set[int] = set()
    used_j: set[int] = set()
    for overlap, i, j in sorted(overlaps, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if overlap > least and i not in used_i and j not in used_j:
            used_i.add(i)
            used_j.add(j)
            pairs.append((i, j, overlap))
    return pairs


def confusion(
    truth: Group, found: Group, *, least: float = 0.5
) -> dict[tuple[str | None, str | None], int]:
    """How often each true label was called what: (true, found) -> count, boxes matched by overlap.

    (label, None) counts what was missed, (None, label) what was found where nothing is. Labels that
    differ in their case alone are one, written as it came first.
    """
    counts: Counter[tuple[str | None, str | None]] = Counter()
    spelled: dict[str, str] = {}
    for one in (one for group in (truth, found) for picture in group for one in picture):
        spelled.setdefault(folded(one.label), one.label)
    for true_things, found_things in zip(truth, found, strict=True):
        true = [spelled[folded(one.label)] for one in true_things]
        seen = [spelled[folded(one.label)] for one in found_things]
        pairs = match(true_things, found_things, least=least)
        counts.update((true[i], seen[j]) for i, j, _ in pairs)
        missed = set(range(len(true))) - {i for i, _, _ in pairs}
        invented = set(range(len(seen))) - {j for _, j, _ in pairs}
        counts.update((true[i], None) for i in missed)
        counts.update((None, seen[j]) for j in invented)
    return dict(counts)


def average_precision(truth: Group, found: Group, *, masks: bool = False) -> dict[str, float]:
    """COCO's average precision by pycocotools: {"ap", "ap50", "ap75"}, of boxes or of masks.

    An instance without a score counts as certain. With no instance in `truth` there is nothing to
    be precise about: every value is -1, as pycocotools has it.
    """
    labels = {label: k for k, label in enumerate(_labels(truth, found), 1)}
    data_set = _data_set(truth, labels, masks=masks)
    results = list(_rows(found, labels, masks=masks))
    return coco_precision(data_set, results, range(1, len(truth) + 1), masks=masks)


def coco_precision(
    data_set: JSON, results: Sequence[JSON], images: Iterable[int], *, masks: bool = False
) -> dict[str, float]:
    """The same of annotations and results as COCO writes them, over the pictures of these ids."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools tells what it does
        known = COCO()
        known.dataset = data_set
        known.createIndex()
        found = known.loadRes(list(results)) if results else COCO()
        evaluation = COCOeval(known, found, "segm" if masks else "bbox")
        evaluation.params.imgIds = list(images)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    ap, ap50, ap75 = (float(value) for value in evaluation.stats[:3])
    return {"ap": ap, "ap50": ap50, "ap75": ap75}


def _labels(*groups: Group) -> dict[str, None]:
    """Every label once, in order of appearance, as they are compared."""
    return dict.fromkeys(
        folded(one.label) for group in groups for picture in group for one in picture
    )


def _data_set(truth: Group, labels: dict[str, int], *, masks: bool) -> JSON:
    rows = list(_rows(truth, labels, masks=masks))
    return {
        "info": {},
        # pycocotools asks for sizes, which it needs for polygons alone.
        "images": [{"id": k, "width": 0, "height": 0} for k in range(1, len(truth) + 1)],
        "annotations": [row | {"id": number, "iscrowd": 0} for number, row in enumerate(rows, 1)],
        "categories": [{"id": number, "name": label} for label, number in labels.items()],
    }


def _rows(group: Group, labels: dict[str, int], *, masks: bool) -> Iterator[JSON]:
    """One COCO annotation or result for each instance."""
    for number, picture in enumerate(group, 1):
        for instance in picture:
            x0, y0, x1, y1 = instance.box
            row: JSON = {
                "image_id": number,
                "category_id": labels[folded(instance.label)],
                "bbox": [x0, y0, x1 - x0, y1 - y0],
                "area": _area(instance.box),
                "score": 1.0 if instance.score is None else instance.score,
            }
            if masks and instance.mask is not None:
                del row["bbox"]  # pycocotools takes a result with one for a box
                row["segmentation"] = run_lengths(instance.mask, instance.pixels)
                row["area"] = int(np.count_nonzero(instance.mask))
            if not masks or instance.mask is not None:
                yield row


def _area(box: Box) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)
