"""Household parts: colours, outlines and sheets that the things of a house share."""

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from training.solids.meshes import Part, arc, surface, vary

STEEL, BLACK, WHITE = (0.75, 0.76, 0.78), (0.07, 0.07, 0.08), (0.94, 0.93, 0.9)
WOODS = [(0.55, 0.35, 0.18), (0.35, 0.2, 0.1), (0.75, 0.55, 0.32)]
LEATHERS = [(0.4, 0.22, 0.1), (0.08, 0.07, 0.07), (0.6, 0.38, 0.2), (0.5, 0.06, 0.08)]
CLOTHS = [(0.1, 0.15, 0.35), (0.12, 0.12, 0.13), (0.6, 0.08, 0.1), (0.2, 0.35, 0.2)]
PAINTS = [WHITE, BLACK, (0.75, 0.12, 0.1), (0.15, 0.3, 0.6), (0.2, 0.5, 0.3), (0.9, 0.7, 0.15)]


def one_of(rng: Generator, colours: Sequence[tuple[float, float, float]]) -> np.ndarray:
    return vary(rng, colours[int(rng.integers(len(colours)))])


def dense(corners: ArrayLike, count: int = 60) -> np.ndarray:
    """A line through corners as many points, evenly along it -> (count, K)."""
    line = np.asarray(corners, float)
    way = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    at = np.linspace(0, way[-1], count)
    return np.stack([np.interp(at, way, column) for column in line.T], 1)


def smooth(corners: ArrayLike, count: int = 60) -> np.ndarray:
    """The same with its corners rounded off."""
    line = np.asarray(corners, float)
    for _ in range(3):
        near, far = line[:-1] * 0.75 + line[1:] * 0.25, line[:-1] * 0.25 + line[1:] * 0.75
        middle = np.stack([near, far], 1).reshape(-1, line.shape[1])
        line = np.concatenate([line[:1], middle, line[-1:]])
    return dense(line, count)


def rounded(width: float, height: float, corner: float) -> np.ndarray:
    """The outline of a rectangle with round corners."""
    x, y = width / 2 - corner, height / 2 - corner
    middles = ((x, y), (-x, y), (-x, -y), (x, -y))
    return np.concatenate(
        [arc(corner, 90 * n, 90 * n + 90, 8) + middle for n, middle in enumerate(middles)]
    )


def lying(parts: list[Part]) -> list[Part]:
    """What was made upright, on its back."""
    return [part.turned(-90, "x") for part in parts]


def between(part: Part, low: float, high: float) -> np.ndarray:
    return ((part.points[:, 1] > low) & (part.points[:, 1] < high)).astype(float)


def sheet(width: float, height: float, colour: ArrayLike, count: int = 40) -> Part:
    """A rectangle of many points that looks to the front."""
    x, y = np.meshgrid(
        np.linspace(-width, width, count) / 2, np.linspace(-height, height, count) / 2
    )
    return surface(np.stack([x, y, 0 * x], -1), colour)
