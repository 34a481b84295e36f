"""Sprites: the drawings that scenes are composed of, by name, and some things without a name.

Both files of them are rendered from Noto Color Emoji (SIL Open Font License 1.1, see
data/LICENSE-OFL.txt) and kept as data, so that nobody needs the font. The first has the forty names
that the contract's scenes are of; the second those that a checkpoint was taught since.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

DATA = Path(__file__).parent / "data"
FILES = ("emoji_atlas.npz", "further_atlas.npz")
FIRST = 40  # names of the first file
SIDE = 128  # of a sprite, in pixels
MARGIN = 4  # transparent pixels around the longest side, so that a warped edge stays soft
# What the things without a name show; each is one only for who has no name for it.
NAMELESS = (
    "grapes", "watermelon", "lemon", "carrot", "corn", "mushroom", "shoe", "hat",
    "cell phone", "laptop", "chair", "clock", "hammer", "gift", "violin", "drum",
    "trophy", "snake", "crab", "octopus", "bee", "ladybug", "ice cream", "cup",
    "flashlight", "light bulb", "teddy bear", "kite", "die", "puzzle piece", "tractor",
    "motorcycle",
)  # fmt: skip


@dataclass(frozen=True)
class Atlas:
    """All sprites: images (S, 128, 128, 4) uint8 RGBA, name_of (S,) index into names or -1."""

    images: np.ndarray
    name_of: np.ndarray
    names: tuple[str, ...]

    def variants(self, name: int) -> np.ndarray:
        """The sprites of one name; -1 asks for the distractors."""
        return np.flatnonzero(self.name_of == name)

    def nameless(self, names: Collection[str]) -> list[int]:
        """The distractors that show none of these things, called as in `NAMELESS`."""
        sprites = zip(self.variants(-1).tolist(), NAMELESS, strict=True)
        return [sprite for sprite, shown in sprites if shown not in names]


@cache
def load_atlas() -> Atlas:
    """The sprites that come with the project."""
    images, owners = [], []
    names: list[str] = []
    for file in FILES:
        with np.load(DATA / file, allow_pickle=False) as data:
            images.append(data["atlas"])
            owners.append(np.where(data["cls"] < 0, -1, data["cls"] + len(names)))
            names += [str(name) for name in data["names"]]
    return Atlas(np.concatenate(images), np.concatenate(owners), tuple(names))
