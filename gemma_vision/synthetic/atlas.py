"""Sprites: the drawings that scenes are composed of, forty names and some things without a name.

The atlas beside this file is rendered from Noto Color Emoji (SIL Open Font License 1.1, see
data/LICENSE-OFL.txt) and kept as data, so that nobody needs the font.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

ATLAS = Path(__file__).parent / "data" / "emoji_atlas.npz"
SIDE = 128  # of a sprite, in pixels
MARGIN = 4  # transparent pixels around the longest side, so that a warped edge stays soft


@dataclass(frozen=True)
class Atlas:
    """All sprites: images (S, 128, 128, 4) uint8 RGBA, name_of (S,) index into names or -1."""

    images: np.ndarray
    name_of: np.ndarray
    names: tuple[str, ...]

    def variants(self, name: int) -> np.ndarray:
        """The sprites of one name; -1 asks for the distractors."""
        return np.flatnonzero(self.name_of == name)


@cache
def load_atlas(path: Path = ATLAS) -> Atlas:
    """The sprites that come with the project."""
    with np.load(path, allow_pickle=False) as data:
        return Atlas(data["atlas"], data["cls"], tuple(str(name) for name in data["names"]))
