"""Checks: a COCO folder looked through before anything is learned, its mistakes named."""

import math
from pathlib import Path
from typing import Any

from gemma_vision.evaluate import Dataset, DatasetError, Scene, Thing, read_dataset
from gemma_vision.images.opening import ImageError, open_image
from gemma_vision.requests.names import NAME_SEPARATOR
from gemma_vision.requests.request import CONTROL_TOKEN
from postprocess.mask_formats import ShapeError

SLACK = 1.5  # pixels that a box may reach out of its picture
MIN_CORNERS = 6  # numbers of a triangle


def read_folder(folder: Path) -> Dataset:
    """A COCO folder that can be learned from; DatasetError says in a sentence what is wrong."""
    try:
        dataset = read_dataset(folder)
    except DatasetError:
        raise
    except (ValueError, OverflowError) as error:
        raise DatasetError(f"{folder} has a number that is none ({error}). Correct it.") from error
    check_names(dataset)
    check_rows(dataset)
    if not any(scene.objects for scene in dataset.scenes):
        raise DatasetError(f"{folder} lists no things; draw boxes around what should be learned.")
    for scene in dataset.scenes:
        check_picture(scene)
        for thing in scene.things:
            check_box(thing, scene)
            check_outline(thing, scene)
    return dataset


def check_names(dataset: Dataset) -> None:
    """Names have to be words that a prompt can hold, each once."""
    names = [str(row["name"]) for row in dataset.coco["categories"]]
    for name in names:
        if not name.strip() or NAME_SEPARATOR.search(name) or CONTROL_TOKEN.search(name):
            raise DatasetError(
                f"The category {name!r} cannot be asked for; give it a name without ; and , in it."
            )
        if " ".join(name.split()) != name:
            raise DatasetError(f"The category {name!r} has surplus spaces; take them out.")
        if names.count(name) > 1:
            raise DatasetError(f"Two categories are called {name!r}; give each name once.")


def check_rows(dataset: Dataset) -> None:
    """Every annotation belongs to a picture that is listed."""
    listed = {scene.id for scene in dataset.scenes}
    for row in dataset.coco["annotations"]:
        if row["image_id"] not in listed:
            raise DatasetError(
                f"Annotation {row['id']} is of picture {row['image_id']}, which is not listed; "
                "list it or take the annotation out."
            )


def check_picture(scene: Scene) -> None:
    """The file is a picture of the size that the annotations say, seen upright."""
    try:
        size = open_image(scene.path).size
    except ImageError as error:
        raise DatasetError(str(error)) from error
    if size != scene.size:
        found, written = (f"{width} x {height}" for width, height in (size, scene.size))
        raise DatasetError(
            f"{scene.path} is {found} and its annotations say {written}; correct them."
        )


def check_box(thing: Thing, scene: Scene) -> None:
    """A box has an area and lies in its picture."""
    (x0, y0, x1, y1), (width, height) = thing.box, scene.size
    where = f"Annotation {thing.id} of {scene.path.name}"
    written = f"[{x0:g}, {y0:g}, {x1 - x0:g}, {y1 - y0:g}]"
    if not all(map(math.isfinite, thing.box)) or x1 <= x0 or y1 <= y0:
        raise DatasetError(
            f"{where} has the box {written}, which has no area; wanted is x, y, width, height in "
            "pixels."
        )
    if min(x0, y0) < -SLACK or x1 > width + SLACK or y1 > height + SLACK:
        raise DatasetError(
            f"{where} has the box {written}, which leaves the {width} x {height} picture; wanted "
            "is x, y, width, height in pixels."
        )


def check_outline(thing: Thing, scene: Scene) -> None:
    """A mask is polygons or run-lengths, and is not empty."""
    segmentation, where = thing.segmentation, f"Annotation {thing.id} of {scene.path.name}"
    if isinstance(segmentation, list) and any(not is_ring(ring) for ring in segmentation):
        raise DatasetError(
            f"{where} has a polygon that is none; wanted are three corners or more, "
            "[x, y, x, y, x, y, ...]."
        )
    if not isinstance(segmentation, (list, dict, type(None))):
        kind = type(segmentation).__name__
        raise DatasetError(f"{where} has a {kind} as its mask; give polygons or run-lengths.")
    try:
        mask = thing.mask(scene.size)
    except ShapeError as error:
        raise DatasetError(f"{where}: {error}") from error
    except Exception as error:  # pycocotools raises whatever its C code met
        raise DatasetError(f"{where} has a mask that cannot be read; write it anew.") from error
    if mask is not None and not mask.any():
        raise DatasetError(f"{where} has an empty mask; draw it anew or take it out.")


def is_ring(ring: Any) -> bool:
    """Whether something is a polygon of COCO: a list of x, y, x, y, ..."""
    is_list = isinstance(ring, list) and len(ring) >= MIN_CORNERS and len(ring) % 2 == 0
    return is_list and all(isinstance(n, (int, float)) and math.isfinite(n) for n in ring)
