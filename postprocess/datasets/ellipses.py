"""Ellipses and circles, drawn as the masks that they enclose."""

import math

import numpy as np

from postprocess.coordinate_conventions import Box, Point
from postprocess.datasets.picture_files import Size
from postprocess.mask_formats import Mask, fill

_STEPS = 360  # corners; between two the edge is less than a 25,000th of the radius off


def draw_ellipse(
    middle: Point, radii: tuple[float, float], size: Size, degrees: float = 0.0
) -> tuple[Box, Mask]:
    """The box around an ellipse in pixels, and its mask in a picture of (width, height).

    degrees: how far it is turned about its middle, as clocks go.
    """
    turns = np.linspace(0, 2 * math.pi, _STEPS, endpoint=False)
    angle = math.radians(degrees)
    across, down = radii[0] * np.cos(turns), radii[1] * np.sin(turns)
    xs = middle[0] + across * math.cos(angle) - down * math.sin(angle)
    ys = middle[1] + across * math.sin(angle) + down * math.cos(angle)
    ring = np.clip(np.stack([xs, ys], 1), -np.array(size), 2 * np.array(size))
    wide = math.hypot(radii[0] * math.cos(angle), radii[1] * math.sin(angle))
    high = math.hypot(radii[0] * math.sin(angle), radii[1] * math.cos(angle))
    box = (middle[0] - wide, middle[1] - high, middle[0] + wide, middle[1] + high)
    return box, fill([ring.tolist()], size)
