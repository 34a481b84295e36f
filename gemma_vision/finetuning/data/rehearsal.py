"""Rehearsal: what a checkpoint knew already, mixed in so that it is not forgotten.

For the embedded checkpoint that is its scenes, drawn without end; data sets see `old_knowledge.py`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from numpy.random import Generator

from gemma_vision.evaluate import Dataset, read_dataset
from gemma_vision.finetuning.data.image_set import ImageObject, LabelledImage
from gemma_vision.requests.interpretation.vocabulary import vocabulary_of
from gemma_vision.synthetic.atlas import NAMELESS, load_atlas
from gemma_vision.synthetic.compositor import compose
from gemma_vision.synthetic.poses import EMPTY, EVALUATION_SEEDS, SIZES, sample_scene
from gemma_vision.synthetic.scene_dataset import write_dataset

SEED = EVALUATION_SEEDS + 731  # of the scenes that old names are asked about in
SIDE = 224


class ImageSource(Protocol):
    """Where images come from."""

    def draw(self, rng: Generator) -> LabelledImage:
        """Any image."""
        ...


class SceneSource:
    """Fresh scenes of drawings, no two alike.

    names: what is drawn. learned: names of something else, which no thing without a name shows.
    """

    def __init__(self, names: Sequence[str], learned: Sequence[str] = ()) -> None:
        self.only = atlas_indices(names)
        self.nameless = nameless_beside([*names, *learned])

    def draw(self, rng: Generator) -> LabelledImage:
        """A scene as an image to learn from."""
        size = SIZES[int(rng.integers(len(SIZES)))]
        layout = sample_scene(rng, size=size, only=self.only, empty=EMPTY, nameless=self.nameless)
        scene = compose(layout)
        objects = tuple(
            ImageObject(load_atlas().names[thing.name], thing.box, thing.mask)
            for thing in scene.things
        )
        return LabelledImage(scene.pixels, objects)


def atlas_indices(names: Sequence[str]) -> list[int]:
    """The places in the atlas of those names that it has."""
    return [index for index, name in enumerate(load_atlas().names) if name in names]


def nameless_beside(names: Sequence[str]) -> list[int]:
    """The drawings of things without a name that show none of these, whatever it is called."""
    vocabulary = vocabulary_of(NAMELESS)
    meant = (vocabulary.find(name) for name in names)
    return load_atlas().nameless([match.name for match in meant if match])


def write_scenes(names: Sequence[str], count: int, folder: Path) -> Dataset:
    """Scenes for evaluation, always the same ones, as a COCO folder."""
    only, nameless = atlas_indices(names), nameless_beside(names)
    if not (folder / "annotations.json").exists():
        write_dataset(SEED, count, folder, side=SIDE, names=len(only), only=only, nameless=nameless)
    return read_dataset(folder)
