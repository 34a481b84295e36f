"""Typical shapes: one mask of a name that stands for the others while there is little to learn.

Sixteen codes spell a mask, and a small model that sees a hundred masks for some minutes does not
learn to spell: what it writes is worse than the mean of all. Which of a few shapes a thing has is
learned no better; the one that overlaps all of them most is learned at once. M masks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from gemma_vision.evaluate import Scene
from postprocess.instances import crop
from postprocess.mask_decoder import MaskDecoder

FEW = 400  # masks of a name; where there are more, each is spelled
MOST_MASKS = 2000  # that are looked at, of all names together
MOST_ROUNDS = 4  # through the sixteen codes of a name
MOST_TRIES = 20_000  # shapes that are looked at, of all names together

Floats = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int64]
Box = tuple[int, int, int, int]


class TypicalShapes:
    """Codes (16,) by name; a name of which there are many masks has none."""

    def __init__(self, known: Mapping[str, Codes]) -> None:
        self.known = known

    @classmethod
    def find(cls, scenes: Sequence[Scene], decoder: MaskDecoder) -> TypicalShapes:
        """Look at the masks of a data set."""
        counts: dict[str, int] = {}
        for scene in scenes:
            for thing in scene.objects:
                counts[thing.name] = counts.get(thing.name, 0) + bool(thing.segmentation)
        few = [name for name, count in counts.items() if 0 < count <= FEW]
        most, tries = MOST_MASKS // max(len(few), 1), MOST_TRIES // max(len(few), 1)
        known: dict[str, Codes] = {}
        for name in few:
            if masks := list(masks_of(scenes, name, max(most, 1))):
                known[name] = choose(np.stack(masks), decoder, tries=tries)
        return cls(known)

    def codes(self, names: Sequence[str], spelled: Codes) -> Codes:
        """(M, 16): those of the shape of each name; `spelled` where a name has none."""
        rows = [self.known.get(name, own) for name, own in zip(names, spelled, strict=True)]
        return np.stack(rows)


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


def choose(masks: Floats, decoder: MaskDecoder, *, tries: int = MOST_TRIES) -> Codes:
    """The codes (16,) whose shape overlaps (M, 64, 64) masks most.

    Begins with the mean of the masks, or with the one of them that is nearest to all, and changes
    a code at a time for as long as that helps; tries: shapes that are looked at, about.
    """
    every = flat(masks)
    nearest = masks[int(overlap(every, every).sum(1).argmax())]
    begins = decoder.encode(np.stack([flat(masks.mean(0)[None]).reshape(64, 64), nearest]))
    likeness = likeness_of(begins, every, decoder)
    best, most = begins[int(likeness.argmax())].copy(), float(likeness.max())
    num_codes = len(decoder.code_vectors)
    for _ in range(min(MOST_ROUNDS, tries // (best.size * num_codes))):
        before = most
        for place in range(best.size):
            tried = np.repeat(best[None], num_codes, 0)
            tried[:, place] = np.arange(num_codes)
            likeness = likeness_of(tried, every, decoder)
            if likeness.max() > most:
                best, most = tried[int(likeness.argmax())].copy(), float(likeness.max())
        if most <= before:
            break
    return np.asarray(best, np.int64)


def likeness_of(codes: Codes, every: Floats, decoder: MaskDecoder) -> Floats:
    """Codes (K, 16), masks (M, 4096) -> (K,): how much the shape of each overlaps all of them."""
    shapes = flat(decoder.decode(codes, logits=True) > 0)
    return np.asarray(overlap(shapes, every).mean(1), np.float32)


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
