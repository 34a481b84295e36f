"""Models: the verb that lists the checkpoints. Loads none."""

from __future__ import annotations

import argparse

from gemma_vision.cli.writing import print_json
from gemma_vision.registry.loading import models


def run(options: argparse.Namespace) -> int:
    """Print {"models": [...]} and give 0."""
    del options  # the verb has none
    print_json({"models": models()}, indent=2)
    return 0
