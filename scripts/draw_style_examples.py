"""Draw examples by several artists: `python scripts/draw_style_examples.py DRAWINGS OUT`.

DRAWINGS is a folder of `training.drawings.build`, OUT one of `scripts/make_examples.py`, whose
pictures of these names are replaced. Which drawings stand where comes from one seed and the list
below, and no checkpoint is asked: what it makes of them is seen in the app.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from gemma_vision.synthetic.backgrounds import draw_background
from gemma_vision.synthetic.compositor import ComposedScene
from gemma_vision.synthetic.poses import EVALUATION_SEEDS
from training.data.sampling import SceneRecipe
from training.drawings.atlas import DrawingAtlas
from training.drawings.cutouts import ARTIST, read_cutouts
from training.drawings.scenes import DrawingScenes

SEED = EVALUATION_SEEDS + 600
SIZE = (640, 480)
QUALITY = 85  # of the JPEGs
LONGEST = (0.42, 0.6)  # the longest side of a thing, of the picture's height
ANGLE = 8.0  # degrees, of the normal distribution


@dataclass(frozen=True)
class StyleExample:
    """One example: by whom, what is there from left to right, the task and its words."""

    artist: str
    things: tuple[str, ...]
    task: str
    text: str


EXAMPLES = {
    "scene-3.jpg": StyleExample("fluent-3d", ("butterfly",), "segment", "butterfly"),
    "scene-4.jpg": StyleExample(
        "fluent-flat", ("car", "house", "car"), "ask", "how many cars are there?"
    ),
    "scene-5.jpg": StyleExample("fluent", ("train", "tree"), "detect", "train ; tree"),
}


def draw_example(
    rng: np.random.Generator, drawings: dict[str, DrawingAtlas], example: StyleExample
) -> ComposedScene:
    """Its things side by side on a procedural background."""
    atlas = drawings.get(example.artist, drawings[""])
    recipe = SceneRecipe(SIZE[1], 1, len(atlas.names))
    scenes = DrawingScenes(atlas, (), [example.artist], seed=(0,), recipe=recipe)
    scenes.rng = rng
    width, height = SIZE
    poses = []
    for place, name in enumerate(example.things):
        pose = scenes.sample_pose(atlas.names.index(name), SIZE, 1, is_rehearsed=False)
        room = width / len(example.things)
        longest = min(float(rng.uniform(*LONGEST)) * height, 0.9 * room)
        middle = (place + 0.5) * room
        free = (height - longest) / 2
        poses.append(
            replace(
                pose,
                longest=longest,
                x=middle + float(rng.uniform(-0.5, 0.5)) * (room - longest),
                y=height / 2 + float(rng.uniform(-0.8, 0.8)) * free,
                angle=float(rng.normal(0, ANGLE)),
                is_plain=True,
            )
        )
    return scenes.compose(poses, draw_background(rng, width, height))


def main(words: Sequence[str]) -> int:
    """Write the pictures and their listing -> exit code."""
    folder, out = map(Path, words)
    atlas = DrawingAtlas.read(folder / "atlas.npz")
    drawings = {"": atlas, ARTIST: read_cutouts(atlas.names)}
    rng = np.random.default_rng(SEED)
    listing = out / "examples.json"
    rows = json.loads(listing.read_text())
    for row in rows:
        if example := EXAMPLES.get(row.get("image")):
            scene = draw_example(rng, drawings, example)
            Image.fromarray(scene.pixels).save(out / row["image"], quality=QUALITY)
            row |= {"task": example.task, "text": example.text}
    listing.write_text(json.dumps(rows, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
