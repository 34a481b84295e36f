"""Dataset reader: a COCO folder as a data set whose names can be asked for.

Laid out as Gemma Vision, Roboflow, CVAT, Label Studio, FiftyOne or COCO itself do it; see
`postprocess.datasets.coco_layout`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gemma_vision.evaluate.dataset import (
    Dataset,
    DatasetError,
    Scene,
    Thing,
)
from gemma_vision.requests.interpretation.names import NAME_SEPARATOR
from gemma_vision.requests.request import CONTROL_TOKEN
from postprocess.datasets.coco import read_coco_file
from postprocess.datasets.coco_file import CocoFile, CocoPicture, listed_once
from postprocess.datasets.coco_ids import number_rows
from postprocess.datasets.files import ExportError
from postprocess.datasets.notices import Notices
from postprocess.datasets.picture_files import shared_files
from postprocess.user_paths import expanded


def read_dataset(given: str | Path, notices: Notices | None = None) -> Dataset:
    """Read a COCO folder, or its file; DatasetError says what is missing or wrong.

    What was left out or taken another way than it was written is told in `notices`. `Faults` as
    notices collects what is wrong and leaves it out, as far as a row can be.
    """
    notices = notices or Notices()
    try:
        file = listed_once(read_coco_file(expanded(given), notices), notices)
    except ExportError as error:
        raise DatasetError(str(error)) from error
    file = without_points(file, notices)
    things = [thing for picture in file.pictures for thing in picture.things]
    categories = askable_categories(file, {thing.label for thing in things}, notices)
    thing_ids = iter(number_rows([thing.id for thing in things]))
    scene_ids = number_rows([picture.id for picture in file.pictures])
    paths = [find_picture(file, picture, notices) for picture in file.pictures]
    scenes = tuple(
        Scene(
            number,
            path,
            picture.size,
            tuple(
                Thing(next(thing_ids), one.label, one.box, one.segmentation, one.is_crowd)
                for one in picture.things
            ),
        )
        for number, picture, path in zip(scene_ids, file.pictures, paths, strict=True)
        if path is not None
    )
    found = zip((picture.file_name for picture in file.pictures), paths, strict=True)
    for sentence in shared_files((name, path) for name, path in found if path is not None):
        add_fault(notices, sentence)
    folder = file.path.parent
    return Dataset(folder, scenes, categories, file.seed, file.path, notices.sentences)


def without_points(file: CocoFile, notices: Notices) -> CocoFile:
    """The data set without its points, which have no box to be scored or learned by."""
    pictures = []
    for picture in file.pictures:
        for thing in picture.things:
            if thing.point is not None:
                notices.add("point", f"annotation {thing.id} of {picture.file_name}")
        kept = tuple(thing for thing in picture.things if thing.point is None)
        pictures.append(replace(picture, things=kept))
    return replace(file, pictures=tuple(pictures))


def askable_categories(file: CocoFile, used: set[str], notices: Notices) -> dict[str, int]:
    """The names that can be asked for, with their numbers; DatasetError where a used one cannot."""
    numbers = number_rows([category.id for category in file.categories])
    names = [category.name for category in file.categories]
    for name in names:
        if name in used and not is_askable_name(name):
            add_fault(
                notices,
                f"The category {name!r} of {file.path} cannot be asked for; give it a name "
                "without ; and , in it.",
            )
    return {name: n for name, n in zip(names, numbers, strict=True) if is_askable_name(name)}


def is_askable_name(name: str) -> bool:
    """Whether a prompt of several names can hold this one."""
    return bool(name) and not NAME_SEPARATOR.search(name) and not CONTROL_TOKEN.search(name)


def find_picture(file: CocoFile, picture: CocoPicture, notices: Notices) -> Path | None:
    """Where a picture's file is; None where it is not there and faults are collected."""
    path = file.finder.find(picture.file_name)
    if path is None:
        add_fault(
            notices,
            f"{picture.file_name} is listed in {file.path} and is not there; put it beside it or "
            "in images/.",
        )
    return path


def add_fault(notices: Notices, sentence: str) -> None:
    """What is wrong with a data set: DatasetError, unless faults are collected."""
    try:
        notices.fault(ExportError(sentence))
    except ExportError as error:
        raise DatasetError(sentence) from error


def check_things(dataset: Dataset, limit: int | None = None) -> None:
    """Refuse a data set with nothing to find in its first pictures."""
    scenes = dataset.scenes[:limit]
    if not any(scene.objects for scene in scenes):
        which = (
            "" if len(scenes) == len(dataset.scenes) else f" in its first {len(scenes)} pictures"
        )
        raise DatasetError(f"{dataset.path} lists no things{which}; there is nothing to score.")
