"""Pasting: an answer that was written elsewhere, read for a visitor."""

from __future__ import annotations

from typing import Any

from gemma_vision.answers.parse_answer import read_json
from gemma_vision.checkpoints.mask_decoder_files import NAMES, DecoderError
from gemma_vision.requests.validation import TaskError


def read_pasted(
    text: str, size: tuple[int, int], mask_decoder: str, **options: Any
) -> dict[str, Any]:
    """The JSON of a pasted answer; options are those of `read_json`.

    A visitor may name a decoder and never a file of the server.
    """
    if mask_decoder not in NAMES:
        known = ", ".join(NAMES)
        message = f"There is no such mask decoder; over the network take one of {known}."
        raise DecoderError(message)
    if not isinstance(text, str):
        raise TaskError(f"The answer is a {type(text).__name__}; give a string.", "E_TEXT")
    return read_json(text, size, mask_decoder=mask_decoder, **options)
