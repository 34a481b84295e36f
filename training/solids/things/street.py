"""Street: houses and signs, each time of other proportions and colours."""

from itertools import pairwise

import numpy as np
from numpy.random import Generator

from training.solids.meshes import Part, arc, box, ellipsoid, mottled, prism, surface, tube, vary
from training.solids.things.outdoor_colours import BLACK, GLASS, STEEL, WHITE, WOOD, bright

LETTERS = {
    "S": [
        (1, 0.85),
        (0.8, 1),
        (0.2, 1),
        (0, 0.8),
        (0.2, 0.55),
        (0.8, 0.45),
        (1, 0.2),
        (0.8, 0),
        (0.2, 0),
        (0, 0.15),
    ],
    "T": [(0, 1), (1, 1), (0.5, 1), (0.5, 0)],
    "O": [(0.2, 0), (0.8, 0), (1, 0.2), (1, 0.8), (0.8, 1), (0.2, 1), (0, 0.8), (0, 0.2), (0.2, 0)],
    "P": [(0, 0), (0, 1), (0.75, 1), (1, 0.85), (1, 0.6), (0.75, 0.45), (0, 0.45)],
}


def windows(half: float, deep: float, floors: int) -> list[Part]:
    """In all four walls of a house."""
    parts = []
    frame, pane = box((0.62, 0.72, 0.08), WHITE), box((0.22, 0.58, 0.12), GLASS, shine=0.8)
    window = [frame, pane.moved(-0.13), pane.moved(0.13)]
    for floor in range(floors):
        level = 0.85 + 1.5 * floor
        for x in (-0.6 * half, 0, 0.6 * half)[:: 1 if floor else 2]:
            parts += [p.moved(x, level, s * deep / 2) for p in window for s in (-1, 1)]
        for z in (-0.25 * deep, 0.25 * deep):
            turned = [p.turned(90) for p in window]
            parts += [p.moved(s * half, level, z) for p in turned for s in (-1, 1)]
    return parts


def house(rng: Generator) -> list[Part]:
    walls = [
        (0.92, 0.88, 0.8),
        (0.62, 0.3, 0.22),
        (0.93, 0.8, 0.5),
        (0.7, 0.8, 0.85),
        (0.5, 0.36, 0.22),
    ]
    roofs = [(0.6, 0.25, 0.17), (0.3, 0.3, 0.33), (0.4, 0.27, 0.2)]
    wall, roof = vary(rng, walls[int(rng.integers(5))]), vary(rng, roofs[int(rng.integers(3))])
    floors = int(rng.integers(1, 3))
    half, deep, high = rng.uniform(1.6, 2.6), rng.uniform(2.6, 3.6), 1.5 * floors + 0.2
    peak = high + half * rng.uniform(0.6, 1.1)
    gable = [(-half, 0), (half, 0), (half, high), (0, peak), (-half, high)]
    parts = [mottled(rng, prism(gable, deep, wall, shine=0.02), wall * 0.93, 1)]
    for side in (-1, 1):
        over = side * half * 1.15
        low = high - 0.15 * (peak - high)
        slope = [(0, peak), (over, low), (over, low + 0.14), (0, peak + 0.16)]
        parts.append(prism(slope, deep + 0.5, roof, shine=0.05))
        for share in np.linspace(0.1, 0.95, 9):
            row = box((0.05, 0.05, deep + 0.52), roof * 0.75)
            parts.append(row.moved(share * over, peak + 0.14 + share * (low - peak)))
    door = bright(rng) * 0.6 if rng.random() < 0.5 else vary(rng, WOOD)
    parts.append(box((0.66, 1.12, 0.1), WHITE).moved(0, 0.56, deep / 2))
    parts += [box((0.55, 1.05, 0.14), door).moved(0, 0.53, deep / 2)]
    parts += windows(half, deep, floors)
    if rng.random() < 0.75:
        stack = box((0.4, 1.2, 0.4), vary(rng, (0.55, 0.28, 0.2)))
        parts.append(stack.moved(0.4 * half, peak - 0.1, -0.2 * deep))
    return parts


def traffic_light(rng: Generator) -> list[Part]:
    cases = [(0.1, 0.1, 0.1), (0.15, 0.2, 0.16), (0.85, 0.65, 0.1)]
    case = vary(rng, cases[int(rng.choice(3, p=(0.5, 0.25, 0.25)))])
    parts = [box((1.0, 2.8, 0.6), case, shine=0.3)]
    if rng.random() < 0.25:
        parts.append(box((1.5, 3.2, 0.06), BLACK).moved(0, 0, -0.1))
    lit, flat = int(rng.integers(3)), rng.random() < 0.2
    for number, colour in enumerate([(0.95, 0.1, 0.08), (1.0, 0.75, 0.05), (0.1, 0.85, 0.4)]):
        level = 0.88 * (1 - number)
        shade = np.array(colour) * (1.0 if number == lit else rng.uniform(0.4, 0.75))
        lens = ellipsoid((0.35, 0.35, 0.14), shade).moved(0, level, 0.3).shiny(0.6)
        if number == lit:
            glow = np.clip(1 - np.hypot(lens.points[:, 0], lens.points[:, 1] - level) / 0.3, 0, 1)
            lens = lens.painted((1, 1, 0.9), 0.7 * glow)
        rim = arc(0.4, -100, 100) if flat else arc(0.4, -10, 190)
        reach = 0.28 + (0.25 if flat else 0.45) * np.sin(np.linspace(0, np.pi, len(rim)))
        lines = [np.insert(rim, 2, 0.28, axis=1), np.column_stack([rim * 0.97, reach])]
        parts += [lens, surface(np.stack(lines), case * 0.8).moved(0, level)]
    if flat:
        return [p.turned(90, "z") for p in parts] + [
            tube([(-2, 0, -0.35), (2, 0, -0.35)], 0.1, STEEL)
        ]
    hold = rng.integers(3)
    if hold == 0:
        parts.append(tube([(0, -1.4, 0), (0, -5, 0)], 0.16, vary(rng, STEEL), shine=0.3))
    elif hold == 1:
        parts.append(tube([(0, 1.4, 0), (0, 2.4, 0)], 0.07, BLACK))
    return parts


def stop_sign(rng: Generator) -> list[Part]:
    octagon = arc(1.0, 22.5, 382.5, 9)[:-1]
    red = vary(rng, (0.75, 0.06, 0.09))
    parts = [prism(octagon * 1.06, 0.04, WHITE, shine=0.3).moved(0, 0, 0.02)]
    parts += [prism(octagon, 0.05, red, shine=0.3).moved(0, 0, 0.03)]
    parts.append(prism(octagon * 1.06, 0.03, (0.55,) * 3).moved(0, 0, -0.02))
    wide, high = 0.27, rng.uniform(0.55, 0.66)
    for number, letter in enumerate("STOP"):
        line = np.array(LETTERS[letter]) * (wide, high) + (
            0.41 * (number - 1.5) - wide / 2,
            -high / 2,
        )
        for start, end in pairwise(line):
            way = end - start
            long = float(np.hypot(*way))
            stroke = box((long + 0.07, 0.09, 0.03), WHITE)
            stroke = stroke.turned(float(np.degrees(np.arctan2(way[1], way[0]))), "z")
            x, y = (start + end) / 2
            parts.append(stroke.moved(x, y, 0.07))
    if rng.random() < 0.6:
        parts.append(tube([(0, 1, -0.1), (0, -rng.uniform(2, 4), -0.1)], 0.06, STEEL, shine=0.3))
    return parts


STREET = {
    "house": house,
    "traffic light": traffic_light,
    "stop sign": stop_sign,
}
