"""A small atlas of two artists: the library's own drawings, and the same ones mirrored."""

from __future__ import annotations

import numpy as np

from gemma_vision.synthetic.atlas import load_atlas
from gemma_vision.synthetic.poses import NUM_NAMES
from training.drawings.atlas import DrawingAtlas

MIRRORED = "fxemoji"  # the second artist is called like the one that is held out


def small_atlas() -> DrawingAtlas:
    """The sixteen names of the scenes and three things without a name, drawn by two artists."""
    known = load_atlas()
    named = np.flatnonzero((known.name_of >= 0) & (known.name_of < NUM_NAMES))
    chosen = np.concatenate([named, known.variants(-1)[:3]])
    images, names = known.images[chosen], known.name_of[chosen]
    kinds = np.where(names >= 0, np.arange(len(chosen)), -1)
    artist = np.zeros(len(chosen), int)
    return DrawingAtlas(
        images=np.concatenate([images, images[:, :, ::-1]]),
        name_of=np.concatenate([names, names]),
        artist_of=np.concatenate([artist, artist + 1]),
        kind_of=np.concatenate([kinds, kinds]),
        flipped=np.concatenate([artist, artist + 1]).astype(bool),
        names=known.names[:NUM_NAMES],
        artists=("noto-font", MIRRORED),
    )


def write_atlas(atlas: DrawingAtlas, path) -> None:
    """As `training.drawings.build` writes it."""
    arrays = ("images", "name_of", "artist_of", "kind_of", "flipped", "names", "artists")
    np.savez(path, **{key: np.array(getattr(atlas, key)) for key in arrays})
