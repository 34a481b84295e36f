"""Poses: where one drawing of many artists' lies in a picture, and how."""

from dataclasses import dataclass

import numpy as np

from gemma_vision.synthetic.atlas import SIDE
from gemma_vision.synthetic.poses import Pose


@dataclass(frozen=True)
class DrawingPose(Pose):
    """A pose of a drawing of any artist, labelled in the thing's own frame.

    halves: half the drawing's width and height in its pixels. flipped: it faces the other way.
    """

    halves: tuple[float, float] = (60.0, 60.0)
    flipped: bool = False
    kind: int = -1
    is_plain: bool = True

    def inverse(self) -> np.ndarray:
        """The (2, 3) map from picture pixels to the thing's own frame, -1..1 from edge to edge."""
        scale = (SIDE / 2) / np.array(self.halves)
        scale[0] *= -1 if self.flipped else 1
        return super().inverse() * scale[:, None]

    def corners(self) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 in pixels: where it would be seen if nothing hid it."""
        linear = np.abs(self.matrix()[:, :2])
        reach = linear @ np.array(self.halves)
        return self.x - reach[0], self.y - reach[1], self.x + reach[0], self.y + reach[1]


def overlap(a: DrawingPose, b: DrawingPose) -> float:
    """Intersection of two frames over the smaller one."""
    (ax0, ay0, ax1, ay1), (bx0, by0, bx1, by1) = a.corners(), b.corners()
    width, height = min(ax1, bx1) - max(ax0, bx0), min(ay1, by1) - max(ay0, by0)
    smaller = min((ax1 - ax0) * (ay1 - ay0), (bx1 - bx0) * (by1 - by0))
    return float(max(0.0, width) * max(0.0, height) / smaller)
