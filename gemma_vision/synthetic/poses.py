"""Poses: what a scene will show, where and how. Parameters only; the compositor makes pixels.

Everything is drawn by one seeded generator, so that a seed names a scene on every machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.random import Generator

from gemma_vision.synthetic.atlas import MARGIN, SIDE, load_atlas

NUM_NAMES = 16  # of the names of the atlas, in scenes unless more are asked for
EVALUATION_SEEDS = 900_000  # seeds from here on are for evaluation only
SMALLEST, LARGEST = 0.16, 0.65  # the longest side of a thing, of the picture's
MAX_OVERLAP = 0.25  # of the smaller of two boxes
DISTRACTORS = 0.25  # share of the further things that have no name
TWINS = 0.12  # share of the further things that repeat the name before
PLACING_TRIES = 12
SIZES = [(224, 224)] * 4 + [(288, 216), (216, 288)]  # in training, squashed to a square
EMPTY = 0.05  # share of the scenes in training in which nothing has a name


@dataclass(frozen=True)
class Pose:
    """Where and how one sprite is drawn. Lengths in pixels, the angle in degrees."""

    sprite: int
    name: int  # index of its name, -1 for a distractor
    x: float  # centre
    y: float
    longest: float  # the longest side before rotation
    angle: float
    mirrored: bool
    aspect: float  # width grows and height shrinks by its square root
    gain: tuple[float, float, float]  # of red, green and blue

    def matrix(self) -> np.ndarray:
        """The (2, 3) affine map from sprite pixels to picture pixels."""
        scale = self.longest / (SIDE - 2 * MARGIN)
        stretch = np.sqrt(self.aspect)
        scale_x, scale_y = scale * stretch * (-1 if self.mirrored else 1), scale / stretch
        cos, sin = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))
        linear = np.array([[cos, -sin], [sin, cos]]) @ np.diag([scale_x, scale_y])
        middle = (SIDE - 1) / 2
        shift = np.array([self.x - 0.5, self.y - 0.5]) - linear @ [middle, middle]
        return np.column_stack([linear, shift])

    def inverse(self) -> np.ndarray:
        """The (2, 3) affine map from picture pixels to the sprite's own square, -1..1."""
        matrix, half = self.matrix(), SIDE / 2
        linear = np.linalg.inv(matrix[:, :2])
        shift = -linear @ matrix[:, 2] - (SIDE - 1) / 2
        return np.column_stack([linear, shift]) / half


@dataclass(frozen=True)
class SceneLayout:
    """What a picture will show, back to front; `background` is the seed of its own generator."""

    width: int
    height: int
    background: int
    poses: tuple[Pose, ...]


def sample_scene(
    rng: Generator,
    *,
    size: tuple[int, int] = (224, 224),
    num_names: int = NUM_NAMES,
    max_things: int = 4,
    empty: float = 0.0,
    only: Sequence[int] = (),
    smallest: float = SMALLEST,
    nameless: Sequence[int] | None = None,
) -> SceneLayout:
    """Draw the parameters of one scene.

    empty: the chance of a scene with distractors only. only: the indices of the names to draw
    from, where those are not the first `num_names`. smallest: the longest side of a thing at
    least, as a share of the picture's. nameless: sprites of things without a name, where not all
    of the atlas's are.
    """
    atlas, (width, height) = load_atlas(), size
    count = int(rng.integers(1, max_things + 1))
    names = _draw_names(rng, count, len(only) or num_names)
    if only:
        names = [only[name] if name >= 0 else -1 for name in names]
    if rng.random() < empty:
        names = [-1] * (count - 1)
    poses: list[Pose] = []
    for name in names:
        sprites = atlas.variants(name) if name >= 0 or nameless is None else np.array(nameless)
        for _ in range(PLACING_TRIES if len(sprites) else 0):
            longest = _draw_longest(rng, smallest, is_crowded=count >= 3)
            pose = _draw_pose(rng, sprites, name, width, height, longest)
            if all(_overlap(pose, other) <= MAX_OVERLAP for other in poses):
                poses.append(pose)
                break
    return SceneLayout(width, height, int(rng.integers(2**31)), tuple(poses))


def _draw_names(rng: Generator, count: int, num_names: int) -> list[int]:
    names = [int(rng.integers(num_names))]
    for _ in range(count - 1):
        draw = rng.random()
        if draw < DISTRACTORS:
            names.append(-1)
        elif draw < DISTRACTORS + TWINS:
            names.append(names[0])
        else:
            names.append(int(rng.integers(num_names)))
    return names


def _draw_longest(rng: Generator, smallest: float, *, is_crowded: bool) -> float:
    longest = float(np.exp(rng.uniform(np.log(smallest), np.log(LARGEST))))
    return longest * (0.8 if is_crowded else 1)


def _draw_pose(
    rng: Generator, sprites: np.ndarray, name: int, width: int, height: int, longest: float
) -> Pose:
    longest *= np.sqrt(width * height)
    angle = rng.normal(0, 14)
    angle = rng.uniform(-45, 45) if rng.random() < 0.15 else np.clip(angle, -40, 40)
    inset = 0.42 * longest  # some things are cut by the picture's edge
    return Pose(
        sprite=int(rng.choice(sprites)),
        name=name,
        x=rng.uniform(min(inset, width / 2), max(width - inset, width / 2)),
        y=rng.uniform(min(inset, height / 2), max(height - inset, height / 2)),
        longest=float(longest),
        angle=float(angle),
        mirrored=bool(rng.random() < 0.5),
        aspect=float(np.exp(rng.uniform(-0.15, 0.15))),
        gain=tuple(rng.uniform(0.8, 1.15) * rng.uniform(0.92, 1.08, 3)),
    )


@cache
def _extent(sprite: int) -> np.ndarray:
    """The corners of a sprite's own box, homogeneous -> (3, 4)."""
    solid = load_atlas().images[sprite, ..., 3] > 127
    xs, ys = np.flatnonzero(solid.any(0)), np.flatnonzero(solid.any(1))
    x0, x1, y0, y1 = xs[0], xs[-1] + 1, ys[0], ys[-1] + 1
    return np.array([[x0, x1, x0, x1], [y0, y0, y1, y1], [1, 1, 1, 1]], float)


def frame(pose: Pose) -> tuple[float, float, float, float]:
    """x0, y0, x1, y1 in pixels: where the sprite would be seen if nothing hid it."""
    corners = pose.matrix() @ _extent(pose.sprite)
    return (*corners.min(1), *corners.max(1))


def _overlap(a: Pose, b: Pose) -> float:
    """Intersection of the two frames over the smaller one."""
    (ax0, ay0, ax1, ay1), (bx0, by0, bx1, by1) = frame(a), frame(b)
    width, height = min(ax1, bx1) - max(ax0, bx0), min(ay1, by1) - max(ay0, by0)
    smaller = min((ax1 - ax0) * (ay1 - ay0), (bx1 - bx0) * (by1 - by0))
    return max(0.0, width) * max(0.0, height) / smaller
