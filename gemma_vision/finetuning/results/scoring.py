"""Scoring: the project's own evaluation, before and after, on new things and on old ones."""

import gc
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gemma_vision
from gemma_vision.evaluate import Dataset, evaluate

Scores = dict[str, dict[str, Any]]  # "new" and "old" -> the table of `eval`


def score(name: str, device: str | None, datasets: Mapping[str, Dataset], cache: Path) -> Scores:
    """The tables of a checkpoint on each data set; `cache` is a file that remembers them.

    The checkpoint is loaded for it and let go again, so that two never share the memory.
    """
    scores: Scores = {}
    if cache.is_file():
        scores = json.loads(cache.read_text())
        return scores
    pipeline = gemma_vision.load(name, device=device)
    for kind, dataset in datasets.items():
        print(f"asking {name} about {len(dataset.scenes)} {kind} pictures", file=sys.stderr)
        scores[kind] = evaluate(pipeline, dataset)
    del pipeline
    gc.collect()
    cache.write_text(json.dumps(scores, indent=1))
    return scores
