"""Image set: what is learned from, with the things in it; images are opened when drawn.

Boxes are x0, y0, x1, y1 in pixels, masks (H, W) bool, pixels (H, W, 3) uint8.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from PIL import Image

from gemma_vision.evaluate import Scene
from gemma_vision.images.opening import open_image
from gemma_vision.runtime.lru_cache import LruCache

Box = tuple[float, float, float, float]

CACHE_BYTES = 2**30  # of opened pictures
SHRUNK = 2  # images are cached at so many times the side that the model looks at


@dataclass(frozen=True, eq=False)
class ImageObject:
    """One thing of an image."""

    name: str
    box: Box
    mask: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class LabelledImage:
    """An image and what is in it.

    unsure: names that may also occur without a box. lines: what is asked word for word, with the
    answers; what they say of left and right, or of all that there is, has to stay true.
    """

    pixels: np.ndarray
    objects: tuple[ImageObject, ...]
    unsure: frozenset[str] = frozenset()
    lines: tuple[tuple[str, str], ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self.pixels.shape[1], self.pixels.shape[0]

    @property
    def nbytes(self) -> int:
        """Of memory."""
        return self.pixels.nbytes + sum(p.mask.nbytes for p in self.objects if p.mask is not None)


def is_askable(scene: Scene, names: Sequence[str]) -> bool:
    """Whether it is known of any of these names where its things are, or that there are none.

    A picture with lines can be asked those.
    """
    crowds = {thing.name for thing in scene.things if thing.is_crowd} | scene.unsure
    return bool(scene.lines) or any(name not in crowds for name in names)


class ImageSet:
    """Images of a data set, opened when drawn; those opened lately are cached, made smaller."""

    def __init__(self, scenes: Sequence[Scene], side: int) -> None:
        self.scenes, self.largest = tuple(scenes), SHRUNK * side
        self._cached: LruCache[LabelledImage] = LruCache(CACHE_BYTES)

    def draw(self, rng: Generator) -> LabelledImage:
        """Any of the images."""
        return self.open(self.scenes[int(rng.integers(len(self.scenes)))])

    def open(self, scene: Scene) -> LabelledImage:
        """One of the images, at most `largest` pixels a side."""
        labelled = self._cached.get(scene.id)
        if labelled is None:
            labelled = shrink(open_scene(scene), self.largest)
            self._cached.put(scene.id, labelled)
        return labelled


def open_scene(scene: Scene) -> LabelledImage:
    """An image with its things; crowds make their names unsure."""
    width, height = scene.size
    objects = tuple(
        ImageObject(thing.name, clip(thing.box, (width, height)), thing.mask(scene.size))
        for thing in scene.objects
    )
    crowds = frozenset(thing.name for thing in scene.things if thing.is_crowd)
    pixels = np.asarray(open_image(scene.path))
    return LabelledImage(pixels, objects, crowds | scene.unsure, scene.lines)


def clip(box: Box, size: tuple[int, int]) -> Box:
    """A box without what lies outside an image of (width, height)."""
    x0, y0, x1, y1 = box
    return max(x0, 0.0), max(y0, 0.0), min(x1, size[0]), min(y1, size[1])


def shrink(labelled: LabelledImage, largest: int) -> LabelledImage:
    """The same at `largest` pixels a side or less."""
    width, height = labelled.size
    scale = largest / max(width, height)
    if scale >= 1:
        return labelled
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    image = Image.fromarray(labelled.pixels).resize(size, Image.Resampling.BICUBIC)
    across, down = size[0] / width, size[1] / height
    objects = tuple(
        ImageObject(thing.name, scaled(thing.box, across, down), resized(thing.mask, size))
        for thing in labelled.objects
    )
    return LabelledImage(np.asarray(image), objects, labelled.unsure, labelled.lines)


def scaled(box: Box, across: float, down: float) -> Box:
    """A box times a factor along each axis."""
    x0, y0, x1, y1 = box
    return x0 * across, y0 * down, x1 * across, y1 * down


def resized(mask: np.ndarray | None, size: tuple[int, int]) -> np.ndarray | None:
    """A mask at another (width, height): inside is what was covered by half; None if nothing is."""
    if mask is None:
        return None
    grey = Image.fromarray(mask.astype(np.uint8) * 255)
    small = np.asarray(grey.resize(size, Image.Resampling.BOX)) >= 128
    return small if small.any() else None


def with_objects(
    labelled: LabelledImage, change: Callable[[ImageObject], ImageObject | None], pixels: np.ndarray
) -> LabelledImage:
    """Other pixels, and every thing as `change` makes it; None leaves one out."""
    made: Iterator[ImageObject | None] = map(change, labelled.objects)
    return LabelledImage(
        pixels, tuple(thing for thing in made if thing is not None), labelled.unsure
    )
