"""Report: what a run came to, as numbers and as a page with some of its pictures drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any

from PIL import Image

from gemma_vision.annotate.export_run import ExportRun
from gemma_vision.annotate.plan import AnnotationPlan
from gemma_vision.evaluate.page import table, write_page
from gemma_vision.requests.tasks import TASKS
from postprocess.datasets.files import write_image
from postprocess.instances import UNNAMED
from postprocess.overlay import draw

FOLDER = "report"
SHOWN = 12  # pictures that are drawn
LISTED = 1000  # pictures that are named; the rest is counted
WIDTH = 480  # pixels of a drawn picture, at most
JSON = dict[str, Any]


@dataclass(frozen=True)
class Counts:
    """What the rows of a run come to."""

    pictures: int = 0
    instances: int = 0
    cut: int = 0  # answers that ended at the limit of tokens
    labels: Counter[str] = field(default_factory=Counter)
    failed: list[JSON] = field(default_factory=list)

    def to_dict(self) -> JSON:
        """The counts as JSON, labels in the order of their names."""
        return {
            "pictures": self.pictures,
            "annotated": self.pictures - len(self.failed),
            "instances": self.instances,
            "cut": self.cut,
            "labels": dict(sorted(self.labels.items())),
            "failed": self.failed,
        }


def count_rows(rows: Iterable[JSON]) -> Counts:
    """Go over every row once."""
    pictures = instances = cut = 0
    labels: Counter[str] = Counter()
    failed = []
    for row in rows:
        pictures += 1
        if "error" in row:
            failed.append({"file": row["file"], **row["error"]})
            continue
        instances += len(row["instances"])
        cut += row["finish"] == "length"
        labels.update(one["label"] or UNNAMED for one in row["instances"])
    return Counts(pictures, instances, cut, labels, failed)


def write_report(plan: AnnotationPlan, counts: Counts, run: ExportRun, folder: Path) -> None:
    """Write `index.html` and the pictures that it shows."""
    asked = {
        "asked": f"{plan.task} {plan.text}".strip(),
        "model": plan.model,
        **{name: value for name, value in plan.options.items() if value not in (None, False)},
    }
    numbers = counts.to_dict()
    summary = {name: numbers[name] for name in ("pictures", "annotated", "instances", "cut")}
    parts = [
        table(("", ""), asked.items()),
        table(("", "count"), ({**summary, "failed": len(counts.failed)}).items()),
    ]
    if counts.labels:
        parts += ["<h2>Labels</h2>", table(("label", "things"), numbers["labels"].items())]
    if counts.failed:
        parts += ["<h2>Passed over</h2>", failures(counts.failed)]
    folder.mkdir(parents=True, exist_ok=True)
    shown = figures if TASKS[plan.task].names_things else words
    parts += shown(run, folder)
    write_page(f"{numbers['annotated']} pictures annotated", parts, folder)


def failures(failed: list[JSON]) -> str:
    """The pictures that were passed over, and why."""
    rows = [(one["file"], one["message"]) for one in failed[:LISTED]]
    more = len(failed) - len(rows)
    return table(("picture", "why"), [*rows, *([(f"{more} more", "")] if more else [])])


def figures(run: ExportRun, folder: Path) -> list[str]:
    """The first pictures in which something was found, drawn."""
    found = [row["file"] for row in islice((r for r in run.rows() if r["instances"]), SHOWN)]
    parts = ["<h2>The first of them</h2>"] if found else []
    if not found:
        return parts
    by_name = {one.file_name: one for one in islice(run.pictures_of(found), SHOWN)}
    for number, name in enumerate(found, 1):
        picture = by_name[name]
        has_boxes = any(one.mask is None for one in picture.instances)
        drawn = draw(picture.pixels, picture.instances, boxes=has_boxes)
        drawn.thumbnail((WIDTH, WIDTH), Image.Resampling.LANCZOS)
        path = folder / FOLDER / f"{number:02d}.jpg"
        write_image(path, drawn, quality=88)
        said = escape(name)
        image = f'<img src="{FOLDER}/{path.name}" alt="{said}" loading="lazy">'
        parts.append(f"<figure>{image}<figcaption>{said}</figcaption></figure>")
    return parts


def words(run: ExportRun, folder: Path) -> list[str]:
    """The first answers in words."""
    rows = [(row["file"], row["plain"]) for row in islice(run.rows(), SHOWN)]
    return ["<h2>The first of them</h2>", table(("picture", "answer"), rows)] if rows else []
