"""Answering: a program's request carried out, as JSON that grows.

Errors read "E_CODE: a sentence".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PIL.Image import Image

from gemma_vision.answers.answer import answer_json, crops_json
from gemma_vision.answers.instance_json import JSON
from gemma_vision.images.pan_and_scan import crop_boxes
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.option_checks import read_options
from gemma_vision.requests.request import Request
from gemma_vision.web.jobs.events import once
from gemma_vision.web.jobs.job import MAX_SECONDS, OPENING_SECONDS, PARSE_SECONDS, StreamRun
from gemma_vision.web.server.errors import to_client
from gemma_vision.web.server.picture_worker import open_picture
from gemma_vision.web.server.uploads import resolve_upload


def answers(
    pipeline: Pipeline, image: Any, task: str, text: str = "", **options: Any
) -> Iterator[JSON]:
    """The growing JSON of one request; what a person did wrong becomes an error with its code.

    image: what a client sent, or a picture of ours that is open already.
    """
    try:
        file = image if isinstance(image, Image) else resolve_upload(image)
        opening = StreamRun(lambda: opened(file), None, lock=None, seconds=OPENING_SECONDS)
        for _ in opening.result():
            yield blank(pipeline, task)
        picture = opening.latest
        assert picture is not None, "an error was raised"
        request = Request(picture, task, text, **read_options(task, options))
        if task in pipeline.tasks:
            request = pipeline.interpret(request)
        run = StreamRun(lambda: pipeline.stream(request), None, seconds=MAX_SECONDS)
        for answer in run.follow():
            yield waiting(pipeline, request, picture.size) if answer is None else answer.to_dict()
    except Exception as error:
        raise to_client(error) from None


def within_time(work: Callable[[], JSON]) -> JSON:
    """What some work without a model gives; raises Deadline where that takes too long."""
    run = StreamRun(lambda: once(work), None, lock=None, seconds=PARSE_SECONDS)
    for _ in run.result():
        continue
    assert run.latest is not None, "an error was raised"
    return run.latest


def opened(image: Image | Path) -> Iterator[Image]:
    """The picture, as a stream of one: opening can be stopped."""
    yield image if isinstance(image, Image) else open_picture(image)


def blank(pipeline: Pipeline, task: str) -> JSON:
    """The answer while its picture is opened, whose size is 0 x 0 as long. A Stop is heard."""
    return blank_answer(pipeline, task, "", (0, 0)) | {"partial": None}


def waiting(pipeline: Pipeline, request: Request, size: tuple[int, int]) -> JSON:
    """The answer before its first word. Clients that stream get it; a Stop is heard between two."""
    prompt = pipeline.family.write_prompt(request)
    tail: JSON = {"partial": None}
    if request.pan_and_scan:
        tail["crops"] = crops_json([crop_boxes(size)])
    return blank_answer(pipeline, request.task, prompt, size) | tail


def blank_answer(pipeline: Pipeline, task: str, prompt: str, size: tuple[int, int]) -> JSON:
    """An answer without a word."""
    return answer_json(
        model=pipeline.name,
        task=task,
        prompt=prompt,
        size=size,
        text="",
        plain="",
        instances=[],
        warnings=[],
        policy=pipeline.policy,
        finish=None,
        timing={"encode": 0.0, "prefill": 0.0, "decode": 0.0, "tokens": 0},
    )
