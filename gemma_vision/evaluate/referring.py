"""Referring: a checkpoint scored on phrases, as RefCOCO is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gemma_vision.evaluate.dataset import Dataset, DatasetError
from gemma_vision.evaluate.page import check_page_folder, keeping
from gemma_vision.evaluate.phrase_report import Judged, write_phrase_report
from gemma_vision.evaluate.phrases import PROMPT, REFS, Phrase, read_phrases
from gemma_vision.evaluate.picture_checks import check_pictures
from gemma_vision.evaluate.record import ResultsFile, subject_of
from gemma_vision.evaluate.running import QUESTIONS_BATCH, groups, title_of
from gemma_vision.requests.request import Request
from gemma_vision.requests.tasks import Task
from postprocess.referring import ReferringScore, score_referring, summarise, token_numbers
from postprocess.user_paths import expanded

if TYPE_CHECKING:
    from gemma_vision.pipeline import Pipeline
    from postprocess.instances import CodesToMask

MAX_TOKENS = 32  # 4 positions, 16 codes and a label


def evaluate_phrases(
    pipeline: Pipeline,
    dataset: Dataset,
    *,
    split: str | None = None,
    prompt: str = PROMPT,
    limit: int | None = None,
    batch: int = QUESTIONS_BATCH,
    results: str | Path | None = None,
    report: str | Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """mIoU, box accuracy at 0.5 and 0.75 and the share of invalid answers, to RefCOCO's letter.

    prompt: what is asked, with {text} for the phrase. The other options are those of `evaluate`.
    """
    folder = check_page_folder(report)
    decoder = decoder_of(pipeline)
    phrases = read_phrases(dataset, split)[:limit]
    files = (dataset.path, dataset.folder / REFS)
    subject = subject_of(pipeline, *files, split=split, prompt=prompt)
    record = ResultsFile(expanded(results) if results else None, subject)
    todo = unasked(phrases, record)
    began = time.perf_counter()
    for numbers in groups(todo, batch):
        for number, text in zip(numbers, ask(pipeline, phrases, numbers, prompt), strict=True):
            scored = score(phrases[number], text, decoder)
            record.add(number, {"text": text, "score": asdict(scored)})
        progress(sum(n in record.rows for n in range(len(phrases))), len(phrases))
    spent = (time.perf_counter() - began) / max(len(todo), 1)
    rows = [record.rows[number] for number in range(len(phrases))]
    judged = [
        Judged(phrase, row["text"], ReferringScore(**row["score"]))
        for phrase, row in zip(phrases, rows, strict=True)
    ]
    table = table_of(judged, split=split, prompt=prompt, seconds=spent)
    if folder is not None:
        with keeping(table):
            write_phrase_report(judged, decoder, table, title_of(pipeline, dataset), folder)
    return table


def unasked(phrases: Sequence[Phrase], record: ResultsFile) -> list[int]:
    """The numbers of the phrases that are still to be asked, whose pictures can all be opened."""
    numbers = [number for number in range(len(phrases)) if number not in record.rows]
    check_pictures({phrases[n].scene.id: phrases[n].scene for n in numbers}.values())
    return numbers


def ask(
    pipeline: Pipeline, phrases: Sequence[Phrase], numbers: Sequence[int], prompt: str
) -> list[str]:
    """The answers' texts for the phrases of these numbers, decoded side by side."""
    requests = []
    for number in numbers:
        phrase = phrases[number]
        text = prompt.replace("{text}", phrase.text)
        requests.append(Request(phrase.scene.path, Task.free, text, max_tokens=MAX_TOKENS))
    return [answer.text for answer in pipeline.batch(requests, size=len(requests))]


def table_of(
    judged: Sequence[Judged], *, split: str | None, prompt: str, seconds: float
) -> dict[str, Any]:
    """The score table. seconds: for a phrase asked in this run."""
    scores = summarise(one.score for one in judged)
    return {
        "n_images": len({one.phrase.scene.id for one in judged}),
        "n_phrases": len(judged),
        "split": split,
        "prompt": prompt,
        **{key: round(value, 6) for key, value in asdict(scores).items()},
        "seconds_per_phrase": round(seconds, 6),
        "policy": "bigvision",
    }


def score(phrase: Phrase, text: str, decoder: CodesToMask) -> ReferringScore:
    """One answer's text against its thing."""
    width, height = phrase.scene.size
    x0, y0, x1, y1 = phrase.thing.box
    mask = phrase.thing.mask(phrase.scene.size)
    if mask is None:
        raise DatasetError(f"Annotation {phrase.thing.id} has no mask; phrases are scored by mask.")
    box = (y0 / height, x0 / width, y1 / height, x1 / width)
    return score_referring(token_numbers(text), box, mask, decoder)


def decoder_of(pipeline: Pipeline) -> CodesToMask:
    """The pipeline's decoder, opened; DatasetError where it has none."""
    if pipeline.decoder is None:
        raise DatasetError(f"{pipeline.name} has no mask decoder; phrases are scored by mask.")
    return pipeline.decoder.open()
