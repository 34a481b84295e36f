"""Gear: scissors, bags and toys, each time of other proportions and colours."""

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from training.solids.meshes import (
    Part,
    arc,
    box,
    ellipsoid,
    lathe,
    mottled,
    noise,
    prism,
    surface,
    tube,
    vary,
)
from training.solids.things.household_parts import (
    BLACK,
    CLOTHS,
    LEATHERS,
    PAINTS,
    STEEL,
    WHITE,
    WOODS,
    between,
    dense,
    lying,
    one_of,
    rounded,
    smooth,
)


def scissors(rng: Generator) -> list[Part]:
    grip, spread = one_of(rng, [*PAINTS, BLACK, (0.9, 0.4, 0.1), STEEL]), rng.uniform(4, 34)
    long, wide, tall = rng.uniform(3, 4.5), rng.uniform(0.5, 0.65), rng.uniform(0.75, 1.0)
    parts = []
    for side in (-1, 1):
        outline = [(-0.3, -0.9), (0.3, -0.9), (0.3, 0.3), (0.05, long), (-0.05, long), (-0.3, 0.3)]
        blade = prism(outline, 0.09, vary(rng, STEEL), shine=0.9)
        hoop = np.column_stack([arc(1, 0, 360, 40), np.zeros(40)]) * (wide, tall, 1)
        ring = tube(hoop, 0.17, grip, shine=0.4).moved(side * 0.5, -2.1 - tall * 0.4)
        arm = tube([(0, -0.5, 0), (side * 0.3, -1.7, 0)], [0.3, 0.2], grip, shine=0.4)
        one = [blade.moved(0, 0, side * 0.05), ring, arm.scaled(1, 1, 0.6)]
        parts += [part.turned(side * spread / 2, "z") for part in one]
    parts.append(ellipsoid((0.16, 0.16, 0.14), STEEL, sides=16).shiny(0.9))
    return lying(parts)


def suitcase(rng: Generator) -> list[Part]:
    """A hard one on wheels, or an old one of leather with straps."""
    if rng.random() < 0.4:
        colour = one_of(rng, LEATHERS + WOODS)
        body = prism(rounded(5, 3.4, 0.35), 1.4, colour, shine=0.3)
        parts = [body, prism(rounded(5.05, 3.45, 0.36), 0.08, colour * 0.5)]
        for x in (-1.4, 1.4):
            parts.append(box((0.35, 3.5, 1.5), colour * 0.55).moved(x))
            parts.append(box((0.5, 0.4, 0.08), (0.8, 0.65, 0.3), shine=0.9).moved(x, 0.9, 0.77))
        path = smooth([(-0.7, 1.7, 0), (-0.6, 2.2, 0), (0.6, 2.2, 0), (0.7, 1.7, 0)], 20)
        return [*parts, tube(path, 0.12, colour * 0.55)]
    wide, tall, colour = (
        rng.uniform(3, 3.8),
        rng.uniform(4.4, 5.4),
        one_of(rng, [*PAINTS, *CLOTHS, STEEL]),
    )
    parts = [prism(rounded(wide, tall, 0.5), 1.9, colour, shine=0.4)]
    for x in np.linspace(-wide * 0.36, wide * 0.36, int(rng.integers(2, 8))):
        parts.append(box((0.16, tall * 0.86, 2.05), colour * 0.85, shine=0.4).moved(x))
    high = tall / 2 + rng.choice((0.3, 1.8))
    pole = [(-0.7, 0, -0.7), (-0.7, high, -0.7), (0.7, high, -0.7), (0.7, 0, -0.7)]
    parts.append(tube(dense(pole, 40), 0.09, STEEL if high > 4 else BLACK, shine=0.7))
    for x in (-0.38 * wide, 0.38 * wide):
        for z in (-0.6, 0.6):
            wheel = lathe([(0, -0.12), (0.26, -0.12), (0.26, 0.12), (0, 0.12)], BLACK)
            parts.append(wheel.turned(90, "z").moved(x, -tall / 2 - 0.2, z))
    return parts


