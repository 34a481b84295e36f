"""COCO data sets read: one reader for the evaluation, for fine-tuning and for the converter.

What can be meant is taken so, with a notice where it was written another way; what cannot be is
refused in a sentence. Masks stay as they are written until somebody draws them.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from postprocess.datasets.annotated import Annotated, LazyInstances, whole_box, within
from postprocess.datasets.coco_file import CocoFile, CocoPicture, CocoThing
from postprocess.datasets.coco_layout import find_file, picture_places
from postprocess.datasets.coco_rows import read_rows
from postprocess.datasets.files import VIA, ExportError, read_json
from postprocess.datasets.notices import Notices
from postprocess.datasets.picture_files import PictureFinder, Size
from postprocess.instances import Instance


def read_coco(path: Path, notices: Notices | None = None) -> list[Annotated]:
    """The pictures of a COCO file or folder with their things; crowds are left out.

    Masks are drawn when they are looked at, so that never more than one picture's are in memory.
    """
    file = read_coco_file(Path(path), notices or Notices())
    return [
        Annotated(one.file_name, one.size, LazyInstances(drawers_of(one))) for one in file.pictures
    ]


def read_coco_file(given: Path, notices: Notices) -> CocoFile:
    """The data set that a folder or a file names; ExportError says what is wrong with it."""
    path = find_file(given)
    data = read_json(path, "COCO")
    try:
        if not isinstance(data, dict):
            raise ValueError(f"it is a {type(data).__name__}")
        if is_via(data):
            raise ExportError(f"This is {VIA}")
        return read_rows(data, path, PictureFinder(picture_places(path, given)), notices)
    except ExportError as error:
        raise ExportError(f"{path}: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ExportError(f"{path} is no COCO file ({error}). Export it again.") from error


def is_via(data: Mapping[str, Any]) -> bool:
    """Whether JSON is of VGG Image Annotator: its project, or its pictures with their regions."""
    rows = list(data.values())
    are_pictures = all(isinstance(row, dict) and {"filename", "regions"} <= {*row} for row in rows)
    return "_via_img_metadata" in data or (bool(rows) and are_pictures)


def drawers_of(picture: CocoPicture) -> list[Callable[[], Instance]]:
    """For each thing of a picture what draws it."""
    things = [thing for thing in picture.things if not thing.is_crowd]
    return [partial(draw_thing, thing, picture.size) for thing in things]


def draw_thing(thing: CocoThing, size: Size) -> Instance:
    """A thing as an instance in a picture of (width, height)."""
    box, mask = within(thing.box, size), thing.mask(size)
    pixels = whole_box(box, mask, size)
    return Instance(thing.label, box, pixels, mask, score=thing.score, point=thing.point)
