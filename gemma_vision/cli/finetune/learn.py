"""Learn: the verb that teaches a checkpoint the things of a data set."""

from __future__ import annotations

import argparse

from gemma_vision.cli.finetune.arguments import given
from gemma_vision.cli.writing import print_line, print_message
from gemma_vision.extras import require
from postprocess.command_parser import UsageError

DONE, FAULTY, INTERRUPTED = 0, 2, 130


def run(options: argparse.Namespace) -> int:
    """Score, learn, write, score again, and give 0; progress goes to standard error.

    130 after Ctrl-C, with the state written. With --check: 0 where the data can be learned, else 2.
    """
    if options.check:
        return check_dataset(options)
    require("tune" if options.lora or options.qlora else "finetune")
    from gemma_vision.finetuning.api import finetune
    from gemma_vision.finetuning.endings import Stopped

    try:
        finetune(
            config=options.config,
            device=options.device,
            threads=options.threads,
            resume=options.resume,
            **given(options),
        )
    except Stopped as stopped:
        print_message(str(stopped))
        return INTERRUPTED
    except KeyboardInterrupt:
        print_message("Stopped. Nothing was lost: what was learned before is where it was.")
        return INTERRUPTED
    return DONE


def check_dataset(options: argparse.Namespace) -> int:
    """Tell every fault and every doubt of a data set, a line each."""
    from gemma_vision.finetuning.check import check_data
    from gemma_vision.finetuning.options import read_config_file

    typed = given(options)
    known = {} if options.config is None else read_config_file(options.config)
    wanted = known | typed
    if wanted.get("data") is None:
        raise UsageError("--check needs a data set: a folder, or its file.")
    report = check_data(wanted)
    for line in report.lines:
        print_line(line)
    return FAULTY if report.faults else DONE
