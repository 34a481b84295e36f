"""Facing: which drawings look the other way than the first artist's drawing of the same thing.

Where an ear lies "on its own drawing" means the same in all artists only when all face one way.
"""

import numpy as np

STEP = 4  # pixels along a square that is compared as one
GREY = 0.25  # how much likeness of light and dark counts beside that of the outline
CLEARLY = 0.01


def facing_other_way(
    images: np.ndarray, name_of: np.ndarray, artist_of: np.ndarray, kind_of: np.ndarray
) -> np.ndarray:
    """Arrays of an atlas, S drawings -> (S,) bool: mirrored it would look more like the first.

    A drawing is compared with the first artist's of its kind, or else with all of its name.
    """
    size = images.shape[1] // STEP
    blocks = images.reshape(len(images), size, STEP, size, STEP, 4)
    small = blocks.mean((2, 4), dtype=np.float32) / 255
    masks = small[..., 3] > 0.5
    greys = (small[..., :3].mean(-1) - 0.5) * masks
    flipped = np.zeros(len(images), bool)
    for index in np.flatnonzero((name_of >= 0) & (artist_of > 0)):
        models = np.flatnonzero((artist_of == 0) & (name_of == name_of[index]))
        same = models[kind_of[models] == kind_of[index]]
        models = same if len(same) else models
        best = [
            max(likeness(masks[index], greys[index], masks[m], greys[m], way) for m in models)
            for way in (1, -1)
        ]
        flipped[index] = best[1] > best[0] + CLEARLY
    return flipped


def likeness(
    mask: np.ndarray, grey: np.ndarray, other: np.ndarray, other_grey: np.ndarray, way: int
) -> float:
    """Overlap of two outlines and likeness of their greys, the first mirrored for way -1."""
    mask, grey = mask[:, ::way], grey[:, ::way]
    overlap = (mask & other).sum() / max(1, (mask | other).sum())
    scale = np.sqrt(np.square(grey).sum() * np.square(other_grey).sum()) + 1e-3
    return float(overlap + GREY * (grey * other_grey).sum() / scale)
