"""Rows: what was found in one picture as a line of JSON, and a line as what was found.

Nothing in a row depends on when, where or how fast it was made.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from gemma_vision.answers.saving import find_words
from postprocess.datasets.annotated import Annotated, Codec, LazyInstances
from postprocess.instances import Instance
from postprocess.mask_formats import mask_of, run_lengths

if TYPE_CHECKING:
    from PIL.Image import Image

    from gemma_vision.answers.answer import Answer

JSON = dict[str, Any]


def answer_row(name: str, content: str, answer: Answer) -> JSON:
    """What was found in a picture. content: the SHA-256 of its bytes."""
    words = find_words(answer.request, answer.instances, answer.prompt, answer.plain)
    return {
        "file": name,
        "sha256": content,
        "width": answer.size[0],
        "height": answer.size[1],
        "text": answer.text,
        "plain": answer.plain,
        "finish": answer.finish,
        "warnings": sorted({notice.code for notice in answer.warnings}),
        "instances": [describe_instance(one) for one in answer.instances],
        **({"prompt": words[0]} if words else {}),
    }


def error_row(name: str, content: str | None, code: str, message: str) -> JSON:
    """Why nothing was found. content: None where the picture could not be read at all."""
    return {"file": name, "sha256": content, "error": {"code": code, "message": message}}


def describe_instance(instance: Instance) -> JSON:
    """A thing with all its digits, its mask as run-lengths."""
    mask = instance.mask
    return {
        "label": instance.label,
        "box": [float(edge) for edge in instance.box],
        "pixels": [int(edge) for edge in instance.pixels],
        "point": None if instance.point is None else [float(edge) for edge in instance.point],
        "score": None if instance.score is None else float(instance.score),
        "mask": None if mask is None else run_lengths(mask, instance.pixels)["counts"],
    }


def annotated(
    row: JSON, stem: str, *, image: Image | None = None, codec: Codec | None = None
) -> Annotated:
    """A row as exporters take it; its masks are drawn each time they are looked at."""
    size = (row["width"], row["height"])
    makers = [partial(read_instance, one, size) for one in row["instances"]]
    words = (row["prompt"], row["plain"]) if "prompt" in row else None
    return Annotated(row["file"], size, LazyInstances(makers), image, stem, codec, words)


def read_instance(row: JSON, size: tuple[int, int]) -> Instance:
    """The inverse of `describe_instance`, in a picture of this (width, height)."""
    mask = row["mask"]
    x0, y0, x1, y1 = row["pixels"]
    return Instance(
        label=row["label"],
        box=tuple(row["box"]),
        pixels=(x0, y0, x1, y1),
        mask=None if mask is None else mask_of({"size": [size[1], size[0]], "counts": mask}),
        score=row["score"],
        point=None if row["point"] is None else tuple(row["point"]),
    )
