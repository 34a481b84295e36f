"""Coats: how the bodies of animals are rounded and painted."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from training.solids.meshes import Part, ellipsoid, joined, mottled, noise, tube

Coat = Callable[[Part, np.ndarray], Part]  # a part and how far along it each point is -> painted


def natural(rng: Generator, colour: Sequence[float], by: float = 0.15) -> np.ndarray:
    """A colour of a coat, duller, lighter or darker, hardly of another hue."""
    warm = rng.normal(0, 0.012) * np.array([1, 0.3, -1])
    dull = 0.7 * np.asarray(colour, float) + 0.22 * np.mean(colour)
    return np.clip(dull * rng.uniform(1 - by, 1 + by) + warm, 0.02, 1)


def limb(points: ArrayLike, radii: Sequence[float], coat: Coat, *, blunt: float = 12) -> Part:
    """A smooth round bar through points, rounded at its ends, in a coat."""
    path, count, sides = np.asarray(points, float), 48, 32
    step = (1 - np.cos(np.linspace(0, np.pi, count))) / 2
    knots = np.linspace(0, 1, len(path))
    kernel = np.hanning(11)[1:-1] / np.hanning(11)[1:-1].sum()
    values = [np.interp(step, knots, column) for column in (*path.T, np.asarray(radii, float))]
    smooth = [np.convolve(np.pad(v, 4, mode="edge"), kernel, "valid") for v in values]
    thick = smooth[3] * np.sqrt(np.clip(1 - np.abs(2 * step - 1) ** blunt, 1e-4, 1))
    line = np.stack(smooth[:3], 1)
    bar = tube(line, thick, (0.5, 0.5, 0.5), sides=sides, shine=0.05)
    gone = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    return coat(bar, np.repeat(np.concatenate([[0], gone, gone[-1:]]), sides + 1)).as_limb()


def fur(rng: Generator, colour: ArrayLike, *, second: ArrayLike | None = None) -> Coat:
    """One colour, finely mottled, or with large soft patches of a second one."""
    base = np.asarray(colour, float)

    def paint(part: Part, along: np.ndarray) -> Part:
        part = part.painted(base)
        if second is not None:
            part = part.painted(second, np.clip(noise(rng, part.points, 1.3) * 6 - 1, 0, 1))
        part = mottled(rng, part, part.colours * 0.86, 0.1, 0.4)
        return mottled(rng, part, np.clip(part.colours * 1.1, 0, 1), 0.3, 0.3)

    return paint


def striped(
    rng: Generator, colour: ArrayLike, stripe: ArrayLike, often: float, edge: float, sharp: float
) -> Coat:
    """Stripes around each part; edge -1..1: the higher, the thinner they are."""
    coat = fur(rng, colour)

    def paint(part: Part, along: np.ndarray) -> Part:
        wave = np.sin(often * along + 1.3 * noise(rng, part.points, 1.0))
        return coat(part, along).painted(stripe, np.clip((wave - edge) * sharp, 0, 1))

    return paint


def patched(rng: Generator, colour: ArrayLike, patch: ArrayLike, size: float) -> Coat:
    """Patches with narrow gaps between them, as a giraffe has."""

    def paint(part: Part, along: np.ndarray) -> Part:
        count = int(np.clip(np.ptp(part.points, axis=0).max() * 11 / size, 8, 90))
        seeds = part.points[rng.choice(len(part.points), count, replace=False)]
        apart = np.linalg.norm(part.points[:, None] - seeds[None], axis=2)
        near = np.sort(apart, 1)[:, :2]
        where = np.clip((near[:, 1] - near[:, 0] - 0.035 * size) * 30, 0, 1)
        return fur(rng, colour)(part, along).painted(patch, where)

    return paint


def woolly(rng: Generator, wool: np.ndarray) -> list[Part]:
    """Small balls of wool all over a trunk and neck."""
    puffs = []
    for _ in range(420):
        way = rng.normal(0, 1, 3)
        x, y, z = way / np.linalg.norm(way) * (1.05, 0.52, 0.5)
        size = rng.uniform(0.07, 0.13)
        ball = ellipsoid((size, size, size), wool * rng.uniform(0.9, 1.05), sides=12)
        ball = ball.bumpy(rng, 0.08, size)
        puffs.append(ball.moved(x, y + 1.05, z))
    return [mottled(rng, joined(puffs).shiny(0.0), wool * 0.85, 0.12, 0.4)]
