"""The endpoints for programs: the verbs of the library, with its JSON.

Every answer grows: clients that stream get it again and again, the others get the whole. Errors
read "E_CODE: a sentence".

No `from __future__ import annotations` here: Gradio reads the hints as they stand.
"""

from collections.abc import Callable
from typing import Any

import gradio as gr

import gemma_vision
from gemma_vision.pipeline import Pipeline
from gemma_vision.web.api.answering import SHARED
from gemma_vision.web.api.naming_endpoints import naming
from gemma_vision.web.api.schema import AnswerJSON, ModelsJSON
from gemma_vision.web.api.telling_endpoints import telling
from gemma_vision.web.server.errors import to_client
from gemma_vision.web.tabs.paste_run import read_pasted

QUICK: dict[str, Any] = {"concurrency_id": "quick", "concurrency_limit": 4}  # no model at work


def build_endpoints(pipeline: Pipeline) -> None:
    """Add every endpoint to the Blocks that is being built."""

    def models() -> ModelsJSON:
        """List the checkpoints: what each can do and whether it is here; the loaded one first."""
        loaded = pipeline.describe()
        others = [row for row in gemma_vision.models() if row["id"] != loaded["id"]]
        return {"models": [loaded, *others]}

    for verb in verbs(pipeline):
        gr.api(verb, api_name=verb.__name__, **SHARED)
    gr.api(parse, api_name="parse", **QUICK)
    gr.api(models, api_name="models", **QUICK)


def verbs(pipeline: Pipeline) -> list[Callable[..., Any]]:
    """What can be asked of a picture, each a generator of the growing answer."""
    return [*naming(pipeline), *telling(pipeline)]


def parse(
    text: str,
    width: int,
    height: int,
    mask_decoder: str = "none",
    drop_repeats: bool = False,
    max_overlap: float | None = None,
    drop_full_frame: bool = False,
) -> AnswerJSON:
    """Read an answer that was written elsewhere: tokens in, boxes and masks out.

    Args:
        text: The answer, with its <loc> and <seg> tokens or as box_2d JSON.
        width: Width of the picture in pixels.
        height: Height of the picture in pixels.
        mask_decoder: Whose mask codes they are: "published" for Google's checkpoints,
            "embedded" for the one that comes inside, "none" for boxes only.
        drop_repeats: Leave out exact copies of an earlier record.
        max_overlap: Of boxes of one name that overlap more than this (IoU, 0 to 1), leave out
            all but the first; null keeps them all.
        drop_full_frame: Leave out boxes of nearly the whole picture.
    """
    try:
        return read_pasted(
            text,
            (width, height),
            mask_decoder,
            drop_repeats=drop_repeats,
            max_overlap=max_overlap,
            drop_full_frame=drop_full_frame,
        )
    except Exception as error:
        raise to_client(error) from None
