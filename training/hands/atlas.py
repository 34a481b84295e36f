"""Atlas: the drawings of all hands as one file, made by `python -m training.hands.build`.

S drawings, each 128 pixels square. Kept in memory as premultiplied mipmaps, made when first asked.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from gemma_vision.synthetic.atlas import SIDE

NUM_LEVELS = 4  # 128, 64, 32, 16


@dataclass(frozen=True)
class HandAtlas:
    """All drawings.

    images (S, 128, 128, 4) uint8 RGBA with a hard alpha; name_of (S,) index into names, -1 for a
    thing without a name; hand_of (S,) index into hands; kind_of (S,) int: drawings of one number
    show the same thing in the same way, -1 where nobody says; flipped (S,) bool: it faces the other
    way than the first hand's drawing does.
    """

    images: np.ndarray
    name_of: np.ndarray
    hand_of: np.ndarray
    kind_of: np.ndarray
    flipped: np.ndarray
    names: tuple[str, ...]
    hands: tuple[str, ...]
    _mipmaps: dict[int, list[np.ndarray]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "HandAtlas":
        """The atlas in a file of `training.hands.build`."""
        with np.load(path, allow_pickle=False) as data:
            names, hands = (tuple(str(word) for word in data[key]) for key in ("names", "hands"))
            numbers = {key: data[key] for key in ("name_of", "hand_of", "kind_of", "flipped")}
            return cls(data["images"], **numbers, names=names, hands=hands)

    @property
    def num_kinds(self) -> int:
        return int(self.kind_of.max()) + 1

    def drawings(self, name: int, hands: Collection[str]) -> list[np.ndarray]:
        """For each of the hands that drew a name (-1: anything else), its drawings' numbers."""
        found = []
        for number, hand in enumerate(self.hands):
            own = np.flatnonzero((self.name_of == name) & (self.hand_of == number))
            if hand in hands and len(own):
                found.append(own)
        return found

    @cached_property
    def halves(self) -> np.ndarray:
        """Half the width and height of every drawing, in its pixels -> (S, 2) float."""
        solid = self.images[..., 3] > 127
        return np.stack([solid.any(1).sum(1), solid.any(2).sum(1)], 1) / 2

    @cached_property
    def areas(self) -> np.ndarray:
        """Pixels that every drawing covers -> (S,)."""
        return np.asarray((self.images[..., 3] > 127).sum((1, 2)))

    def mipmaps(self, drawing: int) -> list[np.ndarray]:
        """One drawing at 128, 64, 32 and 16 pixels, premultiplied, uint8."""
        if drawing not in self._mipmaps:
            image = self.images[drawing].astype(np.float32)
            image[..., :3] *= image[..., 3:] / 255
            levels = [image]
            while len(levels) < NUM_LEVELS:
                half = SIDE >> len(levels)
                levels.append(cv2.resize(levels[-1], (half, half), interpolation=cv2.INTER_AREA))
            self._mipmaps[drawing] = [level.round().astype(np.uint8) for level in levels]
        return self._mipmaps[drawing]