def handbag(rng: Generator) -> list[Part]:
    colour, low, high = (
        one_of(rng, [*LEATHERS, *PAINTS]),
        rng.uniform(1.9, 2.3),
        rng.uniform(1.3, 1.9),
    )
    tall, brass = rng.uniform(2.2, 3), (0.85, 0.7, 0.35)
    down = np.linspace(0, 1, 30)[:, None]
    outline = rounded(2, 1, 0.3)[None]
    wide, deep = high + (low - high) * down, 0.5 + 0.8 * down
    wide, deep = np.concatenate([wide[:1] * 0, wide, wide[-1:] * 0]), np.vstack([[0], deep, [0]])
    y = tall * (1 - np.concatenate([down[:1], down, down[-1:]])) * np.ones((1, outline.shape[1]))
    loop = np.concatenate([outline, outline[:, :1]], 1)
    y = np.concatenate([y, y[:, :1]], 1)
    body = surface(np.stack([loop[..., 0] * wide, y, loop[..., 1] * deep], -1), colour, 0.35)
    parts = [mottled(rng, body, colour * 0.85, 0.6, 0.4)]
    reach = tall + rng.uniform(0.9, 2)
    for z in (-0.3, 0.3):
        path = [
            (-0.9, tall - 0.5, z),
            (-0.8, reach, z / 2),
            (0.8, reach, z / 2),
            (0.9, tall - 0.5, z),
        ]
        parts.append(tube(smooth(path, 40), 0.09, colour * rng.uniform(0.5, 0.9), shine=0.3))
    if rng.random() < 0.5:
        flap = prism(rounded(2 * high, tall * 0.55, 0.3), 0.07, colour * 0.85, shine=0.35)
        parts.append(flap.moved(0, -tall * 0.27).turned(-11, "x").moved(0, tall, 0.3))
    clasp = ellipsoid((0.2, 0.16, 0.12), brass, sides=20).shiny(0.9)
    return [*parts, clasp.moved(0, tall * 0.5, 0.58)]


def puffed(size: tuple[float, float, float], colour: ArrayLike) -> Part:
    """A cushion of a box: an ellipsoid with corners."""
    ball = ellipsoid((1, 1, 1), colour, sides=60)
    share = (np.abs(ball.points) ** 4).sum(1, keepdims=True) ** 0.25
    return Part(ball.points / share, ball.faces, ball.colours, 0.1).scaled(*size)


def backpack(rng: Generator) -> list[Part]:
    colour, tall = one_of(rng, [*CLOTHS, *PAINTS]), rng.uniform(1.9, 2.4)
    other = (
        colour * rng.uniform(0.5, 0.9) if rng.random() < 0.6 else one_of(rng, [*PAINTS, *LEATHERS])
    )
    body = puffed((1.45, tall, 0.8), colour).bumpy(rng, 0.03, 1.5)
    seam = abs(body.points[:, 2] - 0.2) < 0.06
    parts = [mottled(rng, body, colour * 0.85, 0.8, 0.3).painted(BLACK, seam)]
    pocket = puffed((1.05, tall * 0.42, 0.4), other).bumpy(rng, 0.03, 1.5)
    pocket = pocket.painted(np.multiply(other, 0.4), between(pocket, tall * 0.22, tall * 0.27))
    parts.append(pocket.moved(0, -tall * 0.4, 0.75))
    loop = [(-0.35, tall - 0.1, -0.4), (-0.3, tall + 0.5, -0.4), (0.3, tall + 0.5, -0.4)]
    parts.append(tube(smooth([*loop, (0.35, tall - 0.1, -0.4)], 24), 0.08, other))
    for side in (-1, 1):
        path = [(side * 0.5, tall * 0.9, -0.7), (side * 0.8, tall * 0.7, -1.6)]
        path += [(side * 0.95, -tall * 0.3, -1.6), (side * 1.1, -tall * 0.9, -0.7)]
        parts.append(tube(smooth(path, 40), 0.17, np.multiply(other, 0.8)))
        if rng.random() < 0.4:
            parts.append(puffed((0.25, 0.7, 0.45), other).moved(side * 1.5, -tall * 0.5))
    return parts


def teddy_bear(rng: Generator) -> list[Part]:
    browns = [(0.6, 0.4, 0.2), (0.4, 0.24, 0.12), (0.8, 0.65, 0.45), (0.9, 0.87, 0.82)]
    fur, pale = one_of(rng, browns), one_of(rng, [(0.85, 0.72, 0.52), (0.93, 0.88, 0.78)])
    spread = rng.uniform(0.9, 1.15)
    plan = [((1.15, 1.35, 1.0), (0.0, 0.0, 0.0), fur), ((1.0, 0.92, 0.9), (0.0, 1.95, 0.1), fur)]
    plan += [((0.72, 0.85, 0.3), (0, -0.05, 0.78), pale), ((0.45, 0.36, 0.4), (0, 1.7, 0.85), pale)]
    for side in (-1, 1):
        plan.append(((0.38, 0.38, 0.2), (side * 0.8, 2.7, 0), fur))
        plan.append(((0.24, 0.24, 0.1), (side * 0.8, 2.7, 0.17), pale))
        plan.append(((0.4, 0.85, 0.42), (side * 1.25 * spread, 0.35, 0.35), fur))
        plan.append(((0.5, 0.5, 1.0), (side * 0.8 * spread, -1.1, 0.9), fur))
        plan.append(((0.42, 0.45, 0.15), (side * 0.8 * spread, -1.1, 1.82), pale))
    parts = []
    for radii, place, colour in plan:
        lump = ellipsoid(radii, colour, sides=70).bumpy(rng, 0.025, 0.12).shiny(0)
        parts.append(mottled(rng, lump, colour * 0.78, 0.15, 0.4).moved(*place))
    dark = [((0.11, 0.11, 0.08), (side * 0.36, 2.1, 0.93)) for side in (-1, 1)]
    for radii, place in [*dark, ((0.17, 0.12, 0.1), (0, 1.83, 1.22))]:
        parts.append(ellipsoid(radii, BLACK, sides=20).shiny(0.9).moved(*place))
    if rng.random() < 0.4:
        ribbon = rng.uniform(0, 1, 3)
        bows = [
            ellipsoid((0.35, 0.22, 0.12), ribbon).moved(side * 0.33, 1.15, 1) for side in (-1, 1)
        ]
        parts += [bow.shiny(0.4) for bow in bows]
    return parts


