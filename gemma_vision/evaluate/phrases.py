"""Phrases: referring expressions, each for one thing, scored as RefCOCO is.

The folder holds, beside the COCO `annotations.json`, a `refs.json`: RefCOCO's own list as JSON,
`[{"ann_id": 1, "image_id": 7, "split": "val", "sentences": [{"sent": "left cat"}]}]`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gemma_vision.decoders import open_decoder
from gemma_vision.evaluate.dataset import ANNOTATIONS, Dataset, DatasetError, Scene, Thing
from gemma_vision.evaluate.record import Record, subject_of
from gemma_vision.tasks import Request, Task
from postprocess.referring import ReferringScore, score_referring, summarise, token_numbers

if TYPE_CHECKING:
    from gemma_vision.pipeline import Pipeline
    from postprocess.mask_decoder import MaskDecoder

REFS = "refs.json"
PROMPT = "segment {text}"  # of the mix checkpoints; those tuned on RefCOCO take "{text}" alone
MAX_TOKENS = 32  # 4 positions, 16 codes and a label


@dataclass(frozen=True)
class Phrase:
    """Words for one thing of one picture."""

    text: str
    scene: Scene
    thing: Thing


def read_phrases(dataset: Dataset, split: str | None = None) -> list[Phrase]:
    """Every sentence of `refs.json`, or those of one split; DatasetError says what is wrong."""
    path = dataset.folder / REFS
    scenes = {scene.id: scene for scene in dataset.scenes}
    things = {thing.id: thing for scene in dataset.scenes for thing in scene.things}
    try:
        phrases = [
            Phrase(text, scenes[ref["image_id"]], things[ref["ann_id"]])
            for ref in json.loads(path.read_text(encoding="utf-8"))
            if split is None or ref.get("split") == split
            for text in sentences(ref)
        ]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        what = f"{type(error).__name__}: {error}"
        raise DatasetError(f"{path} is no list of referring expressions ({what}).") from error
    if not phrases:
        raise DatasetError(f"{path} has no sentence{f' of split {split}' if split else ''}.")
    return phrases


def sentences(ref: dict[str, Any]) -> Iterator[str]:
    """The words of a reference: plain strings, or RefCOCO's {"sent": ...}."""
    for sentence in ref["sentences"]:
        yield sentence if isinstance(sentence, str) else sentence["sent"]


def evaluate_phrases(
    pipeline: Pipeline,
    dataset: Dataset,
    *,
    split: str | None = None,
    prompt: str = PROMPT,
    limit: int | None = None,
    batch: int = 16,
    results: str | Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """mIoU, box accuracy at 0.5 and 0.75 and the share of invalid answers, to RefCOCO's letter.

    prompt: what is asked, with {text} for the phrase. The other options are those of `evaluate`.
    """
    decoder = decoder_of(pipeline)
    phrases = read_phrases(dataset, split)[:limit]
    files = (dataset.folder / ANNOTATIONS, dataset.folder / REFS)
    subject = subject_of(pipeline, *files, split=split, prompt=prompt)
    record = Record(Path(results) if results else None, subject)
    began, known = time.perf_counter(), len(record.rows)
    todo = [number for number in range(len(phrases)) if number not in record.rows]
    for start in range(0, len(todo), batch):
        numbers = todo[start : start + batch]
        scores = score([phrases[number] for number in numbers], pipeline, decoder, prompt, batch)
        for number, one in zip(numbers, scores, strict=True):
            record.add(number, asdict(one))
        progress(len(phrases) - len(todo) + start + len(numbers), len(phrases))
    spent = (time.perf_counter() - began) / max(len(record.rows) - known, 1)
    ordered = [ReferringScore(**record.rows[number]) for number in range(len(phrases))]
    images = {phrase.scene.id for phrase in phrases}
    head = {"n_images": len(images), "n_phrases": len(phrases), "split": split, "prompt": prompt}
    tail = {"seconds_per_phrase": round(spent, 6), "policy": "bigvision"}
    return head | {key: round(value, 6) for key, value in asdict(summarise(ordered)).items()} | tail


def score(
    phrases: Sequence[Phrase], pipeline: Pipeline, decoder: MaskDecoder, prompt: str, batch: int
) -> list[ReferringScore]:
    """Ask for each phrase and compare the answer's tokens with the thing."""
    requests = [
        Request(
            phrase.scene.path, Task.free, prompt.format(text=phrase.text), max_tokens=MAX_TOKENS
        )
        for phrase in phrases
    ]
    answers = pipeline.batch(requests, size=batch)
    return [
        score_one(phrase, answer.text, decoder)
        for phrase, answer in zip(phrases, answers, strict=True)
    ]


def score_one(phrase: Phrase, text: str, decoder: MaskDecoder) -> ReferringScore:
    """One answer's text against its thing."""
    width, height = phrase.scene.size
    x0, y0, x1, y1 = phrase.thing.box
    mask = phrase.thing.mask(phrase.scene.size)
    if mask is None:
        raise DatasetError(f"Annotation {phrase.thing.id} has no mask; phrases are scored by mask.")
    box = (y0 / height, x0 / width, y1 / height, x1 / width)
    return score_referring(token_numbers(text), box, mask, decoder)


def decoder_of(pipeline: Pipeline) -> MaskDecoder:
    """The pipeline's decoder, opened; DatasetError where it has none."""
    decoder = pipeline.decoder
    decoder = open_decoder(decoder) if isinstance(decoder, str) else decoder
    if decoder is None:
        raise DatasetError(f"{pipeline.name} has no mask decoder; phrases are scored by mask.")
    return decoder
