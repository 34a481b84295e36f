"""Travel: what goes by air, on water and on rails; it drives along x."""

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from training.solids.meshes import Part, box, ellipsoid, joined, lathe, prism, surface, tube, vary
from training.solids.things.vehicle_parts import (
    BLACK,
    GLASS,
    PAINTS,
    STEEL,
    WHITE,
    disc,
    paint,
    panes,
    wheels,
)


def airplane(rng: Generator) -> list[Part]:
    if rng.random() < 0.25:
        return propeller_plane(rng)
    colour, base = paint(rng), vary(rng, (0.93, 0.94, 0.95), 0.04)
    x = np.linspace(-5, 5, 60)
    radius = 0.55 * np.clip((5.02 - x) / 1.3, 0, 1) ** 0.5 * np.clip((x + 5.1) / 3, 0, 1) ** 0.7
    lift = 0.3 * np.clip((-x - 2) / 3, 0, 1)
    body = tube(np.column_stack([x, lift, 0 * x]), radius, base, sides=40, shine=0.5)
    if rng.random() < 0.6:
        low, high = ((-0.14, -0.03), (-1, -0.15))[int(rng.integers(2))]
        level = body.points[:, 1]
        body = body.painted(colour, (level > low) & (level < high))
    dots = box((0.09, 0.11, 1.12), GLASS)
    rows = [dots.moved(spot, 0.12) for spot in np.arange(-2.3, 3.6, 0.22)]
    nose = box((0.3, 0.14, 0.72), GLASS).turned(-28, "z").moved(4.42, 0.26)
    parts = [body, joined(rows), nose.shiny(0.8)]
    wing = prism([(1.3, 0), (-0.7, 0), (-2.2, 4.6), (-1.6, 4.7)], 0.1, vary(rng, (0.75,) * 3))
    tail = prism([(-3.6, 0), (-4.6, 0), (-5.2, 1.7), (-4.7, 1.7)], 0.08, base)
    engine = lathe(
        [(0.2, -0.7), (0.3, -0.4), (0.34, 0.3), (0.3, 0.5), (0.27, 0.45), (0, 0.3)], base
    )
    engine = engine.painted(BLACK, np.hypot(*engine.points[:, ::2].T) < 0.1).turned(-90, "z")
    for side in (-1, 1):
        parts.append(wing.turned(84, "x").moved(0, -0.3).scaled(1, 1, side).shiny(0.4))
        parts.append(tail.turned(84, "x").moved(0, 0.3).scaled(1, 1, side))
        for reach in (1.6, 2.9)[: 1 + int(rng.integers(2))]:
            parts.append(engine.moved(0.9 - 0.45 * reach, -0.55, side * reach).shiny(0.5))
    fin = prism([(-3.3, 0.5), (-4.8, 0.5), (-5.4, 2.3), (-4.7, 2.3)], 0.1, colour, shine=0.4)
    return [*parts, fin]


def propeller_plane(rng: Generator) -> list[Part]:
    colour, second = paint(rng), vary(rng, WHITE)
    x = np.linspace(-3, 1.8, 40)
    radius = np.interp(x, [-3, -0.5, 0.5, 1.5, 1.8], [0.1, 0.5, 0.55, 0.42, 0.25])
    body = tube(np.column_stack([x, 0 * x, 0 * x]), radius, second, sides=32, shine=0.5)
    body = body.painted(colour, body.points[:, 1] < 0.05)
    cabin = ellipsoid((0.9, 0.42, 0.42), GLASS).moved(0, 0.45).shiny(0.8)
    wing = box((1.0, 0.1, 7.5), colour, shine=0.4).moved(0.2, rng.choice([-0.3, 0.85]))
    tail = box((0.6, 0.07, 2.4), colour, shine=0.4).moved(-2.7, 0.1)
    fin = prism([(-2.2, 0.1), (-3.0, 0.1), (-3.1, 1.1), (-2.7, 1.1)], 0.08, colour, shine=0.4)
    blade = box((0.06, 2.1, 0.16), BLACK).turned(rng.uniform(0, 180), "x").moved(1.95)
    cone = ellipsoid((0.35, 0.2, 0.2), STEEL).moved(1.8).shiny(0.5)
    feet = wheels([0.7], 0.6, 0.24, 0.15)
    struts = [tube([(0.5, -0.2, 0), (0.7, -0.85, z)], 0.05, STEEL) for z in (-0.6, 0.6)]
    parts = [body, cabin, wing, tail, fin, blade, cone, *struts]
    return [*parts, *(part.moved(0, -1.1) for part in feet)]


