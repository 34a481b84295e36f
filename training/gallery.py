"""Gallery: one small drawing of every name, as a sheet that lies beside the checkpoint.

`python -m training.gallery CHECKPOINT` draws the names that a checkpoint lists from the library's
own atlas; `training.widen` draws them from the atlas of all artists.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from gemma_vision.checkpoints.file_names import GALLERY, NOTES
from gemma_vision.synthetic.atlas import load_atlas

THUMB = 64  # pixels, of a drawing on the sheet
COLUMNS = 12


def write_gallery(images: np.ndarray, name_of: np.ndarray, count: int, out: Path) -> None:
    """images (S, 128, 128, 4) uint8, name_of (S,) -> the first drawing of each of `count` names,
    row by row in their order, as gallery.webp in a folder."""
    rows = -(-count // COLUMNS)
    sheet = Image.new("RGBA", (COLUMNS * THUMB, rows * THUMB))
    for name in range(count):
        drawing = Image.fromarray(images[np.flatnonzero(name_of == name)[0]])
        place = (name % COLUMNS * THUMB, name // COLUMNS * THUMB)
        sheet.paste(drawing.resize((THUMB, THUMB), Image.Resampling.LANCZOS), place)
    sheet.save(out / GALLERY, quality=80, method=6)


def main(words: Sequence[str] | None = None) -> int:
    """Draw the gallery of a checkpoint whose names are the first of the library's atlas."""
    (folder,) = map(Path, sys.argv[1:] if words is None else words)
    names = json.loads((folder / NOTES).read_text("utf-8"))["names"]
    atlas = load_atlas()
    assert tuple(names) == atlas.names[: len(names)], "other names than the atlas has"
    write_gallery(atlas.images, atlas.name_of, len(names), folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
