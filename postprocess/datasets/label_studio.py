"""Label Studio's JSON read: tasks with annotations, or else predictions, of boxes and areas."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from postprocess.coordinate_conventions import Box
from postprocess.datasets.annotated import Annotated, LazyInstances, whole_box
from postprocess.datasets.brush import unpack_brush
from postprocess.datasets.edges import cut_box, nearest_point
from postprocess.datasets.ellipses import draw_ellipse
from postprocess.datasets.files import ExportError, read_json
from postprocess.datasets.label_studio_names import picture_place
from postprocess.datasets.naming import own_or_longer_names
from postprocess.datasets.notices import Notices, Once
from postprocess.datasets.numbers import read_number, read_numbers
from postprocess.datasets.picture_files import (
    PictureFinder,
    Size,
    read_size,
    upright_size,
)
from postprocess.instances import Instance, Mask
from postprocess.mask_formats import extent, fill

FILE = "label_studio.json"
BOX, OUTLINE, BRUSH = "rectanglelabels", "polygonlabels", "brushlabels"
POINT, ELLIPSE = "keypointlabels", "ellipselabels"
LABELS = "labels"

JSON = dict[str, Any]
Shape = tuple[Box, Mask | None]


def read_label_studio(path: Path, notices: Notices | None = None) -> list[Annotated]:
    """The pictures of an export in JSON or JSON-MIN, or of the one in a folder.

    Of a task its last annotation is read, or its last prediction where nobody annotated it.
    """
    file = find_export(Path(path))
    tasks = read_json(file, "Label Studio")
    tasks = [tasks] if isinstance(tasks, dict) and "data" in tasks else tasks
    try:
        if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
            raise ValueError("it is no list of tasks")
        if not tasks:
            raise ValueError("it has no tasks")
        names = own_or_longer_names([picture_place(task) for task in tasks])
        finder = PictureFinder([file.parent, file.parent / "images"])
        notices = notices or Notices()
        read = (try_task(*pair, finder, notices) for pair in zip(tasks, names, strict=True))
        return [picture for picture in read if picture is not None]
    except ExportError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise ExportError(f"{file} is no Label Studio file ({error}). Export it again.") from error


def try_task(task: JSON, name: str, finder: PictureFinder, notices: Notices) -> Annotated | None:
    """A task's picture; None for one that cannot be read, where faults are collected."""
    try:
        return read_task(task, name, finder, notices)
    except ExportError as error:
        notices.fault(error)
        return None


def find_export(path: Path) -> Path:
    """The file that a path names; ExportError where there is none, or more than one."""
    if path.is_file():
        return path
    if not path.is_dir():
        raise ExportError(f"There is no file {path}. Name an export of Label Studio.")
    if (path / FILE).is_file():
        return path / FILE
    found = sorted(path.glob("*.json"))
    if len(found) != 1:
        which = "several JSON files" if found else "no JSON file"
        raise ExportError(f"There is {which} in {path}: looked for {FILE}. Name the file itself.")
    return found[0]


def results_of(task: JSON, name: str, notices: Notices) -> list[JSON] | None:
    """The results of a task: of its last annotation, or prediction, or laid flat in JSON-MIN.

    None where nobody looked at the picture, or somebody skipped it: what is in it is not known.
    """
    made = [*(task.get("annotations") or ()), *(task.get("completions") or ())]
    kept = [one for one in made if not one.get("was_cancelled")]
    if len(kept) > 1:
        notices.add("annotators", name)
    if not made and (predictions := task.get("predictions")):
        notices.add("predicted", name)
        return list(predictions[-1].get("result") or ())
    if kept or "data" in task:
        return list(kept[-1].get("result") or ()) if kept else None
    lists = [value for value in task.values() if isinstance(value, list)]
    return [
        {"type": kind, "value": one, **one}
        for value in lists
        for one in value
        if isinstance(one, dict)
        for kind in _READERS
        if kind in one
    ]


def read_task(task: JSON, name: str, finder: PictureFinder, notices: Notices) -> Annotated | None:
    """A task's picture with its things; None where nobody said what is in it, which is told."""
    said = results_of(task, name, notices)
    if said is None:
        notices.add("unannotated", name)
        return None
    results = list(with_labels(said))
    size = size_of(task, results, name, finder)
    once = Once(target=notices)
    things = LazyInstances.checked(
        partial(read_result, result, size, f"{result.get('type')} in {name}", once)
        for result in results
        if result.get("value")
    )
    once.is_over = True
    return Annotated(name, size, things)


def size_of(task: JSON, results: list[JSON], name: str, finder: PictureFinder) -> Size:
    """The picture's (width, height), which its results give, or its data, or its file."""
    for result in results:
        size = read_size(result.get("original_width"), result.get("original_height"), name)
        if size is not None:
            return size
    data = task.get("data", {})
    size = read_size(data.get("width"), data.get("height"), name)
    if size is not None:
        return size
    path = finder.find(name)
    if path is None:
        raise ExportError(f"{name} has no results that give its size, and is not there.")
    return upright_size(path)


