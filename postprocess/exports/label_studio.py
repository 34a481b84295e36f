"""Label Studio: one `label_studio.json` of tasks with predictions, for people to look through.

Masks are what its brush paints, things without one rectangles, each with its score.
`label_studio.xml` is the labelling interface that the names of the results belong to.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from postprocess.datasets.annotated import Annotated, on_one_line, without_controls
from postprocess.datasets.brush import pack_brush
from postprocess.datasets.files import ExportError, read_json, replaced, write_json, write_text
from postprocess.datasets.label_studio import BOX, BRUSH, ELLIPSE, FILE, OUTLINE, POINT
from postprocess.datasets.label_studio_names import NAME, address_of
from postprocess.instances import Instance

INTERFACE = "label_studio.xml"

_MODEL = "gemma-vision"
_POINT_WIDTH = 0.5  # hundredths of the width
# kind of result -> the control of the interface
_CONTROLS = {BOX: "box", BRUSH: "mask", POINT: "point"}

_TAGS = (
    ("RectangleLabels", _CONTROLS[BOX]),
    ("BrushLabels", _CONTROLS[BRUSH]),
    ("KeyPointLabels", _CONTROLS[POINT]),
)

_KINDS = ("predictions", "annotations")
_LABELLED = (*_CONTROLS, OUTLINE, ELLIPSE)

JSON = dict[str, Any]


def to_label_studio(pictures: Iterable[Annotated], folder: Path) -> list[Path]:
    """Write `label_studio.json` and its interface; tasks of other pictures stay in it.

    What people annotated in a picture stays too, beside what is predicted.
    """
    path = folder / FILE
    known = known_tasks(path) if path.exists() else []
    annotated = {address: task for address, task in known if task.get("annotations")}
    named = ((address_of(one.file_name), one) for one in pictures)
    fresh = [(address, annotated.get(address, {}) | to_task(one)) for address, one in named]
    tasks = replaced(known, fresh)
    return [write_json(path, tasks), write_text(folder / INTERFACE, interface_of(tasks))]


def known_tasks(path: Path) -> list[tuple[str, JSON]]:
    """The tasks of a file of Label Studio's, each with the address of its picture."""
    try:
        return [(str(task["data"]["image"]), task) for task in read_json(path, "Label Studio")]
    except (KeyError, TypeError) as error:
        raise ExportError(f"{path} has other content. Name another folder.") from error


def to_task(picture: Annotated) -> JSON:
    """A picture as a task whose things are predicted."""
    width, height = picture.size
    results = [
        to_result(number, one, picture.size) for number, one in enumerate(picture.instances, 1)
    ]
    scores = [row["score"] for row in results if "score" in row]
    prediction: JSON = {"model_version": _MODEL, "result": results}
    if scores:
        prediction["score"] = sum(scores) / len(scores)
    name = picture.file_name
    data = {"image": address_of(name), NAME: name, "width": width, "height": height}
    return {"data": data, "predictions": [prediction]}


def to_result(number: int, instance: Instance, size: tuple[int, int]) -> JSON:
    """A thing: its box or point in hundredths of the sides, or its mask as the brush packs it."""
    kind, label = BOX, on_one_line(instance.name)
    value: JSON = in_hundredths(instance, size)
    if instance.mask is not None:
        kind, value = BRUSH, {"format": "rle", "rle": pack_brush(instance.mask)}
    elif instance.point is not None:
        kind, value = POINT, {"x": value["x"], "y": value["y"], "width": _POINT_WIDTH}
    result: JSON = {
        "id": str(number),
        "type": kind,
        "from_name": _CONTROLS[kind],
        "to_name": "image",
        "original_width": size[0],
        "original_height": size[1],
        "image_rotation": 0,
        "value": value | {kind: [label]},
    }
    return result if instance.score is None else result | {"score": instance.score}


def in_hundredths(instance: Instance, size: tuple[int, int]) -> JSON:
    """A box as x, y, width and height in hundredths of the sides."""
    (x0, y0, x1, y1), (width, height) = instance.box, size
    return {
        "x": 100 * x0 / width,
        "y": 100 * y0 / height,
        "width": 100 * (x1 - x0) / width,
        "height": 100 * (y1 - y0) / height,
        "rotation": 0,
    }


def interface_of(tasks: Sequence[JSON]) -> str:
    """The labelling interface for all labels of some tasks."""
    labels = dict.fromkeys(label for task in tasks for label in labels_of(task))
    names = "".join(
        f"    <Label value={quoteattr(without_controls(label))}/>\n" for label in labels
    )
    controls = "".join(
        f'  <{tag} name="{name}" toName="image">\n{names}  </{tag}>\n' for tag, name in _TAGS
    )
    return f'<View>\n  <Image name="image" value="$image"/>\n{controls}</View>\n'


def labels_of(task: JSON) -> Iterator[str]:
    """The labels of what is predicted and annotated in a task, as far as it has any."""
    said = [one for kind in _KINDS for one in task.get(kind) or () if isinstance(one, dict)]
    for result in (row for one in said for row in one.get("result") or ()):
        kind, value = result.get("type"), result.get("value")
        if kind in _LABELLED and isinstance(value, dict):
            yield from map(str, value.get(kind) or ())
