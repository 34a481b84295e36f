"""Group run: the pictures of a shard opened, asked and written down as rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from gemma_vision.annotate.plan import AnnotationPlan
from gemma_vision.annotate.rows import answer_row, error_row
from gemma_vision.annotate.sources import PictureSource, digest_of
from gemma_vision.errors import describe
from gemma_vision.images.opening import open_image
from postprocess.errors import UserError

if TYPE_CHECKING:
    from PIL.Image import Image

    from gemma_vision.answers.answer import Answer
    from gemma_vision.pipeline import Pipeline

JSON = dict[str, Any]
LOST = "E_WORKER"  # the process that looked at a picture ended over it


def annotate_names(
    plan: AnnotationPlan,
    source: PictureSource,
    names: Sequence[str],
    load: Callable[[], Pipeline],
) -> list[JSON]:
    """A row for each of these pictures, in their order.

    load: the pipeline, asked for once there is a picture to be looked at. What is wrong with one
    picture becomes its row and holds up no other.
    """
    rows: dict[str, JSON] = {}
    opened: dict[str, tuple[str, Image]] = {}
    for name in names:
        content = None
        try:
            data = source.read(name)
            content = digest_of(data)
            opened[name] = content, open_image(data)
        except (UserError, OSError) as error:
            rows[name] = failed(name, content, error)
    if opened:
        answers = ask(load(), plan, [image for _, image in opened.values()])
        for (name, (content, _)), answer in zip(opened.items(), answers, strict=True):
            if isinstance(answer, UserError):
                rows[name] = failed(name, content, answer)
            else:
                rows[name] = answer_row(name, content, answer)
    return [rows[name] for name in names]


def ask(
    pipeline: Pipeline, plan: AnnotationPlan, images: Sequence[Image]
) -> Sequence[Answer | UserError]:
    """The answer about each picture; where one cannot be had, what a person is told of it."""
    requests = [plan.request(image) for image in images]
    try:
        return pipeline.batch(requests)
    except UserError as error:
        if len(images) == 1:
            return [error]
    return [one for image in images for one in ask(pipeline, plan, [image])]


def failed(name: str, content: str | None, error: Exception) -> JSON:
    """The row of a picture that could not be used. The system's words hold no folder's name."""
    if isinstance(error, OSError) and not isinstance(error, UserError):
        reason = error.strerror or type(error).__name__
        return error_row(name, content, "E_FILE", f"It cannot be read ({reason}).")
    code, message = describe(error)
    return error_row(name, content, code, message)
