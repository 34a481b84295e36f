"""Command line: what the web app is started with."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from gemma_vision.registry.engines import ABOUT, LOCAL
from gemma_vision.web.components.model_choice import FREEDOMS, VARIABLE
from postprocess.command_parser import CommandParser


def read_options(
    arguments: Sequence[str] | None = None, prog: str = "app.py"
) -> argparse.Namespace:
    """The command line; UsageError where it does not say what to do."""
    parser = CommandParser(prog=prog, description="Gemma Vision in a browser.")
    model = os.environ.get("MODEL_ID") or "tiny"
    parser.add_argument("--model", default=model, help="tiny, a folder or a Hub id (%(default)s)")
    parser.add_argument("--engine", default=LOCAL, help=f"who runs it: {ABOUT}")
    parser.add_argument("--device", help="cpu, cuda or mps; the best there is when not given")
    parser.add_argument("--dtype", help="float32, bfloat16 or float16")
    parser.add_argument(
        "--masks",
        metavar="MODEL",
        default=os.environ.get("MASKS_MODEL_ID") or None,
        help="a PaliGemma that outlines what a model without masks finds (MASKS_MODEL_ID)",
    )
    parser.add_argument("--host", help="address to listen on (127.0.0.1; GRADIO_SERVER_NAME)")
    parser.add_argument(
        "--model-choice",
        choices=FREEDOMS,
        help=f"what visitors may load instead ({VARIABLE}); any on this machine, fixed elsewhere",
    )
    parser.add_argument("--port", type=int, help="port (GRADIO_SERVER_PORT; 7860 or the next)")
    return parser.parse_args(arguments)
