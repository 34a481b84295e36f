"""Checks: a data set looked through before anything is learned, all that is wrong named at once.

Faults cannot be learned from; doubts can, and are probably meant otherwise. What can be meant is
read by the readers, which tell what they left out or cut off.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gemma_vision.evaluate import Dataset, DatasetError, Scene, check_things
from gemma_vision.evaluate.picture_checks import picture_fault
from gemma_vision.finetuning.data.dataset_layouts import file_of, read_any
from gemma_vision.requests.interpretation.names import NAME_SEPARATOR
from gemma_vision.requests.request import CONTROL_TOKEN
from postprocess.errors import UserError
from postprocess.instances import CodesToMask

MAX_FAULTS = 3  # that a sentence names; the others are counted


@dataclass(frozen=True)
class Inspection:
    """A data set and what is wrong with it, a sentence each; `file` is what was read."""

    dataset: Dataset
    file: Path
    layout: str
    faults: tuple[str, ...]


def inspect_folder(
    folder: Path,
    *,
    layout: str | None = None,
    decoder: CodesToMask | None = None,
    seed: int = 0,
) -> Inspection:
    """Read a data set and look into every picture; DatasetError where it cannot be read at all."""
    reading = read_any(folder, layout=layout, decoder=decoder, seed=seed)
    dataset = reading.dataset
    told = " ".join(reading.faults)
    found = [*reading.faults, *(said for name, said in name_faults(dataset) if name not in told)]
    found += [fault for scene in dataset.scenes for fault in scene_faults(scene)]
    if not found and not any(scene.objects or scene.lines for scene in dataset.scenes):
        try:
            check_things(dataset)
        except DatasetError as error:
            found.append(str(error))
    file = file_of(folder, reading.layout)
    return Inspection(dataset, file, reading.layout, tuple(dict.fromkeys(found)))


def read_folder(
    folder: Path,
    *,
    layout: str | None = None,
    decoder: CodesToMask | None = None,
    seed: int = 0,
) -> Dataset:
    """A data set that can be learned from; DatasetError names all that is wrong with it at once."""
    inspected = inspect_folder(folder, layout=layout, decoder=decoder, seed=seed)
    if inspected.faults:
        raise DatasetError(listed_faults(list(inspected.faults)))
    return inspected.dataset


def listed_faults(faults: list[str]) -> str:
    """Mistakes as one message; those past the third are counted."""
    more = len(faults) - MAX_FAULTS
    rest = [f"And {more} more of the kind; --check lists them all."] if more > 0 else []
    return " ".join([*faults[:MAX_FAULTS], *rest])


def name_faults(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Names that no prompt can hold, as they are quoted, and what is said of each."""
    used = {thing.name for scene in dataset.scenes for thing in scene.things}
    for name in dict.fromkeys([*dataset.categories, *sorted(used)]):
        if not name.strip() or NAME_SEPARATOR.search(name) or CONTROL_TOKEN.search(name):
            said = (
                f"The category {name!r} cannot be asked for; give it a name without ; and , in it."
            )
            yield repr(name), said


def scene_faults(scene: Scene) -> Iterator[str]:
    """A file that is no picture or of another size than written, masks that cannot be drawn."""
    if fault := picture_fault(scene):
        yield fault
        return
    for thing in scene.things:
        try:
            thing.mask(scene.size)
        except UserError as error:
            yield f"Annotation {thing.id} of {scene.path.name}: {error}"
