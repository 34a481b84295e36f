"""Typical shapes: a few masks of a name that stand for the others while there is little to learn.

Sixteen codes spell a mask, and a small model that sees a hundred masks for some minutes does not
learn to spell: what it writes is worse than the mean of all. Which of eight shapes a thing has is a
choice that it does learn. K shapes of a name, M masks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from gemma_vision.evaluate import Scene
from postprocess.instances import crop
from postprocess.mask_decoder import MaskDecoder

NUM_SHAPES = 8  # of a name
FEW = 400  # masks of a name; where there are more, each is spelled
MOST_MASKS = 2000  # that are looked at, of all names together

Floats = npt.NDArray[np.float32]
Box = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class ShapeBank:
    """Those of one name: masks (K, 4096) 0 or 1, as their codes (K, 16) are drawn."""

    masks: Floats
    codes: npt.NDArray[np.int64]


class TypicalShapes:
    """By name; a name of which there are many masks has none."""

    def __init__(self, known: Mapping[str, ShapeBank]) -> None:
        self.known = known

    @classmethod
    def find(
        cls, scenes: Sequence[Scene], decoder: MaskDecoder, *, mirrored: bool
    ) -> TypicalShapes:
        """Look at the masks of a data set. mirrored: left and right are exchanged in learning."""
        counts: dict[str, int] = {}
        for scene in scenes:
            for thing in scene.objects:
                counts[thing.name] = counts.get(thing.name, 0) + bool(thing.segmentation)
        few = [name for name, count in counts.items() if 0 < count <= FEW]
        most = MOST_MASKS // max(len(few), 1)
        known = {}
        for name in few:
            masks = np.stack(list(masks_of(scenes, name, max(most, NUM_SHAPES))))
            both = np.concatenate([masks, masks[:, :, ::-1]]) if mirrored else masks
            known[name] = choose(both, decoder)
        return cls(known)

    def codes(
        self, rng: Generator, names: Sequence[str], masks: Floats, spelled: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """(M, 16): those of a shape of each name; `spelled` where a name has none.

        A shape is drawn the oftener the more it overlaps the mask, above the one that does least:
        what a model then believes most is the shape of the largest overlap to be expected, so that
        one that is unsure says the middle of all and not one end of them.
        """
        codes = spelled.copy()
        for index, name in enumerate(names):
            shapes = self.known.get(name)
            if shapes is not None:
                likeness = overlap(flat(masks[index][None]), shapes.masks)[0].astype(float)
                gain = likeness - likeness.min() + 1e-6
                codes[index] = shapes.codes[int(rng.choice(len(gain), p=gain / gain.sum()))]
        return codes


def masks_of(scenes: Sequence[Scene], name: str, most: int) -> Iterator[Floats]:
    """The masks of a name within their boxes, (64, 64) 0..1; at most so many, from everywhere."""
    things = [
        (scene, thing)
        for scene in scenes
        for thing in scene.objects
        if thing.name == name and thing.segmentation
    ]
    for scene, thing in things[:: -(-len(things) // most)]:
        mask = thing.mask(scene.size)
        if mask is not None:
            yield crop(mask, whole(thing.box))


def choose(masks: Floats, decoder: MaskDecoder) -> ShapeBank:
    """Of (M, 64, 64) masks those to which the others are nearest: each next one helps most."""
    every = flat(masks)
    likeness = overlap(every, every)
    nearest = np.zeros(len(every), np.float32)
    chosen: list[int] = []
    for _ in range(min(NUM_SHAPES, len(every))):
        chosen.append(int(np.maximum(likeness, nearest).sum(1).argmax()))
        nearest = np.maximum(nearest, likeness[chosen[-1]])
    codes = decoder.encode(masks[list(dict.fromkeys(chosen))])
    return ShapeBank(flat(decoder.decode(codes, logits=True) > 0), codes)


def flat(masks: npt.ArrayLike) -> Floats:
    """(M, 64, 64) of any kind -> (M, 4096) 0 or 1: inside is what is covered by half."""
    array = np.asarray(masks, np.float32)
    return (array.reshape(len(array), -1) >= 0.5).astype(np.float32)


def overlap(ours: Floats, theirs: Floats) -> Floats:
    """(M, 4096), (K, 4096) -> (M, K): the IoU of each with each."""
    both = ours @ theirs.T
    either = ours.sum(1)[:, None] + theirs.sum(1)[None] - both
    return np.asarray(both / np.maximum(either, 1), np.float32)


def whole(box: tuple[float, float, float, float]) -> Box:
    """A box in whole pixels, at least one wide and high."""
    x0, y0, x1, y1 = (round(edge) for edge in box)
    return x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)
