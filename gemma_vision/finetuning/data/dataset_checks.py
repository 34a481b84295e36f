"""Checks: a data set looked through before anything is learned, all its mistakes named at once.

What can be meant is read by the reader of evaluation, which tells what it left out or cut off; here
stands what only learning asks for.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gemma_vision.evaluate import Dataset, DatasetError, Scene, check_things, read_dataset
from gemma_vision.evaluate.dataset import check_picture_size
from gemma_vision.images.opening import ImageError, open_image
from gemma_vision.requests.names import NAME_SEPARATOR
from gemma_vision.requests.request import CONTROL_TOKEN
from postprocess.errors import UserError

MAX_FAULTS = 5  # that a sentence names; the others are counted


def read_folder(folder: Path) -> Dataset:
    """A data set that can be learned from; DatasetError names all that is wrong with it at once."""
    dataset = read_dataset(folder)
    faults = [*name_faults(dataset), *(one for s in dataset.scenes for one in scene_faults(s))]
    if faults:
        raise DatasetError(listed_faults(faults))
    check_things(dataset)
    return dataset


def listed_faults(faults: list[str]) -> str:
    """Mistakes as one message; those past the fifth are counted."""
    more = len(faults) - MAX_FAULTS
    rest = [f"And {more} more of the kind."] if more > 0 else []
    return " ".join([*faults[:MAX_FAULTS], *rest])


def name_faults(dataset: Dataset) -> Iterator[str]:
    """Names that no prompt can hold."""
    for name in dataset.categories:
        if not name.strip() or NAME_SEPARATOR.search(name) or CONTROL_TOKEN.search(name):
            yield (
                f"The category {name!r} cannot be asked for; give it a name without ; and , in it."
            )


def scene_faults(scene: Scene) -> Iterator[str]:
    """A file that is no picture or of another size than written, masks that cannot be drawn."""
    try:
        check_picture_size(scene, open_image(scene.path).size)
    except (ImageError, DatasetError) as error:
        yield str(error)
        return
    for thing in scene.things:
        try:
            thing.mask(scene.size)
        except UserError as error:
            yield f"Annotation {thing.id} of {scene.path.name}: {error}"
