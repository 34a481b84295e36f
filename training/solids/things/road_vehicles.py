"""Road vehicles: on four wheels or more; they drive along x."""

import numpy as np
from numpy.random import Generator

from training.solids.meshes import Part, box, ellipsoid, lathe, mottled, prism, vary
from training.solids.things.vehicle_parts import (
    BLACK,
    GLASS,
    STEEL,
    WHITE,
    disc,
    paint,
    panes,
    wheels,
)


def bus(rng: Generator) -> list[Part]:
    kind = int(rng.integers(3))
    colour = [paint(rng), vary(rng, (0.75, 0.08, 0.08)), vary(rng, (0.95, 0.68, 0.08), 0.05)][kind]
    high, front = (2.7, 4.1, 2.6)[kind], (4.0, 3.6, 3.0)[kind]
    outline = [(-3.6, 0.4), (front, 0.4), (front, 1.2), (front - 0.12, high - 0.1)]
    outline += [(front - 0.3, high), (-3.45, high), (-3.6, high - 0.15)]
    parts = [prism(outline, 2.1, colour, shine=0.45)]
    for low in (1.3, 2.85)[: 1 + (kind == 1)]:
        parts.append(panes((-3.4, front - 0.75), (low, low + 0.85), 2.14, 6 + int(rng.integers(3))))
        glass = box((0.1, 0.9, 1.85), GLASS, shine=0.8)
        parts.append(glass.turned(5, "z").moved(front - 0.02, low + 0.42))
        parts.append(glass.moved(-3.58, low + 0.42))
    parts.append(box((0.06, 0.3, 1.5), WHITE).moved(front - 0.06, high - 0.25))
    if kind == 2:
        hood = [(2.9, 0.4), (4.3, 0.4), (4.3, 1.15), (4.1, 1.3), (2.9, 1.4)]
        parts.append(prism(hood, 1.8, colour, shine=0.45))
        parts += [box((6.5, 0.07, 2.14), BLACK).moved(-0.3, y) for y in (0.75, 1.1)]
        parts.append(box((0.06, 0.6, 1.1), BLACK).moved(4.31, 0.8))
        front = 4.3
    else:
        parts.append(box((0.8, 1.7, 0.1), GLASS, shine=0.8).moved(front - 0.55, 1.35, 1.03))
        if rng.random() < 0.5:
            parts.append(box((front + 3.55, 0.3, 2.13), paint(rng)).moved((front - 3.6) / 2, 0.95))
    parts.append(box((front + 3.75, 0.14, 2.16), BLACK).moved((front - 3.6) / 2, 0.45))
    lamps = [disc(0.16, 0.08, (1, 0.97, 0.8)).turned(90) for _ in range(2)]
    spots = zip(lamps, (-0.8, 0.8), strict=True)
    parts += [lamp.moved(front + 0.02, 0.8, z).shiny(0.7) for lamp, z in spots]
    return [*parts, *wheels([-2.2, 2.5], 0.95, 0.5, 0.3)]


def truck(rng: Generator) -> list[Part]:
    colour, second, kind = paint(rng), paint(rng), int(rng.integers(3))
    nose = float(rng.choice([0, 0.9]))
    cab = [(1.7, 0.5), (3.3, 0.5), (3.3, 1.5), (3.1, 2.5), (2.9, 2.6), (1.7, 2.6)]
    parts = [prism(cab, 2.0, colour, shine=0.45)]
    parts.append(prism([(2.1, 1.6), (3.1, 1.6), (2.95, 2.35), (2.1, 2.35)], 2.04, GLASS, shine=0.8))
    screen = [(3.2, 1.55), (3.34, 1.55), (3.17, 2.4), (3.0, 2.4)]
    parts.append(prism(screen, 1.75, GLASS, shine=0.8))
    if nose:
        hood = [(3.2, 0.5), (4.2, 0.5), (4.2, 1.3), (3.2, 1.5)]
        parts.append(prism(hood, 1.5, colour, shine=0.45))
    grille = box((0.08, 0.6, 1.1), (0.25,) * 3).moved(3.3 + nose, 0.95)
    bumper = box((0.25, 0.25, 2.1), STEEL).moved(3.3 + nose, 0.5)
    lamps = [box((0.1, 0.2, 0.25), (1, 0.96, 0.8)).moved(3.32 + nose, 0.85, z) for z in (-0.7, 0.7)]
    parts += [grille, bumper, *lamps, box((6.4, 0.2, 1.5), BLACK).moved(-0.2, 0.6)]
    if kind == 0:
        cargo = box((4.9, 2.4, 2.1), vary(rng, WHITE) if rng.random() < 0.6 else second)
        parts.append(cargo.moved(-0.9, 2.0).shiny(0.25))
        if rng.random() < 0.5:
            parts.append(box((4.8, 0.4, 2.13), colour).moved(-0.9, rng.uniform(1.3, 2.6)))
    elif kind == 1:
        bed = [(-3.4, 0.8), (1.5, 0.8), (1.5, 2.0), (-3.7, 1.9)]
        load = ellipsoid((2.2, 0.7, 0.85), (0.5, 0.38, 0.25), sides=48).bumpy(rng, 0.08, 0.5)
        load = mottled(rng, load, (0.35, 0.26, 0.18), 0.3).shiny(0).moved(-1, 1.85)
        tipper = [prism(bed, 2.1, second, shine=0.3), load]
        tipper += [
            box((0.12, 1.1, 2.2), second * 0.85).moved(x, 1.4) for x in (-3, -1.9, -0.8, 0.3, 1.2)
        ]
        tilt = float(rng.choice([0, 0, 22]))
        parts += [p.moved(3.2, -0.9).turned(-tilt, "z").moved(-3.2, 0.9) for p in tipper]
    else:
        tank = lathe([(0, -2.4), (0.8, -2.35), (1, -2.2), (1, 2.2), (0.8, 2.35), (0, 2.4)], second)
        tank = tank if rng.random() < 0.4 else tank.painted(STEEL)
        parts.append(tank.turned(-90, "z").shiny(0.8).moved(-0.9, 1.7))
        parts += [disc(1.02, 0.1, (0.35,) * 3).turned(90).moved(x, 1.7) for x in (-2.3, -0.9, 0.5)]
    return [*parts, *wheels([-2.6, -1.5, 2.5 + 0.8 * (nose > 0)], 0.85, 0.5, 0.35)]


