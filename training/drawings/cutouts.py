"""Cut-outs: things cut out of photographs, which nothing trains on.

A few of this project's own lie beside this module, named after what they show; whose they are
stands in their README. More are fetched from packages whose licences let nothing of them come in
here, and are examined with alone.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from training.drawings.atlas import DrawingAtlas
from training.drawings.packages import fetch
from training.drawings.render import to_sprite
from training.drawings.sets import CUTOUTS

FOLDER = Path(__file__).with_suffix("")
FILE = Path(__file__).parent / "tables" / "cutouts.json"
ARTIST, FETCHED = "cut-out photographs", "cut-out photographs of packages"
ROOTS = {
    "qabcs-data": Path("usr/share/qabcs/abcs/all/pics"),
    "scratch": Path("usr/share/scratch/Media/Costumes"),
}


def read_cutouts(names: tuple[str, ...]) -> DrawingAtlas:
    """The project's own of these names as the drawings of one artist, numbered as in `names`."""
    files = [file for file in sorted(FOLDER.glob("*.webp")) if name_of(file) in names]
    return _atlas([(name_of(file), file) for file in files], names, ARTIST)


def fetch_cutouts(names: tuple[str, ...], folder: Path) -> DrawingAtlas:
    """Those of other packages; folder: of the unpacked packages, which get what is not there."""
    listed: dict[str, dict[str, list[str]]] = json.loads(FILE.read_text("utf-8"))
    files = [
        (name, fetch(source, folder) / ROOTS[source.package] / file)
        for source in CUTOUTS
        for name, few in listed[source.package].items()
        if name in names
        for file in few
    ]
    return _atlas(files, names, FETCHED)


def _atlas(files: Sequence[tuple[str, Path]], names: tuple[str, ...], artist: str) -> DrawingAtlas:
    kept = []
    for name, file in files:
        with Image.open(file) as opened:
            sprite = to_sprite(opened.convert("RGBA"))
        if sprite is not None:
            kept.append((name, sprite))
    return DrawingAtlas(
        images=np.stack([sprite for _, sprite in kept]),
        name_of=np.array([names.index(name) for name, _ in kept]),
        artist_of=np.zeros(len(kept), int),
        kind_of=np.full(len(kept), -1),
        flipped=np.zeros(len(kept), bool),
        names=names,
        artists=(artist,),
    )


def name_of(file: Path) -> str:
    """hot-dog-2.webp  ->  hot dog"""
    return file.stem.rpartition("-")[0].replace("-", " ")
