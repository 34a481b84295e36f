"""Examination: pictures that no training sees, of any artist, and what should be answered.

Seeds of 900,000 and above. Pictures are 224 pixels square, on procedural backgrounds, drawings as
they are.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from gemma_vision.synthetic.backgrounds import draw_background
from gemma_vision.synthetic.compositor import ComposedScene
from gemma_vision.synthetic.scene_dataset import to_coco
from training.data.sampling import SceneRecipe
from training.drawings.atlas import DrawingAtlas
from training.drawings.poses import DrawingPose
from training.drawings.scenes import DrawingScenes

SIDE = 224
ALONE = (0.35, 0.6)  # the longest side of a thing by itself, of the picture's


@dataclass(frozen=True)
class SinglePicture:
    """A picture of one thing: pixels (H, W, 3) uint8, box x0, y0, x1, y1 in pixels, mask (H, W)
    bool; `other` is a name that is not there."""

    pixels: np.ndarray
    name: str
    box: tuple[int, int, int, int]
    mask: np.ndarray
    other: str


class Examiner:
    """Pictures of an atlas for evaluation, from a seed that nothing trains on."""

    def __init__(self, atlas: DrawingAtlas, artists: Sequence[str], seed: int) -> None:
        recipe = SceneRecipe(SIDE, SIDE // 14, len(atlas.names))
        self.atlas, self.seed = atlas, seed
        self.scenes = DrawingScenes(atlas, (), artists, seed=(0,), recipe=recipe)
        self.rng = self.scenes.rng = np.random.default_rng(seed)

    def singles(self, places: int, names: Sequence[str] = ()) -> Iterator[SinglePicture]:
        """Every name that was drawn, in so many places, each time by any of its drawings."""
        for number, name in enumerate(self.atlas.names):
            if not self.scenes.drawings[number] or (names and name not in names):
                continue
            for _ in range(places):
                yield self._single(number, name)

    def _single(self, number: int, name: str) -> SinglePicture:
        rng, size = self.rng, (SIDE, SIDE)
        pose = self.scenes.sample_pose(number, size, 1, is_rehearsed=False)
        longest = float(rng.uniform(*ALONE)) * SIDE
        x, y = rng.uniform(longest / 2, SIDE - longest / 2, 2)
        pose = replace(pose, longest=longest, x=float(x), y=float(y), is_plain=True)
        scene = self.scenes.compose([pose], draw_background(rng, *size))
        others = [other for other in self.atlas.names if other != name]
        (thing,) = scene.things
        return SinglePicture(scene.pixels, name, thing.box, thing.mask, str(rng.choice(others)))

    def crowd(self) -> ComposedScene:
        """A scene of one to four things, as they are drawn."""
        size = (SIDE, SIDE)
        poses = self.scenes.sample_poses(size, is_rehearsed=False)
        plain: list[DrawingPose] = [replace(pose, is_plain=True) for pose in poses]
        return self.scenes.compose(plain, draw_background(self.rng, *size))

    def write_dataset(self, count: int, out: Path) -> None:
        """Scenes with their COCO annotations, as a folder that `eval` reads."""
        out.mkdir(parents=True)
        scenes = [self.crowd() for _ in range(count)]
        files = [f"{index:06d}.png" for index in range(count)]
        for file, scene in zip(files, scenes, strict=True):
            Image.fromarray(scene.pixels).save(out / file)
        words = self.atlas.names
        coco = to_coco(scenes, files, names=len(words), seed=self.seed, vocabulary=words)
        (out / "annotations.json").write_text(json.dumps(coco))