def read_result(result: JSON, size: Size, where: str, notices: Notices) -> Instance | None:
    """The thing of a result; None for another kind or one without an area, which are told."""
    kind, value = str(result.get("type")), result["value"]
    if kind not in _READERS:
        notices.add("shape", where)
        return None
    drawn, mask = _READERS[kind](value, size)
    labels, score = value.get(kind) or [""], read_number(result.get("score"))
    label = str(labels[0])
    if len(labels) > 1:
        notices.add("labels", f"{', '.join(map(str, labels))} in {where}")
    if kind == POINT:
        point = nearest_point((drawn[0], drawn[1]), size, where, notices)
        box = (*point, *point)
        return Instance(label, box, whole_box(box, None, size), score=score, point=point)
    cut = cut_box(drawn, size, where, notices, mask)
    if cut is None:
        return None
    if kind == BOX and read_number(value.get("rotation")):
        notices.add("turned", where)
    return Instance(label, cut, whole_box(cut, mask, size), mask, score=score)


def read_rectangle(value: JSON, size: Size) -> Shape:
    """x, y, width and height in hundredths of the sides; a turned one is the box around it."""
    x, y, wide, high = (numbers_of(value, key) for key in ("x", "y", "width", "height"))
    corners = np.array([[x, y], [x + wide, y], [x + wide, y + high], [x, y + high]])
    points = corners * np.array(size) / 100
    angle = np.deg2rad(read_number(value.get("rotation")) or 0.0)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points = points[0] + (points - points[0]) @ turn
    (x0, y0), (x1, y1) = points.min(0).tolist(), points.max(0).tolist()
    return (x0, y0, x1, y1), None


def read_polygon(value: JSON, size: Size) -> Shape:
    """Corners in hundredths of the sides."""
    points = [numbers for point in value["points"] if (numbers := read_numbers(point))]
    if len(points) < 3 or any(len(point) != 2 for point in points):
        return (0.0, 0.0, 0.0, 0.0), None
    corners = np.clip(np.array(points) / 100, -1, 2) * np.array(size)
    (x0, y0), (x1, y1) = corners.min(0).tolist(), corners.max(0).tolist()
    return (x0, y0, x1, y1), fill([corners.tolist()], size)


def read_ellipse(value: JSON, size: Size) -> Shape:
    """A middle and two radii in hundredths of the sides, turned about the middle."""
    x, y, across, down = (numbers_of(value, key) for key in ("x", "y", "radiusX", "radiusY"))
    width, height = (side / 100 for side in size)
    turn = read_number(value.get("rotation")) or 0.0
    return draw_ellipse((x * width, y * height), (across * width, down * height), size, turn)


def read_brush(value: JSON, size: Size) -> Shape:
    """A mask in the packed form of the brush."""
    mask = unpack_brush(value.get("rle"), size)
    x0, y0, x1, y1 = extent(mask)
    return (float(x0), float(y0), float(x1), float(y1)), mask


def read_keypoint(value: JSON, size: Size) -> Shape:
    """A place in hundredths of the sides."""
    x, y = numbers_of(value, "x") * size[0] / 100, numbers_of(value, "y") * size[1] / 100
    return (x, y, x, y), None


def with_labels(results: Sequence[JSON]) -> Iterator[JSON]:
    """Results of which a shape and its labels are one, where an interface has a control for each.

    rectangle and labels, both of id "a"  ->  rectanglelabels
    """
    bare = {shape.removesuffix(LABELS): shape for shape in _READERS}
    labels = {str(row["id"]): row["value"][LABELS] for row in results if is_labels(row)}
    drawn = {str(row.get("id")) for row in results if str(row.get("type")) in bare}
    for row in results:
        shape = bare.get(str(row.get("type")))
        if shape is not None and isinstance(row.get("value"), dict):
            named = row["value"] | {shape: labels.get(str(row.get("id")))}
            yield row | {"type": shape, "value": named}
        elif not (is_labels(row) and str(row["id"]) in drawn):
            yield row


def is_labels(result: JSON) -> bool:
    """Whether a result is the labels of a shape, which is another result of its id."""
    value = result.get("value")
    is_named = isinstance(value, dict) and bool(value.get(LABELS))
    return result.get("type") == LABELS and result.get("id") is not None and is_named


_READERS: dict[str, Callable[[JSON, Size], Shape]] = {
    BOX: read_rectangle,
    OUTLINE: read_polygon,
    BRUSH: read_brush,
    ELLIPSE: read_ellipse,
    POINT: read_keypoint,
}


def numbers_of(value: JSON, key: str) -> float:
    """A number of a result's value."""
    number = read_number(value.get(key))
    if number is None:
        raise ValueError(f"a result has no {key}")
    return number
