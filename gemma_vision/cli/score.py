"""Score: the verb that evaluates a checkpoint on a data set."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from gemma_vision.catalogue import load
from gemma_vision.cli.arguments import UsageError
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


class Progress:
    """A line on standard error: rewritten in place on a terminal, now and then elsewhere."""

    EVERY = 10.0  # seconds between lines where they cannot be rewritten

    def __init__(self, things: str) -> None:
        self._things = things
        self._began = self._told = time.monotonic()
        self._is_terminal = sys.stderr.isatty()

    def show(self, done: int, total: int) -> None:
        """`done` of `total`, and about how long the rest will take."""
        now = time.monotonic()
        if not self._is_terminal and now - self._told < self.EVERY and done < total:
            return
        self._told = now
        left = (now - self._began) / done * (total - done)
        line = f"{done} of {total} {self._things}, about {left:.0f} s left"
        print(f"\r{line}\033[K" if self._is_terminal else line, end=self._end, file=sys.stderr)

    def end(self) -> None:
        """Leave the terminal's line."""
        if self._is_terminal:
            print(file=sys.stderr)

    @property
    def _end(self) -> str:
        return "" if self._is_terminal else "\n"
