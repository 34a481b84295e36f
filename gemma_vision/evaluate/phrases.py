"""Phrases: referring expressions, words that are each for one thing of one picture.

The folder holds, beside the COCO `annotations.json`, a `refs.json`: RefCOCO's own list as JSON,
`[{"ann_id": 1, "image_id": 7, "split": "val", "sentences": [{"sent": "left cat"}]}]`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gemma_vision.evaluate.dataset import Dataset, DatasetError, Scene, Thing
from postprocess.datasets.numbers import read_whole

REFS = "refs.json"
PROMPT = "segment {text}"  # of the mix checkpoints; those tuned on RefCOCO take "{text}" alone


@dataclass(frozen=True)
class Phrase:
    """Words for one thing of one picture."""

    text: str
    scene: Scene
    thing: Thing


def read_phrases(dataset: Dataset, split: str | None = None) -> list[Phrase]:
    """Every sentence of `refs.json`, or those of one split; DatasetError says what is wrong."""
    path = dataset.folder / REFS
    scenes: dict[int | None, Scene] = {scene.id: scene for scene in dataset.scenes}
    things: dict[int | None, Thing] = {
        thing.id: thing for scene in dataset.scenes for thing in scene.things
    }
    try:
        phrases = [
            Phrase(text, scenes[read_whole(ref["image_id"])], things[read_whole(ref["ann_id"])])
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
