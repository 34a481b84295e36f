"""Dataset: pictures with named things, for a checkpoint to be scored on or to learn from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from postprocess.errors import UserError
from postprocess.instances import Instance
from postprocess.mask_formats import mask_from_coco
from postprocess.tokens import folded

Mask = npt.NDArray[np.bool_]
Box = tuple[float, float, float, float]


class DatasetError(UserError):
    """A folder that cannot be evaluated; the message says what is wrong with it."""

    CODE = "E_DATASET"


@dataclass(frozen=True)
class Thing:
    """One annotated object. `box` is x0, y0, x1, y1 in pixels."""

    id: int
    name: str
    box: Box
    segmentation: Any  # as COCO has it: polygons, run-lengths, or None
    is_crowd: bool = False

    def mask(self, size: tuple[int, int]) -> Mask | None:
        """Its (H, W) mask in a picture of size (W, H); None where it has none."""
        return mask_from_coco(self.segmentation, size)

    def instance(self, mask: Mask | None = None) -> Instance:
        """The thing as an answer would have it, with the mask that is given."""
        x0, y0, x1, y1 = (round(edge) for edge in self.box)
        return Instance(self.name, self.box, (x0, y0, x1, y1), mask)


@dataclass(frozen=True)
class Scene:
    """One picture of a data set and the things in it, in the order of the annotations.

    unsure: names of which nobody said whether they are in it. lines: what else it was asked, and
    the answers, word for word.
    """

    id: int
    path: Path
    size: tuple[int, int]
    things: tuple[Thing, ...]
    unsure: frozenset[str] = frozenset()
    lines: tuple[tuple[str, str], ...] = ()

    @property
    def objects(self) -> tuple[Thing, ...]:
        """The things that count: crowds are neither found nor missed."""
        return tuple(thing for thing in self.things if not thing.is_crowd)

    @property
    def names(self) -> tuple[str, ...]:
        """The names present, in the order in which they first appear in the annotations."""
        return tuple(dict.fromkeys(thing.name for thing in self.things))

    @property
    def outlined(self) -> tuple[Thing, ...]:
        """The things with a mask whose name occurs exactly once."""
        counts = Counter(thing.name for thing in self.things)
        only = (thing for thing in self.objects if counts[thing.name] == 1)
        return tuple(thing for thing in only if thing.segmentation)


@dataclass(frozen=True)
class Dataset:
    """A whole data set, its annotations read from `path`. `seed` draws the absent names.

    notices: what is to be told of the data set, a sentence each.
    """

    folder: Path
    scenes: tuple[Scene, ...]
    categories: Mapping[str, int]  # name -> id
    seed: int
    path: Path
    notices: tuple[str, ...] = ()

    @cached_property
    def absent(self) -> dict[int, tuple[str, ...]]:
        """For each picture's id two names that do not occur in it, drawn with the seed.

        Pictures draw in turn from one generator, each without replacement from the names it
        lacks in the order of the categories; fewer than two where it lacks fewer.
        """
        rng = np.random.default_rng(self.seed)
        drawn = {}
        for scene in self.scenes:
            known = {*scene.names, *scene.unsure}
            lacking = [name for name in self.categories if name not in known]
            count = min(2, len(lacking))
            picks = rng.choice(len(lacking), count, replace=False).tolist() if count else []
            drawn[scene.id] = tuple(lacking[pick] for pick in picks)
        return drawn

    def category_of(self, label: str) -> int | None:
        """The number of the name that an answer's label means; None where it is none of them."""
        return self._numbers.get(folded(label))

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {folded(name): number for name, number in self.categories.items()}

    @cached_property
    def coco(self) -> dict[str, Any]:
        """The data set as pycocotools wants it: what was read, numbered anew from 1."""
        things = [(scene, thing) for scene in self.scenes for thing in scene.things]
        return {
            "info": {},
            "images": [coco_image(scene) for scene in self.scenes],
            "categories": [{"id": n, "name": name} for name, n in self.categories.items()],
            "annotations": [
                coco_annotation(number, scene, thing, self.categories[thing.name])
                for number, (scene, thing) in enumerate(things, 1)
            ],
        }


def coco_image(scene: Scene) -> dict[str, Any]:
    """A picture as a row of COCO."""
    width, height = scene.size
    return {"id": scene.id, "file_name": scene.path.name, "width": width, "height": height}


def coco_annotation(number: int, scene: Scene, thing: Thing, category: int) -> dict[str, Any]:
    """A thing as a row of COCO. pycocotools takes an annotation of number 0 for none."""
    x0, y0, x1, y1 = thing.box
    return {
        "id": number,
        "image_id": scene.id,
        "category_id": category,
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "area": (x1 - x0) * (y1 - y0),
        "iscrowd": int(thing.is_crowd),
        "segmentation": thing.segmentation or [],
    }


def check_picture_size(scene: Scene, size: tuple[int, int]) -> None:
    """The picture is of the (width, height) that the annotations say, seen upright."""
    if size != scene.size:
        there, said = (f"{width} x {height}" for width, height in (size, scene.size))
        is_lying = size == scene.size[::-1]
        remedy = "annotate it upright, or take out the EXIF tag that turns it" if is_lying else ""
        raise DatasetError(
            f"{scene.path} is {there} and its annotations say {said}; {remedy or 'correct them'}."
        )