def car(rng: Generator) -> list[Part]:
    kind, colour = int(rng.integers(3)), paint(rng)
    back = (-1.75, -2.15, -1.85)[kind]
    top = (-0.95, -1.85, -1.45)[kind]
    cabin = np.array([(back, 0.88), (1.1, 0.88), (0.25, 1.45), (top, 1.45)])
    low = [(-2.2, 0.3), (-2.25, 0.6), (-2.15, 0.88), (-1.8, 0.93), (1.0, 0.93), (1.9, 0.8)]
    body = prism([*low, (2.15, 0.65), (2.2, 0.3)], 1.75, colour, shine=0.6)
    middle = cabin.mean(0)
    side = middle + (cabin - middle) * (0.88, 0.76) + (0, 0.02)
    pillar = [(-0.35, 0.88), (-0.25, 0.88), (-0.25, 1.44), (-0.35, 1.44)]
    uppers = [prism(cabin, 1.66, colour, shine=0.6), prism(side, 1.69, GLASS, shine=0.9)]
    uppers.append(prism(pillar, 1.71, colour, shine=0.6))
    screen = middle + (cabin - middle) * (1.03, 0.9)
    uppers.append(prism(screen, 1.36, GLASS, shine=0.9))
    parts = [body]
    for part in uppers:
        narrow = 1 - 0.24 * (part.points[:, 1] - 0.88) / 0.57
        points = part.points * np.stack([0 * narrow + 1, 0 * narrow + 1, narrow], 1)
        parts.append(Part(points, part.faces, part.colours, part.shine))
    for z in (-0.65, 0.65):
        parts.append(ellipsoid((0.1, 0.1, 0.17), (1, 0.98, 0.88)).shiny(0.8).moved(2.13, 0.64, z))
        parts.append(
            ellipsoid((0.08, 0.1, 0.17), (0.7, 0.05, 0.05)).shiny(0.6).moved(-2.19, 0.68, z)
        )
        parts.append(box((0.15, 0.12, 0.2), colour).moved(0.75, 1.0, 1.45 * z))
    parts += [
        box((0.08, 0.14, 0.8), BLACK).moved(2.17, 0.5),
        box((4.5, 0.1, 1.78), BLACK).moved(0, 0.3),
    ]
    parts += [box((0.02, 0.12, 0.5), WHITE).moved(x, 0.45) for x in (-2.24, 2.22)]
    parts += [box((0.015, 0.5, 1.76), colour * 0.5).moved(x, 0.63) for x in (-0.95, -0.3, 0.75)]
    parts += [disc(0.41, 1.76, BLACK).moved(x, 0.34) for x in (-1.35, 1.35)]
    parts += wheels([-1.35, 1.35], 0.78, 0.34, 0.22)
    shrink = rng.uniform(0.74, 0.85) if kind == 2 else rng.uniform(0.95, 1.05)
    return [part.scaled(shrink, 1.0 if kind < 2 else rng.uniform(1, 1.02), 1) for part in parts]


ROAD_VEHICLES = {
    "bus": bus,
    "truck": truck,
    "car": car,
}
