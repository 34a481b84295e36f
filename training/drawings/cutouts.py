"""Cut-outs: things cut out of photographs, which nothing trains on.

They lie beside this module, named after what they show; whose they are stands in their README.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from training.drawings.atlas import DrawingAtlas
from training.drawings.render import to_sprite

FOLDER = Path(__file__).with_suffix("")
ARTIST = "cut-out photographs"


def read_cutouts(names: tuple[str, ...]) -> DrawingAtlas:
    """All cut-outs of these names as the drawings of one artist, numbered as in `names`."""
    files = [file for file in sorted(FOLDER.glob("*.webp")) if name_of(file) in names]
    sprites = [to_sprite(Image.open(file).convert("RGBA")) for file in files]
    return DrawingAtlas(
        images=np.stack([sprite for sprite in sprites if sprite is not None]),
        name_of=np.array([names.index(name_of(file)) for file in files]),
        artist_of=np.zeros(len(files), int),
        kind_of=np.full(len(files), -1),
        flipped=np.zeros(len(files), bool),
        names=names,
        artists=(ARTIST,),
    )


def name_of(file: Path) -> str:
    """hot-dog-2.webp  ->  hot dog"""
    return file.stem.rpartition("-")[0].replace("-", " ")
