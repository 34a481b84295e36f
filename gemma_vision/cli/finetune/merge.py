"""Merge: the verb that makes one whole model of an adapter and its base."""

from __future__ import annotations

import argparse

from gemma_vision.cli.writing import print_message
from gemma_vision.extras import require


def run(options: argparse.Namespace) -> int:
    """Write the folder and give 0."""
    require("finetune")
    from gemma_vision.finetuning.results.merging import merge_adapter

    print_message(f"wrote {merge_adapter(options.adapter, options.out, options.base)}")
    return 0
