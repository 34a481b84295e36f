"""Compositor: a scene's parameters become pixels and exact masks, with OpenCV on a CPU."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from gemma_vision.synthetic.backgrounds import draw_background
from gemma_vision.synthetic.mipmaps import (
    full_area,
    is_enlarged,
    level_of,
    mipmaps,
    placing,
    smoothed,
    window,
)
from gemma_vision.synthetic.poses import Pose, SceneLayout

MIN_VISIBLE = 0.35  # of a thing's own pixels, less than that and it is left out


@dataclass(frozen=True)
class SceneObject:
    """One named thing as it can be seen: box x0, y0, x1, y1 in pixels, mask (H, W) bool."""

    name: int
    box: tuple[int, int, int, int]
    mask: np.ndarray
    pose: Pose


@dataclass(frozen=True)
class ComposedScene:
    """A composed scene: pixels (H, W, 3) uint8 RGB, owner (H, W) int8 (-1 ground, else a pose)."""

    pixels: np.ndarray
    owner: np.ndarray
    things: tuple[SceneObject, ...]


def compose(layout: SceneLayout, background: np.ndarray | None = None) -> ComposedScene:
    """Draw a scene with OpenCV; a given (H, W, 3) uint8 background saves drawing its own."""
    if background is None:
        rng = np.random.default_rng(layout.background)
        background = draw_background(rng, layout.width, layout.height)
    canvas = background.astype(np.float32)
    owner = np.full((layout.height, layout.width), -1, np.int8)
    areas = [_paint(canvas, owner, pose, index) for index, pose in enumerate(layout.poses)]
    things = []
    for index, (pose, area) in enumerate(zip(layout.poses, areas, strict=True)):
        mask = owner == index
        if np.count_nonzero(mask) < MIN_VISIBLE * area or not mask.any():
            if pose.name >= 0:  # too hidden to be asked for: draw the scene without it
                rest = tuple(p for p in layout.poses if p is not pose)
                return compose(replace(layout, poses=rest), background)
        elif pose.name >= 0:
            things.append(SceneObject(pose.name, _box_of(mask), mask, pose))
    return ComposedScene(canvas.astype(np.uint8), owner, tuple(things))


def _paint(canvas: np.ndarray, owner: np.ndarray, pose: Pose, index: int) -> float:
    """Blend one sprite into its region in place -> the area it would cover, in pixels."""
    left, top, right, bottom = window(pose, canvas.shape[1], canvas.shape[0])
    if right <= left or bottom <= top:
        return 1.0
    local = placing(pose)
    local[:, 2] -= (left, top)
    source = smoothed(pose.sprite) if is_enlarged(pose) else mipmaps(pose.sprite)[level_of(pose)]
    sprite = cv2.warpAffine(source, local, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
    solid = sprite[..., 3] >= 0.5
    region = canvas[top:bottom, left:right]
    region *= 1 - sprite[..., 3:]
    region += np.minimum(sprite[..., :3] * np.multiply(pose.gain, 255), 255 * sprite[..., 3:])
    owner[top:bottom, left:right][solid] = index
    return full_area(pose)


def _box_of(mask: np.ndarray) -> tuple[int, int, int, int]:
    xs, ys = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    return int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1
