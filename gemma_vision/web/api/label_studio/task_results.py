"""Task results: what was found in a picture, as the results of an interface's controls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gemma_vision.labelling.label_names import LabelNames
from gemma_vision.web.api.label_studio.label_config import Control
from postprocess.datasets.brush import pack_brush
from postprocess.datasets.label_studio import BOX, BRUSH, OUTLINE, POINT
from postprocess.exports.label_studio import in_hundredths
from postprocess.mask_formats import parts, simplify

if TYPE_CHECKING:
    from gemma_vision.answers.answer import Answer
    from postprocess.instances import Instance

JSON = dict[str, Any]
Size = tuple[int, int]

TOLERANCE = 1.0  # pixels that a polygon may leave the edge of a mask
POINT_WIDTH = 0.5  # hundredths of the width


def results_of(answer: Answer, controls: Sequence[tuple[Control, LabelNames]]) -> list[JSON]:
    """A result for every thing in every control that has a label and a shape for it."""
    return [
        {
            "id": f"{control.name}-{number}-{part}",
            "type": control.kind,
            "from_name": control.name,
            "to_name": control.image,
            "original_width": answer.size[0],
            "original_height": answer.size[1],
            "image_rotation": 0,
            "value": value | {control.kind: [label]},
        }
        | ({} if instance.score is None else {"score": float(instance.score)})
        for number, instance in enumerate(answer.instances, 1)
        for control, names in controls
        if (label := names.label_of(instance.label)) is not None
        for part, value in enumerate(values_of(instance, control.kind, answer.size), 1)
    ]


def values_of(instance: Instance, kind: str, size: Size) -> Iterator[JSON]:
    """A thing in the shape of a control: one, none, or a polygon for each part of its mask."""
    box = in_hundredths(instance, size)
    if kind == BOX and instance.point is None:
        yield box
    elif kind == POINT and instance.point is not None:
        yield {"x": box["x"], "y": box["y"], "width": POINT_WIDTH}
    elif instance.mask is not None and instance.mask.any():
        if kind == BRUSH:
            yield {"format": "rle", "rle": pack_brush(instance.mask)}
        elif kind == OUTLINE:
            for rings in parts(instance.mask):
                ring = simplify(rings[0], TOLERANCE)
                if len(ring) > 2:
                    yield {"points": (100 * ring / size).tolist(), "closed": True}


def prediction(results: Sequence[JSON], version: str) -> JSON:
    """The prediction of a task: its results, and the mean of their scores."""
    scores = [one["score"] for one in results if "score" in one]
    whole: JSON = {"result": list(results), "model_version": version}
    return whole | ({"score": sum(scores) / len(scores)} if scores else {})
