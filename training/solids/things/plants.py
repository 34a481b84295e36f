"""Plants: trees, cacti and what grows in pots, each time of other leaves and colours."""

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from training.solids.meshes import (
    Part,
    arc,
    ellipsoid,
    joined,
    lathe,
    mottled,
    noise,
    surface,
    tube,
    vary,
)
from training.solids.things.outdoor_colours import CLAY, SOIL, WHITE, WOOD, bright

Tops = list[tuple[float, float, float]]  # where flowers may stand


def conifer(rng: Generator, bark: np.ndarray) -> list[Part]:
    green = vary(rng, (0.13, 0.32, 0.16), 0.15)
    parts = [lathe([(0.25, -1), (0.2, 1), (0, 1)], bark)]
    count, wide = int(rng.integers(5, 9)), rng.uniform(1.2, 1.8)
    for number in range(count):
        size = wide * (1 - 0.85 * number / count)
        steps = np.linspace(0, 1, 7)
        edge = np.stack([size * (1 - steps), steps * 1.3 - 0.25 * (1 - steps) ** 2], 1)
        cone = lathe([(0, 0), *edge], green, sides=64, shine=0.02)
        angle = np.arctan2(cone.points[:, 0], cone.points[:, 2])
        ragged = 1 + 0.12 * np.sin(17 * angle + number) + 0.1 * noise(rng, cone.points, 0.5)
        points = cone.points * np.stack([ragged, 0 * ragged + 1, ragged], 1)
        cone = Part(points, cone.faces, cone.colours, 0.02)
        parts.append(mottled(rng, cone, green * 1.4, 0.3, 0.3).moved(0, 0.55 * number))
    return parts


def broadleaf(rng: Generator, bark: np.ndarray) -> list[Part]:
    greens = [(0.22, 0.42, 0.13), (0.3, 0.48, 0.14), (0.16, 0.34, 0.14), (0.75, 0.42, 0.1)]
    green = vary(rng, greens[int(rng.choice(4, p=(0.35, 0.3, 0.25, 0.1)))], 0.15)
    tall, wide, up = rng.uniform(1.2, 2.2), rng.uniform(1.0, 1.6), rng.uniform(0.8, 1.4)
    parts = [lathe([(0.45, 0), (0.27, 0.3), (0.2, tall), (0.12, tall + 1)], bark)]
    parts[0] = mottled(rng, parts[0], bark * 0.6, 0.3).shiny(0.02)
    for _ in range(int(rng.integers(16, 28))):
        way = rng.normal(0, 1, 3)
        spot = way / np.linalg.norm(way) * (wide, up, wide) * rng.uniform(0.4, 1) ** 0.5
        size = rng.uniform(0.4, 0.7)
        tuft = ellipsoid((size, size * 0.85, size), vary(rng, green, 0.12), sides=36).shiny(0.02)
        tuft = mottled(
            rng,
            tuft.bumpy(rng, 0.13, 0.22).bumpy(rng, 0.07, 0.1),
            np.clip(green * 1.5, 0, 1),
            0.15,
            0.3,
        )
        x, y, z = spot
        parts.append(mottled(rng, tuft, green * 0.55, 0.2, 0.3).moved(x, tall + up * 0.9 + y, z))
        parts.append(
            tube([(0, tall - 0.2, 0), (x / 2, tall + 0.6 + y / 2, z / 2)], [0.1, 0.04], bark)
        )
    return parts


def tree(rng: Generator) -> list[Part]:
    kind = (broadleaf, conifer, palm)[int(rng.choice(3, p=(0.55, 0.27, 0.18)))]
    return kind(rng, vary(rng, WOOD, 0.15))


def leaf(size: tuple[float, float], start: float, bend: float, colour: ArrayLike) -> Part:
    """A pointed sheet from the origin along x, length and width; degrees it rises at first and
    bends down on its way."""
    t = np.linspace(0, 1, 24)
    angle = np.radians(start - bend * t)
    x, y = np.cumsum(np.cos(angle)) / 24 * size[0], np.cumsum(np.sin(angle)) / 24 * size[0]
    across = np.linspace(-1, 1, 9)
    z = np.outer(size[1] / 2 * np.sin(np.pi * t**0.8) ** 0.8, across)
    rise = 0.3 * np.abs(z)
    points = np.stack([x[:, None] - rise * np.sin(angle)[:, None], y[:, None] + rise, z], -1)
    sheet = surface(points, colour, 0.3)
    return sheet.painted(
        np.clip(np.multiply(colour, 1.4), 0, 1), np.tile(np.abs(across) < 0.1, 24) * 0.7
    )


