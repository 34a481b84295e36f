"""Scoring: the project's own evaluation, before and after, of new things and of old ones."""

import gc
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import gemma_vision
from gemma_vision.evaluate import Dataset, Result, Scene, summarise
from gemma_vision.evaluate.examine import examine
from gemma_vision.evaluate.report import worst_boxes
from gemma_vision.evaluate.running import GROUP, QUESTIONS_BATCH, groups
from gemma_vision.optimization.atomic_write import write_atomically
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.request import Request
from gemma_vision.requests.tasks import Task
from postprocess.instances import locate
from postprocess.metrics import match
from postprocess.tokens import parse

NEW, OLD = "new", "old"  # the pictures put aside, and the drawings that were known before
FOUND = 0.5  # IoU
MAX_LINE_TOKENS = 64
FORGOTTEN = 0.25  # of recall50 that a name lost at least,
FORGOTTEN_SHARE = 0.6  # with less than this share of it left,
FEWEST_LOST = 1.9  # and so many of its things

Scores = dict[str, dict[str, Any]]  # a data set's title -> the table of `eval`, and "names"


@dataclass(frozen=True)
class Subject:
    """What is asked: a checkpoint as `gemma_vision.load` takes it, and how it computes.

    key: what has to be equal for figures written down earlier to be these.
    """

    name: str
    device: str
    dtype: str
    key: str
    base: str | None = None
    shown: str = ""


class ScoreListener(Protocol):
    """What is told how far the asking is."""

    def tell(self, sentence: str) -> None:
        """A sentence."""

    def rewrite(self, text: str) -> None:
        """How far it is, in place of what was said of that before."""


def score(
    subject: Subject,
    datasets: Mapping[str, Dataset],
    cache: Path,
    listener: ScoreListener,
    *,
    worst: Path | None = None,
) -> Scores:
    """The tables of a checkpoint on each data set; `cache` is a file that remembers them.

    The checkpoint is loaded for it and let go again, so that two never share the memory. worst: a
    folder for pictures of the worst cases of what was learned.
    """
    known = read_cache(cache)
    if known.get("key") == subject.key and (worst is None or worst.is_dir()):
        scores: Scores = known["scores"]
        return scores
    pipeline = gemma_vision.load(
        subject.name, device=subject.device, dtype=subject.dtype, base=subject.base
    )
    scores = {}
    for title, dataset in datasets.items():
        shown = subject.shown or subject.name
        listener.tell(f"asking {shown} about {len(dataset.scenes)} {title} pictures")
        results = ask_all(pipeline, dataset, listener)
        scores[title] = table_of(pipeline, dataset, results)
        if title == NEW and worst is not None:
            draw_worst(dataset, results, worst)
    del pipeline
    gc.collect()
    write_atomically(cache, json.dumps({"key": subject.key, "scores": scores}, indent=1))
    return scores


def read_cache(cache: Path) -> dict[str, Any]:
    """What an earlier run wrote down; nothing where it wrote nothing that can be read."""
    try:
        known = json.loads(cache.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def ask_all(pipeline: Pipeline, dataset: Dataset, listener: ScoreListener) -> list[Result]:
    """What came of every picture."""
    results: list[Result] = []
    for group in groups(dataset.scenes, GROUP):
        results += examine(pipeline, dataset, group, size=QUESTIONS_BATCH)
        listener.rewrite(f"  {len(results)} of {len(dataset.scenes)}")
    return results


def table_of(pipeline: Pipeline, dataset: Dataset, results: Sequence[Result]) -> dict[str, Any]:
    """The table of `eval`, each name's own figures, and those of lines learned word for word."""
    table = summarise(dataset, results, pipeline.policy)
    del table["seconds_per_image"]  # of this machine, at this moment
    table["names"] = by_name(dataset, results)
    asked = [(scene, line) for scene in dataset.scenes for line in scene.lines]
    if asked:
        right = answered_lines(pipeline, asked)
        table |= {"n_lines": len(asked), "lines_right": round(sum(right) / len(right), 6)}
    return table


def by_name(dataset: Dataset, results: Sequence[Result]) -> dict[str, dict[str, Any]]:
    """For each name how many things it has, the share found, and the IoU of its masks."""
    ious: dict[str, list[float]] = defaultdict(list)
    masks: dict[str, list[float]] = defaultdict(list)
    for scene, result in zip(dataset.scenes, results, strict=True):
        names = {thing.id: thing.name for thing in scene.things}
        for thing, iou in zip(scene.objects, result.ious, strict=True):
            ious[thing.name].append(iou)
        for one in result.masked:
            masks[names[one.thing]].append(one.iou)
    return {
        name: {
            "things": len(values),
            "recall50": round(sum(iou >= FOUND for iou in values) / len(values), 6),
            "miou": round(sum(masks[name]) / len(masks[name]), 6) if masks[name] else None,
        }
        for name, values in sorted(ious.items())
    }


def answered_lines(
    pipeline: Pipeline, asked: Sequence[tuple[Scene, tuple[str, str]]]
) -> list[bool]:
    """Whether each line is answered as it stands; where the answer is a place, nearly there."""
    requests = [
        Request(scene.path, Task.free, prefix, max_tokens=MAX_LINE_TOKENS)
        for scene, (prefix, _) in asked
    ]
    answers = pipeline.batch(requests, size=QUESTIONS_BATCH)
    return [
        is_right(scene, suffix, answer.text)
        for (scene, (_, suffix)), answer in zip(asked, answers, strict=True)
    ]


def is_right(scene: Scene, wanted: str, said: str) -> bool:
    """Words alike but for case and spaces; places at an IoU of at least a half each."""
    truth = locate(parse(wanted), scene.size, policy="bigvision")
    if not truth:
        return " ".join(wanted.casefold().split()) == " ".join(said.casefold().split())
    found = locate(parse(said), scene.size, policy="bigvision")
    pairs = match(truth, found, same_label=False)
    return len(found) == len(truth) == sum(iou >= FOUND for _, _, iou in pairs)


def draw_worst(dataset: Dataset, results: Sequence[Result], folder: Path) -> None:
    """Pictures of the worst cases: the truth on the left, the answer on the right."""
    folder.mkdir(parents=True, exist_ok=True)
    known = {scene.id: scene for scene in dataset.scenes}
    pairs = [(known[result.image], result) for result in results]
    for _ in worst_boxes(dataset, pairs, folder):
        pass


def forgotten_names(before: Scores, after: Scores) -> list[str]:
    """The names that were found before and are hardly found any more.

    One thing more or less is chance: at least two have to be lost.
    """
    lost = []
    for title, table in after.items():
        for name, row in table["names"].items():
            was = before.get(title, {}).get("names", {}).get(name, {}).get("recall50", 0.0)
            fallen = was - row["recall50"]
            is_many = fallen * row["things"] >= FEWEST_LOST
            if is_many and fallen >= FORGOTTEN and row["recall50"] < was * FORGOTTEN_SHARE:
                lost.append(name)
    return list(dict.fromkeys(lost))
