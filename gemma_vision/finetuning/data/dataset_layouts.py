"""Reading: a data set of any layout as one that can be learned from, the same for every layout.

Pictures stand in the order of their names, things in the order of theirs from left to right, names
in the order of letters: what a run draws and what it is scored on hangs on what the data set says,
not on the program that wrote it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gemma_vision.evaluate import Dataset, DatasetError, Scene, Thing, read_dataset
from gemma_vision.finetuning.data.lines import read_lines
from postprocess.datasets import READERS
from postprocess.datasets.annotated import Annotated
from postprocess.datasets.coco_layout import find_file
from postprocess.datasets.files import ExportError
from postprocess.datasets.layouts import find_layout
from postprocess.datasets.notices import Faults, Notices
from postprocess.datasets.picture_files import PictureFinder, name_key, shared_files
from postprocess.instances import CodesToMask, Instance
from postprocess.mask_formats import run_lengths

LAYOUTS = tuple(READERS)
PLACES = ("", "images", "JPEGImages", "data")  # where pictures lie in a data set's folder


@dataclass(frozen=True)
class DatasetReading:
    """A data set as it could be read, and a sentence for each thing that is wrong with it."""

    dataset: Dataset
    faults: tuple[str, ...]
    layout: str


def read_any(
    given: Path, *, layout: str | None = None, decoder: CodesToMask | None = None, seed: int = 0
) -> DatasetReading:
    """A folder or a file; DatasetError where nothing of it can be read.

    layout: one of LAYOUTS, None tells it from the files. decoder: what draws masks that are written
    as codes. seed: of the absent names that are asked for.
    """
    notices = Faults()
    try:
        layout = layout or find_layout(given)
        if layout == "coco":
            dataset = read_dataset(given, notices)
        elif layout == "paligemma":
            dataset = read_lines(given, notices, decoder)
        else:
            dataset = to_dataset(given, READERS[layout](given, notices), notices)
    except ExportError as error:
        raise DatasetError(" ".join([*notices.found, str(error)])) from error
    dataset = replace(in_order(dataset, seed), notices=notices.sentences)
    return DatasetReading(dataset, tuple(notices.found), layout)


def to_dataset(given: Path, pictures: Sequence[Annotated], notices: Notices) -> Dataset:
    """What a reader gave, with the files of its pictures; what is not there is a fault."""
    is_own = given.is_dir() and given.name.casefold() != "labels"  # its pictures lie beside it
    folder = given if is_own else given.parent
    finder = PictureFinder([folder / place for place in PLACES])
    scenes: list[Scene] = []
    found: list[tuple[str, Path]] = []
    for picture in pictures:
        path = finder.find(picture.file_name)
        if path is None:
            told = f"{picture.file_name} is told of in {given} and is not there; put it beside it."
            notices.fault(ExportError(told))
            continue
        found.append((picture.file_name, path))
        where = [to_thing(one) for one in picture.instances if is_thing(one, picture, notices)]
        scenes.append(Scene(len(scenes) + 1, path, picture.size, tuple(where)))
    for sentence in shared_files(found):
        notices.fault(ExportError(sentence))
    names = dict.fromkeys(thing.name for scene in scenes for thing in scene.things)
    categories = {name: number for number, name in enumerate(names, 1)}
    return Dataset(folder, tuple(scenes), categories, 0, given)


def is_thing(instance: Instance, picture: Annotated, notices: Notices) -> bool:
    """Whether an instance has a box and a name to be learned; what lacks one leaves a notice."""
    if instance.point is not None:
        notices.add("point", f"{instance.name!r} in {picture.file_name}")
    elif not instance.label.strip():
        notices.add("unnamed", picture.file_name)
    return instance.point is None and bool(instance.label.strip())


def to_thing(instance: Instance) -> Thing:
    """An instance as a data set has it, its mask as run-lengths."""
    mask = instance.mask
    runs = None if mask is None or not mask.any() else run_lengths(mask, instance.pixels)
    return Thing(0, instance.name, instance.box, runs)


def in_order(dataset: Dataset, seed: int) -> Dataset:
    """The same data set, sorted and numbered anew."""
    scenes, number = [], 1
    pictures = sorted(dataset.scenes, key=lambda scene: (name_key(scene.path.name), scene.path))
    for index, scene in enumerate(pictures, 1):
        things = []
        for thing in sorted(scene.things, key=lambda thing: (thing.name, thing.box)):
            things.append(replace(thing, id=number))
            number += 1
        scenes.append(replace(scene, id=index, things=tuple(things)))
    categories = {name: number for number, name in enumerate(sorted(dataset.categories), 1)}
    return replace(dataset, scenes=tuple(scenes), categories=categories, seed=seed)


def file_of(given: Path, layout: str) -> Path:
    """What is named beside a fault: the file of the annotations, or the folder of many."""
    return find_file(given) if layout == "coco" else given