def stroke(away: np.ndarray, width: float) -> np.ndarray:
    """How much of a line there is so far away from its middle, 0..1."""
    return np.clip(2 - 1.4 * away / width, 0, 1)


def football(rng: Generator, ball: Part) -> Part:
    """Twelve dark fields of five corners, and seams between them and twenty others."""
    gold = (1 + 5**0.5) / 2
    signs = [(a, b) for a in (-1, 1) for b in (-1, 1)]
    five = [np.roll((0, a, b * gold), n) for a, b in signs for n in range(3)]
    six = [np.roll((0, a * gold, b / gold), n) for a, b in signs for n in range(3)]
    six += [np.array((a, b, c)) for a, b in signs for c in (-1, 1)]
    ways = np.array(five + six) / np.linalg.norm(five + six, axis=1, keepdims=True)
    near = ball.points @ ways.T / np.repeat((2.327, 2.267), (12, 20))
    best = np.sort(near, axis=1)
    white, dark = vary(rng, WHITE, 0.04), one_of(rng, [BLACK, BLACK, BLACK, *PAINTS])
    ball = ball.painted(white).painted(dark, near.argmax(1) < 12)
    return ball.painted((0.35, 0.35, 0.35), stroke(best[:, -1] - best[:, -2], 0.006))


def volleyball(rng: Generator, ball: Part) -> Part:
    """Six sides of three stripes each."""
    points, side = ball.points, np.abs(ball.points).argmax(1)
    rows = np.arange(len(points))
    across = points[rows, (side + 1) % 3] / np.abs(points[rows, side])
    other = points[rows, (side + 2) % 3] / np.abs(points[rows, side])
    one, two = [((0.95, 0.8, 0.15), (0.1, 0.2, 0.5)), (WHITE, WHITE)][int(rng.integers(2))]
    ball = ball.painted(one).painted(two, np.clip((0.36 - np.abs(across)) * 40, 0, 1))
    edge = np.minimum(abs(abs(across) - 0.36), 1.02 - np.maximum(abs(across), abs(other)))
    return ball.painted((0.4, 0.4, 0.42), stroke(edge, 0.03))


def ball(rng: Generator) -> list[Part]:
    """For tennis, basketball, football, volleyball or the beach."""
    kind = int(rng.integers(5))
    made = ellipsoid((1, 1, 1), WHITE, sides=220).shiny(0.3)
    x, y, z = made.points.T
    if kind == 0:
        made = made.painted(vary(rng, (0.78, 0.88, 0.2))).shiny(0)
        made = mottled(rng, made, (0.68, 0.78, 0.18), 0.08, 0.4)
        made = made.painted(WHITE, stroke(abs(z - 1.6 * (x * x - y * y)), 0.1))
    elif kind == 1:
        skin = vary(rng, (0.78, 0.38, 0.14), 0.12)
        made = mottled(rng, made.painted(skin), skin * 0.88, 0.07, 0.4)
        arch = abs(abs(x) - 0.55 - 0.3 * z * z)
        made = made.painted(BLACK, stroke(np.minimum(np.minimum(abs(x), abs(y)), arch), 0.026))
    elif kind == 2:
        made = football(rng, made)
    elif kind == 3:
        made = volleyball(rng, made)
    else:
        field = ((np.arctan2(x, z) / np.pi + 1) * 3).astype(int) % 6
        for number in range(6):
            colour = WHITE if number % 2 else rng.uniform(0, 1, 3)
            made = made.painted(colour, field == number)
        made = made.painted(WHITE, abs(y) > 0.97).shiny(0.6)
    light = 1 + 0.03 * noise(rng, made.points, 1)
    made = Part(made.points, made.faces, np.clip(made.colours * light[:, None], 0, 1), made.shine)
    return [made.turned(rng.uniform(0, 360), "x").turned(rng.uniform(0, 360), "z")]


GEAR = {
    "scissors": scissors,
    "suitcase": suitcase,
    "handbag": handbag,
    "backpack": backpack,
    "teddy bear": teddy_bear,
    "ball": ball,
}
