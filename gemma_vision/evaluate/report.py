"""Report: a page with the score table, each name's scores and the worst cases drawn."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gemma_vision.evaluate.dataset import Dataset, Scene, Thing
from gemma_vision.evaluate.page import WORST, figure, table, write_page
from gemma_vision.evaluate.result import Masked, Result
from postprocess.instances import Instance
from postprocess.mask_formats import extent, mask_of
from postprocess.metrics import confusion


def write_report(
    dataset: Dataset, results: Sequence[Result], scores: dict[str, Any], title: str, folder: Path
) -> Path:
    """Write `index.html` and the pictures it shows into a folder, and give the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    known = {scene.id: scene for scene in dataset.scenes}
    pairs = [(known[result.image], result) for result in results]
    body = [
        table(("score", "value"), scores.items()),
        "<h2>By name</h2>",
        table(("name", "objects", "boxes at 0.5", "mean IoU of masks"), by_name(pairs)),
        "<h2>Confusion</h2>",
        table(("name", "right", "missed", "invented", "taken for"), confusions(dataset, pairs)),
        "<h2>Worst boxes</h2><p>The truth on the left, the answer on the right.</p>",
        *worst_boxes(dataset, pairs, folder),
        "<h2>Worst masks</h2>",
        *worst_masks(pairs, folder),
    ]
    return write_page(title, body, folder)


def by_name(pairs: Sequence[tuple[Scene, Result]]) -> Iterator[tuple[Any, ...]]:
    """Each name's number of objects, the share found, and the mean IoU of its masks."""
    ious: dict[str, list[float]] = defaultdict(list)
    masks: dict[str, list[float]] = defaultdict(list)
    for scene, result in pairs:
        names = {thing.id: thing.name for thing in scene.things}
        for thing, iou in zip(scene.objects, result.ious, strict=True):
            ious[thing.name].append(iou)
        for one in result.masked:
            masks[names[one.thing]].append(one.iou)
    for name, values in sorted(ious.items()):
        found = sum(iou >= 0.5 for iou in values) / len(values)
        outlined = masks[name]
        yield name, len(values), found, sum(outlined) / len(outlined) if outlined else None


def confusions(
    dataset: Dataset, pairs: Sequence[tuple[Scene, Result]]
) -> Iterator[tuple[Any, ...]]:
    """For each name how often it was right, missed, found where nothing is, and taken for what."""
    truth = [[thing.instance() for thing in scene.objects] for scene, _ in pairs]
    found = [list(found_instances(dataset, result)) for _, result in pairs]
    counts = Counter(confusion(truth, found))
    for name in sorted({name for pair in counts for name in pair if name is not None}):
        others = sorted(seen for true, seen in counts if true == name and seen not in (name, None))
        taken_for = ", ".join(f"{other} ({counts[name, other]})" for other in others) or None
        yield name, counts[name, name], counts[name, None], counts[None, name], taken_for


def worst_boxes(
    dataset: Dataset, pairs: Sequence[tuple[Scene, Result]], folder: Path
) -> Iterator[str]:
    """The pictures whose boxes are furthest from the truth."""
    judged = [pair for pair in pairs if pair[1].ious]
    for scene, result in sorted(judged, key=lambda pair: mean(pair[1].ious))[:WORST]:
        truth = [thing.instance() for thing in scene.objects]
        said = f"{scene.path.name}: mean IoU {mean(result.ious):.2f}"
        found = list(found_instances(dataset, result))
        yield figure(scene.path, truth, found, said, folder / f"boxes-{scene.id}")


def worst_masks(pairs: Sequence[tuple[Scene, Result]], folder: Path) -> Iterator[str]:
    """The things whose masks are furthest from the truth."""
    cases = [(one, scene) for scene, result in pairs for one in result.masked]
    for one, scene in sorted(cases, key=lambda case: case[0].iou)[:WORST]:
        thing = next(thing for thing in scene.things if thing.id == one.thing)
        said = f"{scene.path.name}: {thing.name}, IoU {one.iou:.2f}"
        truth = [thing.instance(thing.mask(scene.size))]
        found = masked_instances(one, thing)
        yield figure(scene.path, truth, found, said, folder / f"mask-{scene.id}-{thing.id}")


def found_instances(dataset: Dataset, result: Result) -> Iterator[Instance]:
    """The boxes of an answer to be drawn."""
    names = {number: name for name, number in dataset.categories.items()}
    for row in result.found:
        x, y, width, height = row["bbox"]
        box = (x, y, x + width, y + height)
        x0, y0, x1, y1 = (round(edge) for edge in box)
        label = names[row["category_id"]]
        yield Instance(label, box, (x0, y0, x1, y1), score=row["score"])


def masked_instances(one: Masked, thing: Thing) -> list[Instance]:
    """The mask of an answer to be drawn; nothing where there was none."""
    if one.mask is None:
        return []
    mask = mask_of(one.mask)
    box = extent(mask)
    return [Instance(thing.name, box, box, mask)] if mask.any() else []


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
