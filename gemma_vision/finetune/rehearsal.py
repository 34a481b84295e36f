"""Rehearsing: what a checkpoint knew already, mixed in so that it is not forgotten.

For the embedded checkpoint that is its scenes, drawn without end; for others a second COCO folder.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from numpy.random import Generator

from gemma_vision.evaluate import Dataset, read_dataset
from gemma_vision.finetune.image_set import Part, Shown
from gemma_vision.synthetic.atlas import load_atlas
from gemma_vision.synthetic.compositor import compose
from gemma_vision.synthetic.poses import EMPTY, EVALUATION_SEEDS, SIZES, sample_scene
from gemma_vision.synthetic.scene_dataset import write_dataset

SEED = EVALUATION_SEEDS + 731  # of the scenes that old names are asked about in
SIDE = 224


class Source(Protocol):
    """Where pictures come from."""

    def draw(self, rng: Generator) -> Shown: ...


class Scenes:
    """Fresh scenes of drawings, no two alike."""

    def __init__(self, names: Sequence[str]) -> None:
        self.only = drawn(names)

    def draw(self, rng: Generator) -> Shown:
        """A scene as a picture to learn from."""
        size = SIZES[int(rng.integers(len(SIZES)))]
        picture = compose(sample_scene(rng, size=size, only=self.only, empty=EMPTY))
        parts = tuple(
            Part(load_atlas().names[thing.name], thing.box, thing.mask) for thing in picture.things
        )
        return Shown(picture.pixels, parts)


def drawn(names: Sequence[str]) -> list[int]:
    """The places in the atlas of those names that it has."""
    return [index for index, name in enumerate(load_atlas().names) if name in names]


def write_scenes(names: Sequence[str], count: int, folder: Path) -> Dataset:
    """Scenes for evaluation, always the same ones, as a COCO folder."""
    only = drawn(names)
    if not (folder / "annotations.json").exists():
        write_dataset(SEED, count, folder, side=SIDE, names=len(only), only=only)
    return read_dataset(folder)
