"""Paste: an answer that was written elsewhere, read without a model."""

from __future__ import annotations

from typing import Any

from gemma_vision import images
from gemma_vision.answer import instance_json, to_json
from gemma_vision.engine import Chunk
from gemma_vision.reading import Reading
from gemma_vision.tasks import TaskError
from postprocess.policies import find_policy

MAX_ANSWER = 200_000  # characters; 4096 tokens are about 40,000


def read(
    text: str, size: tuple[int, int], *, mask_decoder: str = "none", policy: str | None = None
) -> dict[str, Any]:
    """The JSON of an answer's text on a picture of `size` = (width, height) pixels.

    mask_decoder: "published" for codes of Google's checkpoints, "embedded" for those of the
    embedded one, the path of a file, or "none" for boxes only. policy: how units become pixels,
    "space" or "bigvision"; None takes what the decoder's checkpoint was trained for.
    """
    return describe(paste(text, size, mask_decoder=mask_decoder, policy=policy))


def paste(
    text: str, size: tuple[int, int], *, mask_decoder: str = "none", policy: str | None = None
) -> Reading:
    """As `read`, as objects: `.instances`, `.mentions`, `.notices`, `.plain`."""
    check_size(size)
    if len(text) > MAX_ANSWER:
        message = f"The answer has {len(text)} characters; the limit is {MAX_ANSWER}."
        raise TaskError(message, "E_TEXT_TOO_LONG")
    policy = policy or ("bigvision" if mask_decoder == "embedded" else "space")
    find_policy(policy)  # an unknown one ends here, in words
    reading = Reading(size, None if mask_decoder == "none" else mask_decoder, policy)
    reading.feed(Chunk(text))
    reading.close()
    return reading


def describe(reading: Reading) -> dict[str, Any]:
    """The JSON of what was read; nobody was asked, so model, task and prompt are None."""
    instances = [instance_json(instance) for instance in reading.instances]
    answer = to_json(
        size=reading.size,
        text=reading.text,
        plain=reading.plain,
        instances=instances,
        warnings=reading.notices,
        policy=reading.policy,
        finish="stop",
        timing={},
    )
    return {"model": None, "task": None, "prompt": None} | answer


def check_size(size: tuple[int, int]) -> None:
    """Two whole numbers of pixels that a picture can have."""
    for side in size:
        if isinstance(side, bool) or not isinstance(side, int):
            message = f"A side of {side!r} pixels cannot be; give whole numbers."
            raise TaskError(message, "E_SIZE")
    images.check_size(size)
