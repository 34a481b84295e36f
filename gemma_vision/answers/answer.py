"""Answer: what came back, as objects, as a picture and as JSON."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL.Image import Image

from gemma_vision.answers.columns import stack_boxes, stack_masks, stack_scores
from gemma_vision.answers.instance_json import JSON, Shapes
from gemma_vision.answers.saving import UNNAMED, file_of, find_words, save_answer
from gemma_vision.answers.summary import summarize
from gemma_vision.images.opening import Picture, open_image
from gemma_vision.images.pan_and_scan import Box
from gemma_vision.requests.request import Request
from gemma_vision.requests.validation import TaskError
from postprocess.equality import EqualByFields
from postprocess.instances import Instance
from postprocess.tokens import Mention, Notice, Partial
from postprocess.user_paths import expanded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_PREVIEW = 1024  # pixels of the longer side in a notebook


@dataclass(frozen=True, eq=False)
class Answer(EqualByFields):
    """An answer, whole or still growing.

    `mentions` are the closed records in the model's units and `instances` the same things, one for
    one, in pixels of the upright picture; `prompt` is the whole request in the model's words, also
    where it was asked for a few of the names at a time (`names_per_prompt`). `partial` is the
    record being written now (None between records and at the end). `finish` is None while the
    answer grows, then "stop", "length", "repeat" or "cancelled". `timing` has the seconds of
    "encode", "prefill" and "decode" and the number of "tokens". `crops` has for each picture the
    rectangles that pan-and-scan looked at besides the whole: x0, y0, x1, y1 in pixels. Nobody was
    asked for an answer that came from elsewhere (`gemma_vision.read`): it has no request, model or
    prompt, and a `picture` and its `file` only where one was given.
    """

    request: Request | None
    text: str = field(repr=False)
    mentions: list[Mention] = field(repr=False)
    instances: list[Instance] = field(repr=False)
    partial: Partial | None = field(repr=False)
    finish: str | None
    warnings: list[Notice] = field(repr=False)
    policy: str
    timing: dict[str, float]
    model: str | None
    prompt: str | None = field(repr=False)
    plain: str = field(repr=False)
    size: tuple[int, int]  # width and height of the picture, in pixels
    picture: Image | None = field(default=None, repr=False)  # upright, RGB
    thought: str = field(default="", repr=False)  # what the model said to itself: no answer
    probabilities: Mapping[str, float] = field(default_factory=dict)  # of the words of a choice
    masks_by: str | None = None  # the checkpoint that made the masks, where `model` did not
    crops: tuple[tuple[Box, ...], ...] = ()
    shapes: Shapes = field(default_factory=Shapes, repr=False, compare=False)
    file: str | None = field(default=None, repr=False)  # that the picture was read from

    def __repr__(self) -> str:
        """What was found, in a line, without the words that were asked or said."""
        return summarize(self.instances, self.plain, self.finish, self.timing)

    def _repr_png_(self) -> bytes | None:
        """What a notebook shows: the picture with what was found; None without a picture."""
        if self.picture is None:
            return None
        shown = self.overlay() if self.instances else self.picture.copy()
        shown.thumbnail((MAX_PREVIEW, MAX_PREVIEW))
        shown.save(file := io.BytesIO(), "PNG")
        return file.getvalue()

    @property
    def boxes(self) -> NDArray[np.float32]:
        """(N, 4) float32: x0, y0, x1, y1 of each thing, in pixels of the upright picture."""
        return stack_boxes(self.instances)

    @property
    def labels(self) -> list[str]:
        """The name of each thing; "" where the answer gives none."""
        return [instance.label for instance in self.instances]

    @property
    def scores(self) -> NDArray[np.float32]:
        """(N,) float32: how sure each thing is, 0 to 1; NaN where nobody knows."""
        return stack_scores(self.instances)

    @property
    def masks(self) -> NDArray[np.bool_] | None:
        """(N, H, W) bool, empty for a thing without one; None where no thing has a mask."""
        return stack_masks(self.instances, self.size)

    def cancelled(self) -> Answer:
        """The answer as a person left it who stopped here: what is closed stays."""
        return replace(self, finish="cancelled", partial=None)

    @property
    def image(self) -> Image:
        """The picture, upright and RGB: the one the pixels count in; `TaskError` without one."""
        if self.picture is None:
            message = "The answer was read without its picture; give that to `read` or `overlay`."
            raise TaskError(message, "E_NO_IMAGE")
        return self.picture

    def overlay(self, image: Picture | None = None, **options: Any) -> Image:
        """The picture with the instances drawn onto it.

        image: another of this size, as `open_image` takes it. options: those of `postprocess.draw`.
        """
        from postprocess.overlay import draw, fitting

        picture = self.image if image is None else open_image(image)
        return draw(fitting(picture, self.size), self.instances, **options)

    def save(self, path: str | os.PathLike[str], kind: str | None = None) -> list[Path]:
        """Write the answer and give the files that were written.

        path: a file, whose suffix says what is written ("seen.png" the picture with what was
        found, "seen.json" the answer, "seen.csv", "seen.svg", ...), or a folder. kind: one of
        `postprocess.EXPORTERS` or "answer", where the suffix does not say it or means another.
        TaskError: E_KIND names what can be written, E_TARGET is for the picture that was asked and
        for addresses. PathError for what is no path.
        """
        from postprocess.exports import Annotated

        target = expanded(path)  # what is no path ends here, in words
        asked = tuple(map(file_of, self.request.images)) if self.request else (self.file,)
        name = Path(asked[0]).name if asked[0] else UNNAMED
        words = find_words(self.request, self.instances, self.prompt, self.plain)
        found = Annotated(name, self.size, self.instances, self.picture, words=words)
        return save_answer(target, kind, found, self.to_dict(), asked)

    def to_dict(self) -> JSON:
        """The answer as JSON.

        "partial" is there while the answer grows (None between records) and never at the end,
        "crops" (per picture its rectangles) only where pan-and-scan was asked for, "masks_by" where
        the masks are another checkpoint's than "model", "probabilities" where the answer is a
        choice of two words.
        """
        whole = answer_json(
            model=self.model,
            task=self.request.task if self.request else None,
            prompt=self.prompt,
            size=self.size,
            text=self.text,
            plain=self.plain,
            thought=self.thought,
            instances=[self.shapes.describe(instance) for instance in self.instances],
            warnings=self.warnings,
            policy=self.policy,
            finish=self.finish,
            timing=self.timing,
        )
        tail: JSON = {"partial": partial_json(self.partial)} if self.finish is None else {}
        if self.masks_by is not None:
            tail["masks_by"] = self.masks_by
        if self.probabilities:
            shares = self.probabilities.items()
            tail["probabilities"] = {word: round(share, 4) for word, share in shares}
        if self.request and self.request.pan_and_scan:
            tail["crops"] = crops_json(self.crops)
        return whole | tail


def partial_json(partial: Partial | None) -> JSON | None:
    """The record being written: label so far, 0-4 positions, 0-16 codes, and their units.

    None between records.
    """
    if partial is None:
        return None
    return {
        "label": partial.label,
        "positions": list(partial.positions),
        "codes": list(partial.codes),
        "units": partial.units,
    }


def crops_json(crops: Iterable[Iterable[Box]]) -> list[list[list[int]]]:
    """For each picture the rectangles looked at besides the whole, x0, y0, x1, y1 in pixels."""
    return [[list(box) for box in boxes] for boxes in crops]


def answer_json(
    *,
    model: str | None,
    task: str | None,
    prompt: str | None,
    size: tuple[int, int],
    text: str,
    plain: str,
    instances: Sequence[JSON],
    warnings: Sequence[Notice],
    policy: str,
    finish: str | None,
    timing: Mapping[str, float],
    thought: str = "",
) -> JSON:
    """The JSON of every answer, whoever wrote it; what nobody was asked is None.

    "thought" is there only where the model thought.
    """
    return {
        "model": model,
        "task": None if task is None else str(task),
        "prompt": prompt,
        "text": text,
        "plain": plain,
        "image": {"width": size[0], "height": size[1]},
        "policy": policy,
        "finish": finish,
        "warnings": [notice_json(notice) for notice in warnings],
        "instances": list(instances),
        "timing": {name: round(value, 6) for name, value in timing.items()},
        **({"thought": thought} if thought else {}),
    }


def notice_json(notice: Notice) -> JSON:
    """A notice: its code, the character it is about, the sentence."""
    return {"code": notice.code, "start": notice.start, "message": notice.message}