def hull(size: tuple[float, float, float], colour: ArrayLike, deck: ArrayLike) -> list[Part]:
    """A boat's body with its deck at y = 0 and its bow at +x."""
    t = np.linspace(-1, 1, 41)
    half = size[1] / 2 * np.where(t > -0.2, 1 - np.clip((t + 0.2) / 1.2, 0, 1) ** 2.4, 1)
    sheer = 0.12 * size[2] + 0.3 * size[2] * np.clip(t, 0, 1) ** 2
    angle = np.linspace(0, np.pi, 25)
    side = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** 0.6
    z = np.outer(half, side)
    y = sheer[:, None] - np.outer(sheer + size[2], np.sin(angle) ** 0.7)
    x = size[0] / 2 * t[:, None] * (0.86 + 0.14 * (y + size[2]) / (1.42 * size[2]))
    points = np.stack([x, y, z], -1)
    stern = np.broadcast_to(points[0].mean(0), points[:1].shape)
    body = surface(np.concatenate([stern, points]), colour, 0.4)
    top = np.stack([points[:, 0], points[:, -1]]) * (1, 0, 0.97)
    return [body, surface(top, deck)]


def sailing_boat(rng: Generator, colour: np.ndarray, wood: np.ndarray) -> list[Part]:
    parts = hull((4, 1.2, 0.6), colour, wood)
    tall = rng.uniform(3.8, 5)
    mast = tube([(0.3, -0.1, 0), (0.3, tall + 0.3, 0)], 0.05, STEEL)
    boom = tube([(0.3, 0.5, 0), (-1.8, 0.5, 0.1)], 0.04, STEEL)
    cloth = vary(rng, WHITE if rng.random() < 0.7 else colour, 0.05)
    parts += [mast, boom, box((0.9, 0.3, 0.6), WHITE).moved(0.6, 0.2)]
    for foot, tip, end in (((0.2, 0.6), tall, -1.75), ((0.45, 0.5), 0.85 * tall, 1.9)):
        share = np.linspace(0, 1, 12)[:, None]
        x = foot[0] + share * (end - foot[0]) * (1 - share.T)
        y = foot[1] + share.T * (tip - foot[1]) + 0 * share
        belly = 0.35 * np.sin(np.pi * share) * (1 - share.T)
        parts.append(surface(np.stack([x, y, belly], -1), cloth, 0.05))
    return parts


def motor_boat(rng: Generator, colour: np.ndarray, wood: np.ndarray) -> list[Part]:
    parts = hull((4.2, 1.4, 0.65), WHITE, np.clip(wood * 1.5, 0, 1))
    outline = [(-0.9, 0), (1.1, 0), (0.4, 0.65), (-0.8, 0.65)]
    parts.append(prism(outline, 1.0, WHITE, shine=0.4).moved(0, 0.05))
    parts.append(panes((-0.7, 0.55), (0.3, 0.58), 1.03, 2))
    glass = prism([(0.4, 0.2), (1.0, 0.2), (0.5, 0.62), (0.3, 0.62)], 0.9, GLASS, shine=0.8)
    stripe = parts[0].points[:, 1]
    parts[0] = parts[0].painted(colour, stripe < rng.uniform(-0.3, -0.1))
    motor = [box((0.3, 0.5, 0.35), BLACK).moved(-2.2, 0.2)]
    return [*parts, glass.moved(0.04, 0.08), *motor]


def ship(rng: Generator, colour: np.ndarray, wood: np.ndarray) -> list[Part]:
    parts = hull((7, 1.4, 0.8), colour, wood)
    parts[0] = parts[0].painted((0.5, 0.1, 0.08), parts[0].points[:, 1] < -0.5)
    for level in range(int(rng.integers(2, 4))):
        long = 4.2 - 0.9 * level
        parts.append(box((long, 0.42, 1.0), WHITE).moved(-0.4, 0.25 + 0.42 * level))
        high = 0.42 * level
        row = panes((-0.4 - long / 2.2, -0.4 + long / 2.2), (high + 0.2, high + 0.36), 1.03, 9)
        parts.append(row)
    for x in np.linspace(-1.2, 0.4, int(rng.integers(1, 4))):
        funnel = lathe([(0.22, 0), (0.2, 1.1), (0.21, 1.4), (0, 1.4)], vary(rng, PAINTS[0]))
        parts.append(funnel.painted(BLACK, funnel.points[:, 1] > 1.05).moved(x, 0.9))
    return [*parts, tube([(2.2, 0, 0), (2.2, 2, 0)], 0.04, STEEL)]


def rowing_boat(rng: Generator, colour: np.ndarray, wood: np.ndarray) -> list[Part]:
    parts = hull((3.6, 1.2, 0.5), wood if rng.random() < 0.6 else colour, wood * 0.6)
    parts += [box((0.3, 0.06, 1.05), wood * 1.2).moved(x, 0.06) for x in (-1.2, -0.2, 0.7)]
    for side in (-1, 1):
        oar = tube([(-0.2, 0.45, 0.2 * side), (0.2, -0.15, 1.9 * side)], 0.04, wood * 1.2)
        blade = ellipsoid((0.12, 0.03, 0.4), wood * 1.2).moved(0.2, -0.2, 1.9 * side)
        parts += [oar, blade]
    return parts


def boat(rng: Generator) -> list[Part]:
    kinds = (sailing_boat, motor_boat, ship, rowing_boat)
    kind = kinds[int(rng.choice(4, p=(0.4, 0.2, 0.2, 0.2)))]
    return kind(rng, paint(rng), vary(rng, (0.6, 0.4, 0.22)))


