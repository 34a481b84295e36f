"""Score: the verb that evaluates a checkpoint on a data set."""

from __future__ import annotations

import argparse
from typing import Any

from gemma_vision.catalogue import load
from gemma_vision.cli.arguments import UsageError
from gemma_vision.cli.progress import Progress
from gemma_vision.cli.writing import print_json
from gemma_vision.evaluate import REFS, evaluate, evaluate_phrases, read_dataset


def run(options: argparse.Namespace) -> int:
    """Print the score table as one JSON object and give 0; progress goes to standard error.

    A folder with a `refs.json` is scored by its phrases, any other by its boxes and masks.
    """
    for name, value in (("--limit", options.limit), ("--batch", options.batch)):
        if value is not None and value < 1:
            raise UsageError(f"{name} is {value}; it has to be at least 1.")
    if "{text}" not in options.prompt:
        raise UsageError(f'--prompt is "{options.prompt}"; it has to hold {{text}}.')
    dataset = read_dataset(options.folder)
    pipeline = load(options.model, options.device, options.dtype)
    has_phrases = (dataset.folder / REFS).is_file()
    progress = Progress("phrases" if has_phrases else "pictures")
    shared: dict[str, Any] = {
        "limit": options.limit,
        "batch": options.batch,
        "results": options.results,
        "report": options.report,
        "progress": progress.show,
    }
    if has_phrases:
        shared |= {"split": options.split, "prompt": options.prompt}
    scores = (evaluate_phrases if has_phrases else evaluate)(pipeline, dataset, **shared)
    progress.end()
    print_json(scores, indent=2)
    return 0
