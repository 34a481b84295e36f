"""A film for Chromium's camera of the benchmarks: drawn scenes that slide by, as YUV frames."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from gemma_vision.synthetic.atlas import load_atlas
from gemma_vision.synthetic.compositor import compose
from gemma_vision.synthetic.poses import sample_scene

Size = tuple[int, int]

SEED = 900_123
RATE = 30  # frames a second, as cameras give them
SCENES = 4
EACH = 15  # frames of a scene
SLIDE = 3  # pixels from one frame to the next


def write_film(path: Path, names: tuple[str, ...], size: Size) -> None:
    """Scenes of these names as a file that Chromium plays round and round. size: even numbers."""
    width, height = size
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F{RATE}:1 Ip A1:1 C420jpeg\n".encode())
        for frame in frames(names, size):
            luma, *colors = frame.convert("YCbCr").split()
            planes = [luma, *(one.resize((width // 2, height // 2)) for one in colors)]
            file.write(b"FRAME\n" + b"".join(plane.tobytes() for plane in planes))


def frames(names: tuple[str, ...], size: Size) -> Iterator[Image.Image]:
    """Each scene moves past a window that stands still."""
    width, height = size
    known = load_atlas().names
    only, rng = [known.index(name) for name in names], np.random.default_rng(SEED)
    for _ in range(SCENES):
        wide = (width + SLIDE * EACH, height)
        scene = Image.fromarray(compose(sample_scene(rng, size=wide, only=only)).pixels)
        for step in range(EACH):
            yield scene.crop((SLIDE * step, 0, SLIDE * step + width, height))
