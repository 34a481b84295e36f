"""Program: reads the command line, runs the verb, turns a person's mistakes into one sentence."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from gemma_vision.cli import arguments
from gemma_vision.cli.option_arguments import check_ranges
from gemma_vision.cli.writing import ReaderGoneError, complain, open_streams
from gemma_vision.errors import describe, is_explained

HOMES = {
    "parse": "parse",
    "models": "models",
    "eval": "score",
    "annotate": "annotate",
    "video": "video",
    "finetune": "finetune.learn",
    "merge": "finetune.merge",
    "app": "app",
}  # the others: pictures
FAILED = 2
INTERRUPTED = 130  # as shells say it: 128 + SIGINT


def main(argv: Sequence[str] | None = None) -> int:
    """Run `gemma-vision ARGV...` and give the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        open_streams()
        options = arguments.parse_arguments(words)
        check_ranges(options)
        return verb(options.verb)(options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except ReaderGoneError:
        return 0
    except (ValueError, OSError) as error:
        if not is_explained(error):
            raise
        complain(describe(error, names_files=True)[1])
        return FAILED


def verb(name: str) -> Callable[[argparse.Namespace], int]:
    """The function behind a verb. Imported when it is run, so that --help is quick."""
    module = import_module(f"gemma_vision.cli.{HOMES.get(name, 'pictures')}")
    run: Callable[[argparse.Namespace], int] = module.run
    return run
