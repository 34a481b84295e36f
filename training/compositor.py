"""Compositor: a scene's parameters become pixels and exact masks, with OpenCV on a CPU."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from training.backgrounds import draw_background
from training.poses import Pose, Scene, frame
from training.sprites import SIDE, load_atlas

MIN_VISIBLE = 0.35  # of a thing's own pixels, less than that and it is left out


@dataclass(frozen=True)
class Thing:
    """One named thing as it can be seen: box x0, y0, x1, y1 in pixels, mask (H, W) bool."""

    name: int
    box: tuple[int, int, int, int]
    mask: np.ndarray


@dataclass(frozen=True)
class Picture:
    """A composed scene: pixels (H, W, 3) uint8 RGB, owner (H, W) int8 (-1 ground, else a pose)."""

    pixels: np.ndarray
    owner: np.ndarray
    things: tuple[Thing, ...]


@cache
def _mipmaps(sprite: int) -> list[np.ndarray]:
    """The sprite at 128, 64, 32 and 16 pixels, colours premultiplied by alpha, float32 0..1."""
    image = load_atlas().images[sprite].astype(np.float32) / 255
    image[..., :3] *= image[..., 3:]
    levels = [image]
    while levels[-1].shape[0] > 16:
        half = levels[-1].shape[0] // 2
        levels.append(cv2.resize(levels[-1], (half, half), interpolation=cv2.INTER_AREA))
    return levels


@cache
def _smoothed(sprite: int) -> np.ndarray:
    """For drawing larger than the sprite is: its hard edge without the stairs."""
    return cv2.GaussianBlur(_mipmaps(sprite)[0], (0, 0), 0.9)


def compose(scene: Scene, background: np.ndarray | None = None) -> Picture:
    """Draw a scene with OpenCV; a given (H, W, 3) uint8 background saves drawing its own."""
    if background is None:
        rng = np.random.default_rng(scene.background)
        background = draw_background(rng, scene.width, scene.height)
    canvas = background.astype(np.float32)
    owner = np.full((scene.height, scene.width), -1, np.int8)
    areas = [_paint(canvas, owner, pose, index) for index, pose in enumerate(scene.poses)]
    things = []
    for index, (pose, area) in enumerate(zip(scene.poses, areas, strict=True)):
        mask = owner == index
        if np.count_nonzero(mask) < MIN_VISIBLE * area or not mask.any():
            if pose.name >= 0:  # too hidden to be asked for: draw the scene without it
                rest = tuple(p for p in scene.poses if p is not pose)
                return compose(Scene(scene.width, scene.height, scene.background, rest), background)
        elif pose.name >= 0:
            things.append(Thing(pose.name, _box_of(mask), mask))
    return Picture(canvas.astype(np.uint8), owner, tuple(things))


def _paint(canvas: np.ndarray, owner: np.ndarray, pose: Pose, index: int) -> float:
    """Blend one sprite into its region in place -> the area it would cover, in pixels."""
    matrix = pose.matrix()
    level = next(
        (i for i in (3, 2, 1) if pose.longest * 1.2 < SIDE / 2**i), 0
    )  # the smallest mipmap that is still larger than the drawing
    x0, y0, x1, y1 = frame(pose)
    left, top = max(0, int(x0) - 1), max(0, int(y0) - 1)
    right, bottom = min(canvas.shape[1], int(x1) + 2), min(canvas.shape[0], int(y1) + 2)
    if right <= left or bottom <= top:
        return 1.0
    step = 2.0**level
    local = matrix.copy()
    local[:, :2] *= step
    local[:, 2] += matrix[:, :2].sum(1) * (step - 1) / 2 - (left, top)
    is_enlarged = pose.longest > SIDE
    source = _smoothed(pose.sprite) if is_enlarged else _mipmaps(pose.sprite)[level]
    sprite = cv2.warpAffine(source, local, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
    solid = sprite[..., 3] >= 0.5
    region = canvas[top:bottom, left:right]
    region *= 1 - sprite[..., 3:]
    region += np.minimum(sprite[..., :3] * np.multiply(pose.gain, 255), 255 * sprite[..., 3:])
    owner[top:bottom, left:right][solid] = index
    return _solid_share(pose.sprite) * abs(float(np.linalg.det(matrix[:, :2])))


@cache
def _solid_share(sprite: int) -> float:
    """Solid pixels of a sprite."""
    return float(np.count_nonzero(load_atlas().images[sprite, ..., 3] > 127))


def _box_of(mask: np.ndarray) -> tuple[int, int, int, int]:
    xs, ys = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    return int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1