def palm(rng: Generator, bark: np.ndarray) -> list[Part]:
    t = np.linspace(0, 1, 60)
    lean, tall = rng.uniform(-1, 1), rng.uniform(3.5, 5)
    path = np.column_stack([lean * t**2, tall * t, 0 * t])
    thick = 0.24 - 0.1 * t + 0.015 * np.sin(100 * t)
    trunk = tube(path, thick, vary(rng, (0.5, 0.4, 0.28))).shiny(0.02)
    parts = [trunk.painted(bark * 0.7, np.clip(np.sin(trunk.points[:, 1] * 18), 0, 0.5))]
    green = vary(rng, (0.25, 0.45, 0.15), 0.15)
    for angle in np.arange(0, 360, 26) + rng.uniform(-8, 8, 14):
        start, long = rng.uniform(10, 60), rng.uniform(1.6, 2.2)
        frond = leaf((long, 0.5), start, start + rng.uniform(40, 80), vary(rng, green, 0.15))
        comb = 0.55 + 0.45 * np.sin(np.arange(24) * 2.4)
        points = frond.points * np.stack([np.ones(216), np.ones(216), np.repeat(comb, 9)], 1)
        frond = Part(points, frond.faces, frond.colours, 0.2)
        parts.append(frond.turned(angle).moved(lean, tall))
    nuts = [ellipsoid((0.15, 0.17, 0.15), WOOD).moved(0.2).turned(a) for a in (20, 140, 260)]
    return [*parts, *(nut.moved(lean, tall - 0.15) for nut in nuts)]


def pot(rng: Generator, wide: float, high: float) -> list[Part]:
    """Its rim is at y = 0."""
    colours = [CLAY, WHITE, (0.3, 0.32, 0.35), (0.3, 0.5, 0.6), (0.8, 0.65, 0.3)]
    colour = vary(rng, colours[int(rng.choice(5, p=(0.45, 0.25, 0.1, 0.1, 0.1)))])
    low = wide * rng.uniform(0.6, 0.95)
    rim = 0.08 * wide * rng.integers(0, 2)
    profile = [(0, -high), (low, -high), (wide, -0.25 * high), (wide + rim, -0.25 * high)]
    profile += [(wide + 1.5 * rim, 0), (wide * 0.92, 0), (wide * 0.9, -0.12 * high)]
    soil = lathe([(wide * 0.92, -0.1 * high), (0, -0.06 * high)], SOIL, shine=0)
    return [lathe(profile, colour, shine=rng.uniform(0.05, 0.5)), soil.bumpy(rng, 0.03, 0.2)]


def ribbed(rng: Generator, body: Part, ribs: int, green: np.ndarray) -> Part:
    """Ribs along an upright body of revolution, lighter at their edges."""
    angle = np.arctan2(body.points[:, 0], body.points[:, 2])
    wave = np.abs(np.cos(ribs / 2 * angle))
    push = 0.86 + 0.16 * wave
    points = body.points * np.stack([push, 0 * push + 1, push], 1)
    light = np.clip(wave - 0.8, 0, 1) * 3
    return Part(points, body.faces, body.colours, 0.1).painted(green * 1.5, light)


def round_cactus(rng: Generator, green: np.ndarray) -> tuple[list[Part], Tops]:
    parts, spines = [], []
    size = rng.uniform(0.7, 1.0)
    ribs = int(rng.integers(10, 17))
    ball = ellipsoid((size, size * rng.uniform(0.85, 1.3), size), green, sides=160)
    high = float(ball.points[:, 1].max())
    parts.append(ribbed(rng, ball, ribs, green).moved(0, high * 0.85))
    for a in np.arange(ribs) * 2 * np.pi / ribs:
        for b in np.radians(np.arange(-30, 90, 17)):
            spot = np.array(
                [np.cos(b) * np.sin(a) * size, np.sin(b) * high, np.cos(b) * np.cos(a) * size]
            )
            for _ in range(2):
                tip = spot * 1.14 + rng.normal(0, 0.07, 3)
                spines.append(tube([spot * 0.98, tip], [0.014, 0.006], (0.92, 0.88, 0.7), sides=4))
    parts.append(joined(spines).moved(0, high * 0.85))
    return parts, [(0, 1.85 * high, 0)]


