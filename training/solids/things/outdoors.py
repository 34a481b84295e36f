"""Outdoors: what is taken there for rain, wind and snow, each time of other colours."""

import numpy as np
from numpy.random import Generator

from training.solids.meshes import Part, arc, box, lathe, prism, surface, tube, vary
from training.solids.things.outdoor_colours import BLACK, STEEL, WHITE, WOOD, bright


def umbrella(rng: Generator) -> list[Part]:
    first, second = bright(rng), bright(rng) if rng.random() < 0.5 else vary(rng, WHITE)
    first = vary(rng, BLACK) if rng.random() < 0.2 else first
    second = first * 0.93 if rng.random() < 0.5 else second
    hook = np.column_stack([arc(0.25, 180, 360), np.zeros(24)]) + np.array([0.25, -2.2, 0])
    handle = tube(hook, 0.07, vary(rng, WOOD), shine=0.5)
    shaft = tube([(0, -2.2, 0), (0, 1.35, 0)], 0.035, STEEL, shine=0.6)
    if rng.random() < 0.2:
        profile = [(0.05, -1.3), (0.3, -1.2), (0.24, 0), (0.12, 1), (0.03, 1.2)]
        folded = lathe(profile, first, sides=65)
        angle = np.arctan2(folded.points[:, 0], folded.points[:, 2])
        push = 1 + 0.25 * np.sin(8 * angle + folded.points[:, 1])
        points = folded.points * np.stack([push, 0 * push + 1, push], 1)
        band = lathe([(0.3, -0.45), (0.3, -0.35)], first * 0.6)
        parts = [Part(points, folded.faces, folded.colours, 0.2), band, shaft, handle]
        tilt = rng.uniform(-40, 40)
        return [part.turned(tilt, "z") for part in parts]
    parts, flat = [shaft, handle], rng.uniform(0.85, 1.1)
    t = np.linspace(0, 1, 16)[:, None]
    for number in range(8):
        angle = np.linspace(0, 1, 13)[None, :]
        turn = np.pi / 4 * (number + angle)
        sag = np.sin(np.pi * angle) * t
        out = 1.9 * np.sin(t * 1.35) / np.sin(1.35) * (1 - 0.1 * sag)
        y = 1.25 * flat * (np.cos(t * 1.35) - 0.02) - 0.05 + 0.12 * sag * t**2
        sheet = np.stack([out * np.cos(turn), y, out * np.sin(turn)], -1)
        parts.append(surface(sheet, (first, second)[number % 2], 0.2))
        rib = np.array([(0, 0.35, 0), tuple(sheet[9, 0] * 0.98)])
        parts += [tube(sheet[:, 0] * 0.985, 0.02, STEEL, sides=6), tube(rib, 0.015, STEEL, sides=6)]
    tilt = rng.choice([0, rng.uniform(-50, 50)])
    return [part.turned(tilt, "z") for part in parts]


def kite(rng: Generator) -> list[Part]:
    colours = [bright(rng) for _ in range(4)]
    if rng.random() < 0.3:
        colours = [colours[0], colours[1], colours[0], colours[1]]
    top, wide, low = rng.uniform(0.9, 1.2), rng.uniform(0.9, 1.2), rng.uniform(1.7, 2.2)
    corners = np.array(
        [(0, top, 0), (wide, 0, -0.15), (0, -low, 0), (-wide, 0, -0.15), (0, top, 0)]
    )
    middle, share = np.array([0, 0, 0.1]), np.linspace(0, 1, 10)[:, None, None]
    parts = []
    for number, colour in enumerate(colours):
        along = np.linspace(0, 1, 10)[None, :, None]
        edge = corners[number] + along * (corners[number + 1] - corners[number])
        parts.append(surface(middle + share * (edge - middle), colour, 0.15))
    parts.append(tube([corners[0], middle, corners[2]], 0.03, WOOD, sides=8))
    parts.append(
        tube([corners[1], middle - np.array([0, 0, 0.04]), corners[3]], 0.03, WOOD, sides=8)
    )
    t = np.linspace(0, 1, 50)
    swing = rng.uniform(0.2, 0.5) * np.sin(t * rng.uniform(6, 10)) * np.clip(4 * t, 0, 1)
    tail = np.column_stack([swing, -low - rng.uniform(1.8, 2.8) * t, 0.3 * swing])
    parts.append(tube(tail, 0.025, WHITE, sides=6))
    for spot in range(9, 50, 9):
        bow = bright(rng)
        for side in (-1, 1):
            wing = prism([(0, 0), (0.3 * side, 0.16), (0.3 * side, -0.16)], 0.04, bow)
            parts.append(wing.turned(rng.uniform(-25, 25), "z").moved(*tail[spot]))
    tilt = rng.uniform(-35, 35)
    return [part.turned(tilt, "z") for part in parts]


def skis(rng: Generator) -> list[Part]:
    colour, second = bright(rng), bright(rng)
    x = np.concatenate([np.linspace(-3, 2.2, 40), np.linspace(2.25, 3, 20)])
    half = 0.2 + 0.05 * (x / 3) ** 2
    half *= np.clip((3.02 - x) / 0.5, 0, 1) ** 0.5 * np.clip((x + 3.05) / 0.15, 0, 1) ** 0.5
    y = 0.5 * np.clip((x - 2) / 1, 0, 1) ** 1.7 + 0.06 * (1 - (x / 3) ** 2)
    z = np.outer(half, np.linspace(-1, 1, 9))
    sheet = np.stack([np.repeat(x[:, None], 9, 1), np.repeat(y[:, None], 9, 1), z], -1)
    top = surface(sheet + np.array([0, 0.05, 0]), colour, 0.5)
    ends = np.sin(top.points[:, 0] * rng.uniform(1, 2.5) + rng.uniform(0, 6)) > rng.uniform(
        -0.2, 0.7
    )
    one = [top.painted(second, ends), surface(sheet, second * rng.choice([0.9, 0.9, 0.2]))]
    rim = [sheet[:, side] + (0, 0.025, 0) for side in (0, -1)]
    one += [tube(line, 0.03, BLACK, sides=6) for line in rim]
    one += [
        box((0.45, 0.16, 0.3), BLACK).moved(0.3, 0.2),
        box((0.3, 0.28, 0.3), BLACK).moved(-0.6, 0.24),
    ]
    one.append(box((1.3, 0.06, 0.22), STEEL, shine=0.5).moved(-0.15, 0.12))
    turn = rng.choice([0, 0, 8])
    parts = [p.turned(-turn).moved(0, 0, -0.38) for p in one]
    parts += [p.turned(turn).moved(rng.choice([0.0, 0.3]), 0, 0.38) for p in one]
    if rng.random() < 0.4:
        for side in (-0.85, 0.85):
            grip = tube([(2, 0.1, side), (2.6, 0.1, side)], 0.08, BLACK)
            basket = lathe([(0.2, 0), (0.05, 0.05)], BLACK).turned(90, "z").moved(-1.9, 0.1, side)
            pole = tube([(-2.2, 0.1, side), (2, 0.1, side)], 0.04, colour, shine=0.6)
            parts += [grip, basket, pole]
    tilt = rng.choice([0, 90, 80])
    return [part.turned(90, "x").turned(tilt, "z") if tilt else part for part in parts]


OUTDOORS = {
    "umbrella": umbrella,
    "kite": kite,
    "skis": skis,
}
