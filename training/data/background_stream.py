"""Background stream: which background lies behind a scene, and which part of it.

Backgrounds are numbered as they are drawn. The latest are kept for reuse, in whatever memory the
compositor works in; a share of the pictures brings a fresh one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from gemma_vision.synthetic.backgrounds import draw_background

SIDE = 288  # of a background, in pixels: no scene is wider or higher
KEPT = 400
RENEWAL = 0.25  # share of the pictures that bring a fresh background once enough are kept


@dataclass(frozen=True)
class BackgroundCrop:
    """Background `number` with its corner left, top; `fresh` is the background, the first time."""

    number: int
    left: int
    top: int
    is_mirrored: bool
    fresh: np.ndarray | None


class BackgroundSampler:
    """Backgrounds for one scene after the other, of the generator that also draws the scenes."""

    def __init__(self, renewal: float = RENEWAL) -> None:
        self.renewal, self.count = renewal, 0

    def draw(self, rng: Generator, width: int, height: int) -> BackgroundCrop:
        """What lies behind a picture of this size."""
        fresh = None
        if self.count < KEPT or rng.random() < self.renewal:
            fresh, number = draw_background(rng, SIDE, SIDE), self.count
            self.count += 1
        else:
            number = int(rng.integers(self.count - KEPT, self.count))
        left, top = int(rng.integers(SIDE + 1 - width)), int(rng.integers(SIDE + 1 - height))
        return BackgroundCrop(number, left, top, bool(rng.random() < 0.5), fresh)


class BackgroundCache:
    """The latest backgrounds in main memory."""

    def __init__(self) -> None:
        self._latest: dict[int, np.ndarray] = {}

    def crop(self, part: BackgroundCrop, width: int, height: int) -> np.ndarray:
        """What lies behind a scene -> (H, W, 3) uint8."""
        if part.fresh is not None:
            self._latest[part.number] = part.fresh
            self._latest.pop(part.number - KEPT, None)
        whole = self._latest[part.number]
        crop = whole[part.top : part.top + height, part.left : part.left + width]
        return crop[:, ::-1] if part.is_mirrored else crop
