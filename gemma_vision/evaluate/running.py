"""Running: all pictures of a data set examined, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from gemma_vision.evaluate.dataset import Dataset
from gemma_vision.evaluate.dataset_reader import check_things
from gemma_vision.evaluate.examine import examine
from gemma_vision.evaluate.page import check_page_folder, keeping
from gemma_vision.evaluate.picture_checks import check_pictures
from gemma_vision.evaluate.record import ResultsFile, subject_of
from gemma_vision.evaluate.report import write_report
from gemma_vision.evaluate.result import Result
from gemma_vision.evaluate.scores import summarise
from postprocess.user_paths import expanded

if TYPE_CHECKING:
    from gemma_vision.pipeline import Pipeline

T = TypeVar("T")

GROUP = 8  # pictures whose questions share batches
QUESTIONS_BATCH = 16  # questions decoded side by side


def evaluate(
    pipeline: Pipeline,
    dataset: Dataset,
    *,
    limit: int | None = None,
    batch: int = QUESTIONS_BATCH,
    results: str | Path | None = None,
    report: str | Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """The score table of a checkpoint; `summarise` says what its values mean.

    limit: only the first pictures. results: a file in which results are kept as they come; one
    that was begun is gone on with. report: a folder for a page with the worst cases drawn.
    ReportError, which has the table too, where that page cannot be written in the end.
    progress: told how many pictures of how many are done.
    """
    check_things(dataset, limit)
    folder = check_page_folder(report)
    subject = subject_of(pipeline, dataset.path)
    record = ResultsFile(expanded(results) if results else None, subject)
    scenes = dataset.scenes[:limit]
    todo = [scene for scene in scenes if scene.id not in record.rows]
    check_pictures(todo)
    for group in groups(todo, GROUP):
        for result in examine(pipeline, dataset, group, size=batch):
            record.add(result.image, result.to_dict())
        progress(sum(scene.id in record.rows for scene in scenes), len(scenes))
    ordered = [Result.from_dict(record.rows[scene.id]) for scene in scenes]
    scores = summarise(dataset, ordered, pipeline.policy)
    if folder is not None:
        with keeping(scores):
            write_report(dataset, ordered, scores, title_of(pipeline, dataset), folder)
    return scores


def title_of(pipeline: Pipeline, dataset: Dataset) -> str:
    """Of the page that shows how a model did on a data set."""
    return f"{pipeline.name} on {dataset.folder.name}"


def groups(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Runs of `size` items, the last one shorter where it does not come out even."""
    return (items[start : start + size] for start in range(0, len(items), size))
