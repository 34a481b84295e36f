"""Backgrounds: procedural pictures with nothing in them that has a name.

Seven kinds, all drawn from one seeded generator: plain, gradient, noise, stripes, checks,
landscape, clutter. Knows nothing of sprites. H, W are height and width in pixels.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.random import Generator


def draw_background(rng: Generator, width: int, height: int) -> np.ndarray:
    """A background of any kind -> (H, W, 3) uint8 RGB."""
    canvas = KINDS[int(rng.integers(len(KINDS)))](rng, width, height)
    grain = rng.uniform(0, 9)
    if grain > 2:
        noise = np.empty((height, width), np.int16)
        cv2.setRNGSeed(int(rng.integers(2**31)))
        cv2.randn(noise, 0, grain)
        canvas = np.clip(canvas + noise[..., None], 0, 255)
    return canvas.astype(np.uint8)


def colour(rng: Generator) -> np.ndarray:
    """Any colour, greyish ones more often -> (3,) float32 in 0..255."""
    grey, tint = rng.uniform(20, 245), rng.uniform(-1, 1, 3) * rng.uniform(0, 90)
    return np.clip(grey + tint, 0, 255).astype(np.float32)


def mix(weight: np.ndarray, rng: Generator) -> np.ndarray:
    """Two colours blended by a (H, W) weight in 0..1 -> (H, W, 3) float32."""
    first, second = colour(rng), colour(rng)
    return np.asarray(first + (second - first) * weight[..., None])


def grid(rng: Generator, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Rotated pixel coordinates along and across a random direction -> two (H, W) float32."""
    angle = rng.uniform(0, 2 * np.pi)
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return x * cos + y * sin, y * cos - x * sin


def plain(rng: Generator, width: int, height: int) -> np.ndarray:
    return np.broadcast_to(colour(rng), (height, width, 3))


def gradient(rng: Generator, width: int, height: int) -> np.ndarray:
    along, _ = grid(rng, width, height)
    return mix((along - along.min()) / np.ptp(along), rng)


def smooth_noise(rng: Generator, width: int, height: int) -> np.ndarray:
    """Octaves of interpolated noise -> (H, W) float32 in 0..1."""
    total = np.zeros((height, width), np.float32)
    for octave in range(int(rng.integers(1, 5))):
        cells = int(rng.integers(2, 5)) * 2**octave
        coarse = rng.random((cells, cells), np.float32) / 1.7**octave
        total += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray((total - total.min()) / max(float(np.ptp(total)), 1e-6))


def noise(rng: Generator, width: int, height: int) -> np.ndarray:
    return mix(smooth_noise(rng, width, height), rng)


def stripes(rng: Generator, width: int, height: int) -> np.ndarray:
    along, _ = grid(rng, width, height)
    wave = 0.5 + 0.5 * np.sin(along * 2 * np.pi / rng.uniform(8, 70))
    return mix((wave > 0.5).astype(np.float32) if rng.random() < 0.5 else wave, rng)


def checks(rng: Generator, width: int, height: int) -> np.ndarray:
    along, across = grid(rng, width, height)
    side = rng.uniform(8, 60)
    odd = (np.floor(along / side) + np.floor(across / side)) % 2
    return mix(odd.astype(np.float32), rng)


def landscape(rng: Generator, width: int, height: int) -> np.ndarray:
    """Two bands with a horizon, and a few soft discs like hills, sun and clouds."""
    horizon = rng.uniform(0.3, 0.8) * height
    ground = (np.arange(height)[:, None] > horizon).repeat(width, 1).astype(np.float32)
    return np.ascontiguousarray(scatter(mix(ground, rng), rng, int(rng.integers(0, 7)), 0.25))


def clutter(rng: Generator, width: int, height: int) -> np.ndarray:
    """Flat shapes on a smooth ground: edges and corners that are not things."""
    ground = noise(rng, width, height) if rng.random() < 0.5 else plain(rng, width, height)
    return scatter(np.ascontiguousarray(ground), rng, int(rng.integers(3, 16)), 0.16)


def scatter(canvas: np.ndarray, rng: Generator, count: int, size: float) -> np.ndarray:
    """Draw `count` filled ellipses, boxes or triangles of about `size` of the picture."""
    height, width = canvas.shape[:2]
    for _ in range(count):
        centre = (rng.random(2) * (width, height)).astype(int)
        radii = np.maximum(2, rng.exponential(size / 2, 2) * (width, height)).astype(int)
        angle, paint = rng.uniform(0, 180), tuple(float(c) for c in colour(rng))
        if rng.random() < 0.5:
            cv2.ellipse(canvas, centre.tolist(), radii.tolist(), angle, 0, 360, paint, -1)
        else:
            corners = cv2.boxPoints((centre.tolist(), (2 * radii).tolist(), angle))
            cv2.fillConvexPoly(canvas, corners[: int(rng.integers(3, 5))].astype(int), paint)
    return canvas


KINDS: list[Callable[[Generator, int, int], np.ndarray]] = [
    plain,
    gradient,
    noise,
    stripes,
    checks,
    landscape,
    clutter,
]
