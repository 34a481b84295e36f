"""Dataset: a COCO folder as pictures with named things. Knows nothing of models.

The folder holds `annotations.json` (COCO: images, annotations, categories) and the pictures, beside
it or in `images/`.
"""

from __future__ import annotations

import json
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

ANNOTATIONS = "annotations.json"
PLACES = ("", "images")  # where pictures may lie, seen from the folder

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
    """One picture of a data set and the things in it, in the order of the annotations."""

    id: int
    path: Path
    size: tuple[int, int]
    things: tuple[Thing, ...]

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
    """A whole data set. `seed` draws the absent names; `coco` is the file as it was read."""

    folder: Path
    scenes: tuple[Scene, ...]
    categories: Mapping[str, int]  # name -> id
    seed: int
    coco: Mapping[str, Any]

    @cached_property
    def absent(self) -> dict[int, tuple[str, ...]]:
        """For each picture's id two names that do not occur in it, drawn with the seed.

        Pictures draw in turn from one generator, each without replacement from the names it
        lacks in the order of the categories; fewer than two where it lacks fewer.
        """
        rng = np.random.default_rng(self.seed)
        drawn = {}
        for scene in self.scenes:
            lacking = [name for name in self.categories if name not in scene.names]
            count = min(2, len(lacking))
            picks = rng.choice(len(lacking), count, replace=False).tolist() if count else []
            drawn[scene.id] = tuple(lacking[pick] for pick in picks)
        return drawn


def read_dataset(folder: str | Path) -> Dataset:
    """Read a COCO folder; DatasetError says what is missing or wrong."""
    folder = Path(folder)
    path = folder / ANNOTATIONS
    if not path.is_file():
        raise DatasetError(f"There is no {path}; name a folder that holds a COCO {ANNOTATIONS}.")
    try:
        coco = json.loads(path.read_text(encoding="utf-8"))
        names = {row["id"]: str(row["name"]) for row in coco["categories"]}
        things = read_things(coco["annotations"], names)
        scenes = tuple(read_scene(row, folder, things) for row in coco["images"])
        seed = int((coco.get("info") or {}).get("seed", 0))
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        what = f"{type(error).__name__}: {error}"
        raise DatasetError(f"{path} is no COCO file of boxes ({what}).") from error
    if not scenes:
        raise DatasetError(f"{path} lists no pictures; there is nothing to evaluate.")
    return Dataset(folder, scenes, {name: number for number, name in names.items()}, seed, coco)


def read_things(rows: list[dict[str, Any]], names: Mapping[int, str]) -> dict[int, list[Thing]]:
    """The annotations of each picture's id, in the order of the file."""
    things: dict[int, list[Thing]] = {}
    for row in rows:
        x, y, width, height = map(float, row["bbox"])
        thing = Thing(
            row["id"],
            names[row["category_id"]],
            (x, y, x + width, y + height),
            row.get("segmentation"),
            bool(row.get("iscrowd", 0)),
        )
        things.setdefault(row["image_id"], []).append(thing)
    return things


def read_scene(row: dict[str, Any], folder: Path, things: Mapping[int, list[Thing]]) -> Scene:
    """One picture's row, its file found."""
    for place in PLACES:
        path = folder / place / row["file_name"]
        if path.is_file():
            size = (int(row["width"]), int(row["height"]))
            return Scene(row["id"], path, size, tuple(things.get(row["id"], ())))
    raise DatasetError(f"{folder / row['file_name']} is listed in {ANNOTATIONS} and is not there.")
