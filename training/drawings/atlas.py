"""Atlas: the drawings of all artists as one file, made by `python -m training.drawings.build`.

S drawings, each 128 pixels square. Kept in memory as premultiplied mipmaps, made when first asked.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from gemma_vision.synthetic.atlas import SIDE

NUM_LEVELS = 4  # 128, 64, 32, 16


@dataclass(frozen=True)
class DrawingAtlas:
    """All drawings.

    images (S, 128, 128, 4) uint8 RGBA with a hard alpha; name_of (S,) index into names, -1 for a
    thing without a name; artist_of (S,) index into artists; kind_of (S,) int: drawings of one
    number show the same thing in the same way, -1 where nobody says; flipped (S,) bool: it faces
    the other way than the first artist's drawing does.
    """

    images: np.ndarray
    name_of: np.ndarray
    artist_of: np.ndarray
    kind_of: np.ndarray
    flipped: np.ndarray
    names: tuple[str, ...]
    artists: tuple[str, ...]
    _mipmaps: dict[int, list[np.ndarray]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "DrawingAtlas":
        """The atlas in a file of `training.drawings.build`."""
        with np.load(path, allow_pickle=False) as data:
            names, artists = (
                tuple(str(word) for word in data[key]) for key in ("names", "artists")
            )
            numbers = {key: data[key] for key in ("name_of", "artist_of", "kind_of", "flipped")}
            return cls(data["images"], **numbers, names=names, artists=artists)

    def limited(self, count: int, kin: Collection[str] = ()) -> "DrawingAtlas":
        """The same drawings with the first `count` names; the others have none any more.

        kin: names that go with all their drawings, for they are a kind of one that stays.
        """
        gone = np.array([number for number, name in enumerate(self.names) if name in kin])
        kept = (self.name_of < count) | ~np.isin(self.name_of, gone)
        names = np.where(self.name_of < count, self.name_of, -1)[kept]
        return DrawingAtlas(
            images=self.images[kept],
            name_of=names,
            artist_of=self.artist_of[kept],
            kind_of=np.where(names >= 0, self.kind_of[kept], -1),
            flipped=self.flipped[kept],
            names=self.names[:count],
            artists=self.artists,
        )

    @property
    def num_kinds(self) -> int:
        return int(self.kind_of.max()) + 1

    def drawings(
        self, name: int, artists: Collection[str], weights: Mapping[str, int] | None = None
    ) -> list[np.ndarray]:
        """For each of the artists that drew a name (-1: anything else), its drawings' numbers.

        As often as the artist weighs, which is once where nothing is said.
        """
        found = []
        for number, artist in enumerate(self.artists):
            own = np.flatnonzero((self.name_of == name) & (self.artist_of == number))
            if artist in artists and len(own):
                found += [own] * (weights or {}).get(artist, 1)
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
