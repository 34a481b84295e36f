"""CVAT: an auto-annotation function over a checkpoint, for its SDK and its command line.

    cvat-cli task auto-annotate 17 --function-module gemma_vision.labelling.cvat \\
        -p names=str:"cat ; dog" -p task=str:segment
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import gemma_vision
from gemma_vision.extras import require
from gemma_vision.labelling.label_names import LabelNames, label_names
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.interpretation.names import names_of, split_names
from gemma_vision.requests.request import Request
from gemma_vision.requests.tasks import Task
from gemma_vision.requests.validation import TaskError
from postprocess.instances import Instance
from postprocess.mask_formats import parts, simplify

if TYPE_CHECKING:
    from cvat_sdk.auto_annotation import DetectionFunctionContext, DetectionFunctionSpec
    from PIL.Image import Image

TOLERANCE = 1.0  # pixels that a polygon may leave the edge of a mask
# What things are in CVAT, by the task that finds them.
SHAPES = {Task.detect: "rectangle", Task.segment: "mask", Task.point: "points"}


def create(
    names: str = "",
    *,
    task: str = "detect",
    model: str = "tiny",
    engine: str | None = None,
    device: str | None = None,
    dtype: str | None = None,
    masks: str | None = None,
) -> CvatFunction:
    """The function that CVAT calls. All but the first two are those of `gemma_vision.load`.

    names: the labels of the CVAT task that are looked for, as they are written there, for example
    "cat ; dog"; the names that the checkpoint lists where none are given. task: "detect" for
    rectangles, "segment" for masks, "point" for points. Raises TaskError in words.
    """
    require("cvat")
    pipeline = gemma_vision.load(
        model, device=device, dtype=dtype, engine=engine, masks=masks or None
    )
    return CvatFunction(pipeline, names, task)


class CvatFunction:
    """Finds things of the names in a picture: a detection function, as CVAT calls it."""

    def __init__(self, pipeline: Pipeline, names: str, task: str = "detect") -> None:
        known = names_of(pipeline.card)
        labels = split_names(names) or known
        if task not in SHAPES or Task(task) not in pipeline.tasks:
            can = ", ".join(task for task in SHAPES if task in pipeline.tasks)
            raise TaskError(f"task is {task!r}; {pipeline.name} can {can}.", "E_TASK")
        if not labels:
            raise TaskError("Name the labels to look for: -p names=str:'cat ; dog'.", "E_TEXT")
        self._names = label_names({label: (label,) for label in labels}, known)
        if self._names.unknown:
            unknown = ", ".join(self._names.unknown)
            message = f"This checkpoint does not know {unknown}. It knows {', '.join(known)}."
            raise TaskError(message, "E_UNKNOWN_NAME")
        self._pipeline, self._task = pipeline, Task(task)
        self._ids = {label: number for number, label in enumerate(labels)}

    @property
    def names(self) -> LabelNames:
        """What the model is asked, and which label each name is."""
        return self._names

    @property
    def spec(self) -> DetectionFunctionSpec:
        """The labels, and what shape their things have."""
        from cvat_sdk.auto_annotation import DetectionFunctionSpec, label_spec

        shape = SHAPES[self._task]
        labels = [label_spec(label, number, type=shape) for label, number in self._ids.items()]
        return DetectionFunctionSpec(labels=labels)

    def detect(self, context: DetectionFunctionContext, image: Image) -> list[Any]:
        """The shapes of the things in a picture, each with its score."""
        text = " ; ".join(self._names.names)
        answer = self._pipeline.run(
            Request(image, self._task, text, min_score=context.conf_threshold)
        )
        return [
            shape
            for number, instance in enumerate(answer.instances, 1)
            if (label := self._names.label_of(instance.label)) is not None
            for shape in shapes_of(
                instance,
                self._task,
                self._ids[label],
                number,
                has_polygons=context.conv_mask_to_poly,
            )
        ]


def shapes_of(
    instance: Instance, task: Task, label_id: int, number: int, *, has_polygons: bool
) -> Iterator[Any]:
    """A thing as CVAT writes it: one shape, or a polygon for each part of its mask in one group.

    number: of the thing in its picture, from 1.
    """
    from cvat_sdk.auto_annotation import mask, polygon, rectangle, shape
    from cvat_sdk.masks import encode_mask

    own: dict[str, Any] = {} if instance.score is None else {"score": float(instance.score)}
    if task is Task.detect:
        yield rectangle(label_id, [float(edge) for edge in instance.box], **own)
    elif task is Task.point and instance.point is not None:
        points = [float(value) for value in instance.point]
        yield shape(label_id, type="points", points=points, **own)
    elif instance.mask is not None and instance.mask.any():
        if not has_polygons:
            yield mask(label_id, encode_mask(instance.mask), **own)
            return
        outlines = [simplify(rings[0], TOLERANCE) for rings in parts(instance.mask)]
        whole = [ring for ring in outlines if len(ring) > 2]
        group = number if len(whole) > 1 else 0
        for ring in whole:
            yield polygon(label_id, ring.ravel().tolist(), group=group, **own)
