"""Answering: a program's request carried out, as JSON that grows.

Errors read "E_CODE: a sentence".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from PIL.Image import Image

from gemma_vision.answers.answer import JSON, answer_json, crops_json
from gemma_vision.images.opening import open_image
from gemma_vision.images.pan_and_scan import crop_boxes
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.options import read_options
from gemma_vision.requests.request import Request
from gemma_vision.web.jobs.job import StreamRun
from gemma_vision.web.server.errors import to_client
from gemma_vision.web.server.uploads import resolve_upload


def answers(
    pipeline: Pipeline, image: Any, task: str, text: str = "", **options: Any
) -> Iterator[JSON]:
    """The growing JSON of one request; what a person did wrong becomes an error with its code.

    image: what a client sent, or a picture of ours that is open already.
    """
    try:
        picture = image if isinstance(image, Image) else open_image(resolve_upload(image))
        request = Request(picture, task, text, **read_options(task, options))
        if task in pipeline.tasks:
            request = pipeline.interpret(request)
        for answer in StreamRun(lambda: pipeline.stream(request), None).follow():
            yield waiting(pipeline, request, picture.size) if answer is None else answer.to_dict()
    except Exception as error:
        raise to_client(error) from None


def waiting(pipeline: Pipeline, request: Request, size: tuple[int, int]) -> JSON:
    """The answer before its first word. Clients that stream get it; a Stop is heard between two."""
    blank = answer_json(
        model=pipeline.name,
        task=request.task,
        prompt=pipeline.family.write_prompt(request),
        size=size,
        text="",
        plain="",
        instances=[],
        warnings=[],
        policy=pipeline.policy,
        finish=None,
        timing={"encode": 0.0, "prefill": 0.0, "decode": 0.0, "tokens": 0},
    )
    tail: JSON = {"partial": None}
    if request.pan_and_scan:
        tail["crops"] = crops_json([crop_boxes(size)])
    return blank | tail