def tall_cactus(rng: Generator, green: np.ndarray) -> tuple[list[Part], Tops]:
    parts = []
    tall, thick = rng.uniform(2.4, 3.6), rng.uniform(0.36, 0.5)
    t = np.linspace(0, np.pi / 2, 12)
    profile = np.concatenate(
        [[(thick, 0)], np.stack([thick * np.cos(t), tall + thick * np.sin(t)], 1)]
    )
    parts.append(ribbed(rng, lathe(profile, green, sides=160), 12, green))
    tops: Tops = [(0.0, tall + thick, 0.0)]
    for side in (-1, 1)[: int(rng.choice([1, 2, 2]))]:
        level, out, up = (
            tall * rng.uniform(0.3, 0.55),
            rng.uniform(0.85, 1.1),
            rng.uniform(0.7, 1.5),
        )
        bend = np.column_stack([arc(0.4, -90, 0, 10), np.zeros(10)]) + np.array([out - 0.4, 0.4, 0])
        path = np.concatenate([[(0, 0, 0)], bend, [(out, 0.4 + up, 0)]]) * (side, 1, 1)
        arm = tube(path, 0.62 * thick, green, sides=80)
        ring = np.arange(len(arm.points)) % 81
        arm = arm.painted(green * 1.5, np.clip(np.cos(ring / 80 * 2 * np.pi * 9) - 0.5, 0, 1))
        knob = ellipsoid((0.62 * thick,) * 3, green * 1.1)
        parts += [arm.moved(0, level), knob.moved(side * out, level + 0.4 + up)]
        tops.append((side * out, level + 0.4 + up + 0.6 * thick, 0))
    return parts, tops


def cactus(rng: Generator) -> list[Part]:
    kind = round_cactus if rng.random() < 0.4 else tall_cactus
    parts, tops = kind(rng, vary(rng, (0.22, 0.42, 0.2), 0.15))
    if rng.random() < 0.6:
        parts += pot(rng, 0.8, 1.1)
    flower = bright(rng)
    petal = ellipsoid((0.2, 0.04, 0.08), flower).moved(0.16).turned(35, "z")
    bloom = joined([petal.turned(a) for a in np.arange(0.0, 360, 45)])
    return [*parts, *(bloom.moved(*top) for top in tops if rng.random() < 0.4)]


def grassy(rng: Generator, green: np.ndarray) -> list[Part]:
    start, bend = rng.uniform(50, 88), rng.uniform(60, 150)
    return [leaf((rng.uniform(1.8, 3), 0.2), start, bend, green).moved(0.1)]


def sword(rng: Generator, green: np.ndarray) -> list[Part]:
    """Upright, with a pale rim."""
    size = (rng.uniform(1.6, 3), 0.45)
    blade = leaf(size, rng.uniform(78, 90), rng.uniform(-4, 10), green)
    blade = mottled(rng, blade, green * 0.6, 0.25, 0.4)
    rim = np.tile(np.abs(np.linspace(-1, 1, 9)) > 0.9, 24)
    blade = blade.painted((0.8, 0.8, 0.4), rim).turned(rng.uniform(0, 360))
    return [blade.moved(rng.uniform(0, 0.35))]


def stalked(rng: Generator, green: np.ndarray) -> list[Part]:
    """A broad leaf on a stalk."""
    far, high = rng.uniform(0.2, 1.1), rng.uniform(0.8, 2.2)
    path = [(0, 0, 0), (far * 0.4, high * 0.7, 0), (far, high, 0)]
    blade = leaf((1.0, rng.uniform(0.6, 0.85)), rng.uniform(0, 30), 70, green)
    return [tube(path, 0.035, green, sides=8), blade.moved(far, high)]


def bushy(rng: Generator, green: np.ndarray) -> list[Part]:
    high = rng.uniform(0.2, 1.4)
    blade = leaf((rng.uniform(0.7, 1.1), 0.45), rng.uniform(-10, 70), 60, green)
    return [blade.moved(0, high), tube([(0, -0.1, 0), (0, high, 0)], 0.05, WOOD, sides=8)]


def potted_plant(rng: Generator) -> list[Part]:
    parts = pot(rng, rng.uniform(0.7, 0.95), rng.uniform(0.9, 1.4))
    green, flower = vary(rng, (0.2, 0.45, 0.15), 0.2), bright(rng)
    kinds = ((grassy, 26), (sword, 12), (stalked, 16), (bushy, 34))
    kind, count = kinds[int(rng.integers(4))]
    for number in range(count):
        around = number * 137.5 + rng.uniform(-20, 20)
        parts += [part.turned(around) for part in kind(rng, vary(rng, green, 0.15))]
    if kind is bushy and rng.random() < 0.6:
        for number in range(int(rng.integers(6, 14))):
            bloom = ellipsoid((0.17, 0.13, 0.17), vary(rng, flower)).bumpy(rng, 0.2, 0.15)
            high = rng.uniform(0.9, 2)
            parts.append(bloom.moved(1.25 - 0.5 * high, high).turned(137.5 * number))
    return parts


PLANTS = {
    "tree": tree,
    "cactus": cactus,
    "potted plant": potted_plant,
}