def train(rng: Generator) -> list[Part]:
    return steam_train(rng) if rng.random() < 0.5 else modern_train(rng)


def steam_train(rng: Generator) -> list[Part]:
    body = vary(
        rng, [BLACK, (0.1, 0.3, 0.17), (0.55, 0.08, 0.08), (0.1, 0.2, 0.45)][rng.integers(4)]
    )
    red, brass = vary(rng, (0.65, 0.1, 0.08)), (0.8, 0.62, 0.25)
    boiler = lathe([(0, -1.9), (0.72, -1.9), (0.72, 1.9), (0.6, 1.98), (0, 2)], body, shine=0.5)
    boiler = boiler.turned(-90, "z").moved(0.9, 1.6)
    bands = [disc(0.735, 0.06, brass).turned(90).moved(x, 1.6) for x in (-0.2, 0.8, 1.8)]
    chimney = [(0.22, 0), (0.2, 0.7), (rng.uniform(0.24, 0.42), 0.95), (0.2, 1.0), (0, 0.9)]
    parts = [boiler, *bands, lathe(chimney, BLACK).moved(2.3, 2.2)]
    parts += [ellipsoid((0.3, 0.4, 0.3), brass).shiny(0.6).moved(x, 2.3) for x in (0.3, 1.3)]
    parts += [
        box((1.3, 1.7, 1.7), body).moved(-1.5, 1.85),
        panes((-1.9, -1.1), (1.9, 2.4), 1.74, 1),
    ]
    parts += [
        box((1.6, 0.12, 1.9), BLACK).moved(-1.5, 2.75),
        box((5.2, 0.2, 1.5), red).moved(0.5, 0.85),
    ]
    parts.append(ellipsoid((0.1, 0.17, 0.17), (1, 0.95, 0.7)).shiny(0.6).moved(2.95, 2.2))
    parts.append(prism([(2.9, 0.85), (2.9, 0.15), (3.6, 0.15)], 1.4, red))
    parts.append(disc(0.5, 0.04, BLACK).turned(90).moved(2.91, 1.6))
    for x, radius in ((-1.3, 0.6), (0, 0.6), (1.3, 0.6), (2.4, 0.32)):
        for side in (-0.75, 0.75):
            rim = disc(radius, 0.16, STEEL).moved(x, radius, side)
            face = disc(0.84 * radius, 0.2, red).moved(x, radius, side)
            parts += [rim, face, disc(0.25 * radius, 0.26, BLACK).moved(x, radius, side)]
    parts += [box((2.9, 0.1, 0.06), STEEL).moved(0, 0.45, z).shiny(0.5) for z in (-0.88, 0.88)]
    if rng.random() < 0.6:
        parts += [box((2, 1.2, 1.5), body).moved(-3.4, 1.4), *wheels([-4, -2.9], 0.7, 0.35, 0.15)]
        coal = ellipsoid((0.9, 0.4, 0.7), BLACK).bumpy(rng, 0.1, 0.4).moved(-3.4, 2)
        parts.append(coal)
    return parts


def modern_train(rng: Generator) -> list[Part]:
    base, stripe = paint(rng), paint(rng)
    parts = []
    count = int(rng.integers(1, 4))
    for number in range(count):
        outline = np.array(
            [(-2.4, 0.3), (2.4, 0.3), (2.4, 1.9), (2.3, 2.05), (-2.3, 2.05), (-2.4, 1.9)]
        )
        nose = rng.uniform(0.3, 1.2) * (number == 0)
        outline[1:4, 0] += np.array([1, 0.2, 0]) * nose
        level = -4.95 * number
        things = [prism(outline, 1.5, base, shine=0.45), panes((-2.2, 2.1), (1.15, 1.7), 1.53, 6)]
        things.append(box((4.75, rng.uniform(0.1, 0.3), 1.52), stripe).moved(0, 0.75))
        things += [box((0.06, 1.35, 1.56), stripe * 0.6).moved(x, 1.05) for x in (-1.4, 1.4)]
        things += [box((4.5, 0.1, 1.1), (0.45,) * 3).moved(0, 2.07)]
        things += wheels([-1.9, -1.3, 1.3, 1.9], 0.6, 0.28, 0.14)
        if number == 0:
            edge = [(2.42 + 0.5 * nose, 1.1), (2.42 + 0.25 * nose, 1.8), (2.2, 1.8), (2.2, 1.1)]
            things.append(prism(edge, 1.25, GLASS, shine=0.8).moved(0.06))
            lamps = [ellipsoid((0.1, 0.1, 0.14), (1, 0.97, 0.8)) for _ in range(2)]
            spots = zip(lamps, (-0.5, 0.5), strict=True)
            things += [lamp.moved(2.38 + 0.85 * nose, 0.6, z) for lamp, z in spots]
        parts += [part.moved(level + 2.5 * (count - 1)) for part in things]
    return parts


TRAVEL = {
    "airplane": airplane,
    "boat": boat,
    "train": train,
}
