"""App: the verb that opens the web app. Its options are those of `gemma_vision.web.app`."""

from __future__ import annotations

import argparse

from gemma_vision.extras import require


def run(options: argparse.Namespace) -> int:
    """Serve until Ctrl+C and give 0, or 2 where it cannot start."""
    require("app")
    from gemma_vision.web.app import main

    return main(options.rest, prog="gemma-vision app")
