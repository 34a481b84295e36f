"""Two wheels: cycles, and boards on wheels; they drive along x."""

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from training.solids.meshes import Part, arc, box, ellipsoid, lathe, mottled, surface, tube, vary
from training.solids.things.vehicle_parts import BLACK, STEEL, WHITE, disc, paint


def ring(x: float, radius: float, thick: float, colour: ArrayLike) -> Part:
    """A tyre standing on the ground, across x."""
    return (
        lathe(arc(thick, 0, 360, 17) + np.array([radius - thick, 0]), colour)
        .turned(90, "x")
        .moved(x, radius)
    )


def motorcycle(rng: Generator) -> list[Part]:
    colour, dark = paint(rng), (0.13, 0.13, 0.14)
    parts = []
    for x in (-1.05, 1.05):
        parts += [ring(x, 0.46, 0.11, BLACK), ring(x, 0.36, 0.03, STEEL).moved(0, 0.1)]
        parts.append(disc(0.14, 0.16, STEEL, 0.5).moved(x, 0.46))
        for angle in np.arange(0.0, 180, 30):
            parts.append(box((0.66, 0.03, 0.03), STEEL).turned(angle, "z").moved(x, 0.46))
        fender = surface(
            np.stack(
                [np.column_stack([arc(0.52, 20, 150), np.full(24, z)]) for z in (-0.13, 0.13)]
            ),
            colour,
            0.6,
        )
        parts.append(fender.moved(x, 0.46))
    tank = ellipsoid((0.48, 0.24, 0.24), colour).shiny(0.8).turned(8, "z").moved(0.2, 1.1)
    seat = ellipsoid((0.6, 0.12, 0.2), dark).turned(-8, "z").moved(-0.6, 0.98)
    engine = [box((0.6, 0.4, 0.36), (0.4,) * 3, shine=0.5).moved(0.05, 0.5)]
    engine += [
        box((0.34, 0.03, 0.44), STEEL, shine=0.6).moved(0.12, y)
        for y in np.arange(0.68, 0.92, 0.06)
    ]
    pipe = tube(
        [(0.25, 0.6, 0.2), (0.4, 0.35, 0.25), (0, 0.3, 0.27), (-1.2, 0.38, 0.27)],
        [0.05, 0.05, 0.06, 0.09],
        STEEL,
        shine=0.8,
    )
    parts += [tank, seat, *engine, pipe]
    frame = [[(0.6, 1.1), (0.45, 0.4), (-0.4, 0.35), (-0.6, 0.95)], [(-0.3, 0.45), (-1.05, 0.46)]]
    parts += [tube([(*p, z) for p in line], 0.04, dark) for line in frame for z in (-0.15, 0.15)]
    for z in (-0.15, 0.15):
        parts.append(tube([(1.05, 0.46, z), (0.6, 1.3, z)], 0.045, STEEL, shine=0.7))
        parts.append(tube([(0.6, 1.3, z), (0.55, 1.42, 2 * z), (0.35, 1.4, 2.7 * z)], 0.035, dark))
    lamp = ellipsoid((0.13, 0.15, 0.15), (1, 0.97, 0.85)).shiny(0.8).moved(0.82, 1.2)
    return [*parts, lamp, ellipsoid((0.06, 0.06, 0.1), (0.8, 0.05, 0.05)).moved(-1.25, 0.95)]


def bicycle(rng: Generator) -> list[Part]:
    colour, dark = paint(rng), (0.12, 0.11, 0.1)
    parts = []
    for x in (-1.0, 1.0):
        parts += [ring(x, 0.68, 0.035, BLACK), ring(x, 0.63, 0.02, STEEL).moved(0, 0.05)]
        for angle in np.arange(0, 180, 22.5):
            parts.append(box((1.24, 0.01, 0.01), STEEL).turned(angle, "z").moved(x, 0.68))
    crank, saddle, head = (-0.15, 0.6), (-0.4, 1.45), (0.68, 1.4)
    lines = [(crank, saddle), (crank, (0.72, 1.28)), ((-0.35, 1.32), head), ((-1, 0.68), crank)]
    lines += [((-1, 0.68), (-0.36, 1.34)), (head, (1, 0.68)), (head, (0.62, 1.6))]
    if rng.random() < 0.3:
        lines[2] = ((-0.25, 0.95), (0.7, 1.3))
    parts += [tube([(*a, 0), (*b, 0)], 0.045, colour, sides=10, shine=0.6) for a, b in lines]
    parts.append(ellipsoid((0.24, 0.06, 0.13), dark).moved(-0.42, 1.52))
    parts.append(disc(0.17, 0.03, STEEL, 0.6).moved(*crank, 0.06))
    is_drop = rng.random() < 0.4
    for side in (-1, 1):
        bend = [(0.6, 1.6, 0), (0.7, 1.62, 0.35 * side)]
        bend += (
            [(0.9, 1.5, 0.35 * side), (0.75, 1.35, 0.35 * side)]
            if is_drop
            else [(0.4, 1.65, 0.45 * side)]
        )
        parts.append(tube(bend, 0.035, dark, sides=8))
        arm = tube([(*crank, 0.1 * side), (-0.15 + 0.25 * side, 0.5, 0.12 * side)], 0.03, STEEL)
        pedal = box((0.2, 0.05, 0.2), dark).moved(-0.15 + 0.25 * side, 0.5, 0.24 * side)
        parts += [arm, pedal]
    return parts


def skateboard(rng: Generator) -> list[Part]:
    colour, wheel = (
        paint(rng),
        vary(rng, [WHITE, (0.9, 0.75, 0.1), (0.85, 0.2, 0.2)][rng.integers(3)]),
    )
    x = np.linspace(-2, 2, 60)
    half = 0.5 * np.clip(1 - np.clip((np.abs(x) - 1.5) / 0.5, 0, 1) ** 2, 0, 1) ** 0.5
    bend = rng.uniform(0.2, 0.4) * np.clip(np.abs(x) - 1.3, 0, 1) / 0.7
    across = np.linspace(-1, 1, 24)
    z, y = np.outer(half, across), bend[:, None] + 0.03 * across**2
    xs = np.repeat(x[:, None], 24, 1)
    top = surface(np.stack([xs, y + 0.04, z], -1), (0.13, 0.13, 0.14), 0.02)
    if rng.random() < 0.3:
        top = top.painted(paint(rng))
    under = mottled(
        rng, surface(np.stack([xs, y - 0.04, z], -1), colour, 0.4), paint(rng), 1.2, 0.4
    )
    under = mottled(rng, under, paint(rng), 0.7, 0.25)
    edge = np.concatenate(
        [np.stack([xs[:, i], y[:, i], z[:, i]], 1)[::s] for i, s in ((0, 1), (-1, -1))]
    )
    parts = [top, under, tube(edge, 0.045, (0.75, 0.55, 0.32), sides=8)]
    for spot in (-1.1, 1.1):
        parts.append(box((0.4, 0.12, 0.3), STEEL, shine=0.6).moved(spot, -0.1))
        parts.append(tube([(spot, -0.22, -0.45), (spot, -0.22, 0.45)], 0.06, STEEL, shine=0.6))
        parts += [disc(0.2, 0.24, wheel, 0.4).moved(spot, -0.25, side) for side in (-0.4, 0.4)]
    tilt = rng.choice([0, 0, 60, 120, 180])
    return [part.turned(tilt, "x") for part in parts]


TWO_WHEELS = {
    "motorcycle": motorcycle,
    "bicycle": bicycle,
    "skateboard": skateboard,
}
