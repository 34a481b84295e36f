"""Report: a page with the score table, each name's scores and the worst cases drawn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gemma_vision.evaluate.dataset import Dataset, Scene, Thing
from gemma_vision.evaluate.result import Masked, Result
from gemma_vision.images import open_image
from postprocess.instances import Instance
from postprocess.metrics import confusion
from postprocess.overlay import draw
from postprocess.shapes import mask_of

WORST = 12  # cases of each kind
WIDTH = 480  # pixels of a drawn case, at most

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto }}
body {{ padding: 0 1rem }}
table {{ border-collapse: collapse; margin: 1rem 0 }}
td, th {{ padding: .2rem .8rem; text-align: right; border-bottom: 1px solid #8884 }}
td:first-child, th:first-child {{ text-align: left }}
figure {{ margin: 1.5rem 0; display: grid; grid-template-columns: 1fr 1fr; gap: .5rem }}
figure img {{ width: 100%; height: auto }}
figcaption {{ grid-column: 1 / -1 }}
</style></head><body>
<h1>{title}</h1>
{body}
</body></html>
"""


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
        table(("truth", "answer", "times"), confusions(dataset, pairs)),
        "<h2>Worst boxes</h2><p>The truth on the left, the answer on the right.</p>",
        *worst_boxes(dataset, pairs, folder),
        "<h2>Worst masks</h2>",
        *worst_masks(pairs, folder),
    ]
    page = folder / "index.html"
    page.write_text(PAGE.format(title=escape(title), body="\n".join(body)), encoding="utf-8")
    return page


def table(heads: Sequence[str], rows: Any) -> str:
    """Rows as an HTML table."""
    top = "".join(f"<th>{escape(head)}</th>" for head in heads)
    lines = ["".join(f"<td>{cell(value)}</td>" for value in row) for row in rows]
    return f"<table><tr>{top}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def cell(value: Any) -> str:
    """A value as a reader wants it: three places, a dash for none."""
    if value is None:
        return "\u2013"
    return f"{value:.3f}" if isinstance(value, float) else escape(str(value))


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
    """What was called what, the most frequent first; a dash for missed and for invented."""
    truth = [[thing_instance(thing) for thing in scene.objects] for scene, _ in pairs]
    found = [list(found_instances(dataset, result)) for _, result in pairs]
    for (true, seen), count in sorted(confusion(truth, found).items(), key=lambda item: -item[1]):
        yield true, seen, count


def worst_boxes(
    dataset: Dataset, pairs: Sequence[tuple[Scene, Result]], folder: Path
) -> Iterator[str]:
    """The pictures whose boxes are furthest from the truth."""
    judged = [pair for pair in pairs if pair[1].ious]
    for scene, result in sorted(judged, key=lambda pair: mean(pair[1].ious))[:WORST]:
        truth = [thing_instance(thing) for thing in scene.objects]
        said = f"{scene.path.name}: mean IoU {mean(result.ious):.2f}"
        found = list(found_instances(dataset, result))
        yield figure(scene, truth, found, said, folder / f"boxes-{scene.id}")


def worst_masks(pairs: Sequence[tuple[Scene, Result]], folder: Path) -> Iterator[str]:
    """The things whose masks are furthest from the truth."""
    cases = [(one, scene) for scene, result in pairs for one in result.masked]
    for one, scene in sorted(cases, key=lambda case: case[0].iou)[:WORST]:
        thing = next(thing for thing in scene.things if thing.id == one.thing)
        said = f"{scene.path.name}: {thing.name}, IoU {one.iou:.2f}"
        truth = [thing_instance(thing, scene.size)]
        found = masked_instances(one, thing)
        yield figure(scene, truth, found, said, folder / f"mask-{scene.id}-{thing.id}")


def thing_instance(thing: Thing, size: tuple[int, int] | None = None) -> Instance:
    """An annotated thing to be drawn; with its mask where the picture's size is told."""
    x0, y0, x1, y1 = (round(edge) for edge in thing.box)
    mask = thing.mask(size) if size else None
    return Instance(thing.name, thing.box, (x0, y0, x1, y1), mask)


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
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return []
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    return [Instance(thing.name, box, box, mask)]


def figure(
    scene: Scene, truth: list[Instance], found: list[Instance], said: str, stem: Path
) -> str:
    """Truth and answer side by side, saved as two JPEG files."""
    image = open_image(scene.path)
    shown = []
    for side, instances in (("truth", truth), ("answer", found)):
        drawn = draw(image, instances, boxes=any(one.mask is None for one in instances))
        drawn.thumbnail((WIDTH, WIDTH), Image.Resampling.LANCZOS)
        path = stem.with_name(f"{stem.name}-{side}.jpg")
        drawn.save(path, quality=88)
        shown.append(f'<img src="{path.name}" alt="{side}" loading="lazy">')
    return f"<figure>{''.join(shown)}<figcaption>{escape(said)}</figcaption></figure>"


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
