"""Score: the verb that evaluates a checkpoint on a data set."""

from __future__ import annotations

import argparse
from typing import Any

from gemma_vision.cli.progress import ProgressLine
from gemma_vision.cli.writing import print_json, print_message
from gemma_vision.evaluate import (
    PROMPT,
    REFS,
    ReportError,
    check_things,
    evaluate,
    evaluate_phrases,
    read_dataset,
)
from gemma_vision.registry.loading import load
from postprocess.command_parser import UsageError


def run(options: argparse.Namespace) -> int:
    """Print the score table as one JSON object and give 0; progress goes to standard error.

    A folder with a `refs.json` is scored by its phrases, any other by its boxes and masks.
    """
    check_arguments(options)
    dataset = read_dataset(options.folder)
    for notice in dataset.notices:
        print_message(notice)
    has_phrases = (dataset.folder / REFS).is_file()
    if not has_phrases:
        check_unphrased(options)
        check_things(dataset, options.limit)
    named = {"base": options.base, "engine": options.engine}
    pipeline = load(options.model, options.device, options.dtype, **named)
    progress = ProgressLine("phrases" if has_phrases else "pictures")
    shared: dict[str, Any] = {
        "limit": options.limit,
        "batch": options.batch,
        "results": options.results,
        "report": options.report,
        "progress": progress.update,
    }
    if has_phrases:
        shared |= {"split": options.split, "prompt": options.prompt or PROMPT}
    try:
        scores = (evaluate_phrases if has_phrases else evaluate)(pipeline, dataset, **shared)
    except ReportError as error:  # hours of work are printed before it is told
        progress.end()
        print_json(error.scores, indent=2)
        raise
    progress.end()
    print_json(scores, indent=2)
    return 0


def check_arguments(options: argparse.Namespace) -> None:
    """Refuse what cannot work with any folder."""
    for name, value in (("--limit", options.limit), ("--batch", options.batch)):
        if value is not None and value < 1:
            raise UsageError(f"{name} is {value}; it has to be at least 1.")
    if options.prompt is not None and "{text}" not in options.prompt:
        raise UsageError(f'--prompt is "{options.prompt}"; it has to hold {{text}}.')


def check_unphrased(options: argparse.Namespace) -> None:
    """Refuse what would say nothing about a folder without phrases."""
    for name, is_given in (
        ("--split", options.split is not None),
        ("--prompt", options.prompt is not None),
    ):
        if is_given:
            said = f"{name} is about phrases, and {options.folder} has no {REFS}"
            raise UsageError(f"{said}; leave it out.")
