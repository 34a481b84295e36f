"""Household: things of bathroom, shelf and wardrobe, each time of other proportions and colours."""

import numpy as np
from numpy.random import Generator

from training.solids.meshes import (
    Part,
    arc,
    box,
    ellipsoid,
    joined,
    lathe,
    mottled,
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
    lying,
    one_of,
    sheet,
    smooth,
)


def toothbrush(rng: Generator) -> list[Part]:
    colour = rng.uniform(0, 1, 3) if rng.random() < 0.7 else np.asarray(WHITE)
    t = np.linspace(0, 1, 50)
    thick = np.interp(
        t, [0, 0.1, 0.45, 0.6, 0.78, 0.84, 1], [0.2, 0.3, 0.32, 0.15, 0.13, 0.28, 0.2]
    )
    path = np.column_stack([9 * t, 0.15 * np.sin(4 * t), 0 * t])
    bar = tube(path, thick, colour, shine=0.4).scaled(1, 0.7, 1)
    middle = (bar.points[:, 0] > 1) & (bar.points[:, 0] < 4) & (bar.points[:, 1] > 0.1)
    bar = bar.painted(rng.uniform(0, 1, 3), middle)
    tufts, bristle = [], one_of(rng, [WHITE, (0.4, 0.6, 0.85), (0.4, 0.75, 0.6)])
    for row in np.linspace(7.5, 8.9, 9):
        for side in (-0.17, 0.0, 0.17):
            shade = bristle if int(row * 5) % 3 else vary(rng, WHITE)
            tufts.append(tube([(row, 0, side), (row, 0.9, side)], 0.085, shade, sides=6))
    return [part.turned(rng.choice((0, 90)), "x") for part in (bar, joined(tufts))]


def book(rng: Generator) -> list[Part]:
    wide, tall, thick = rng.uniform(2.6, 3.4), rng.uniform(4, 4.6), rng.uniform(0.35, 1.1)
    cover, paper = one_of(rng, [*PAINTS, *LEATHERS, *CLOTHS]), vary(rng, (0.93, 0.9, 0.8), 0.05)
    if rng.random() < 0.35:
        parts = [box((2 * wide + 0.2, tall + 0.2, 0.08), cover)]
        across, y = np.meshgrid(np.linspace(0, 1, 60), np.linspace(-tall, tall, 60) / 2)
        lift = 0.06 + thick * 0.9 * np.sqrt(across) * np.exp(-1.5 * across) * 1.6 * (1.1 - across)
        for side in (-1, 1):
            page = surface(np.stack([side * across * wide, y, lift], -1), paper)
            text = (
                (np.sin(y * 12) > 0.1) & (across > 0.12) & (across < 0.88) & (abs(y) < tall * 0.42)
            )
            page = page.painted((0.45, 0.45, 0.45), text.ravel() * 0.8)
            parts.append(page)
        return lying(parts)
    front = sheet(wide, tall, cover, 50)
    x, y = front.points[:, 0] / wide, front.points[:, 1] / tall
    if rng.random() < 0.5:
        front = mottled(rng, front, rng.uniform(0, 1, 3), 2, 0.4)
    for low in (0.25, rng.uniform(-0.4, 0)):
        inside = (abs(y - low) < rng.uniform(0.03, 0.12)) & (abs(x) < rng.uniform(0.2, 0.42))
        front = front.painted(rng.uniform(0, 1, 3), inside)
    boards = [box((wide, tall, 0.08), cover).moved(0, 0, side * thick / 2) for side in (-1, 1)]
    spine = box((0.1, tall, thick + 0.08), cover).moved(-wide / 2)
    pages = box((wide - 0.15, tall - 0.2, thick), paper, shine=0)
    parts = [*boards, spine, pages, front.moved(0, 0, thick / 2 + 0.05)]
    return lying(parts) if rng.random() < 0.6 else parts


def clock(rng: Generator) -> list[Part]:
    """On the wall, or one with bells."""
    frame, face = (
        one_of(rng, [*PAINTS, *WOODS, STEEL, (0.8, 0.65, 0.3)]),
        one_of(rng, [WHITE] * 4 + [BLACK]),
    )
    deep, ink = rng.uniform(0.2, 0.4), np.round(1 - face.mean()) * np.ones(3) * 0.9 + 0.05
    is_alarm = rng.random() < 0.4
    deep = 0.9 if is_alarm else deep
    rim = [(0, -deep), (2, -deep), (2.1, 0), (2, 0.12), (1.85, 0.12), (1.8, 0)]
    parts = [lathe(rim, frame, sides=64, shine=0.5).turned(90, "x")]
    parts.append(prism(arc(1.82, 0, 360, 60)[:-1], 0.02, ink * 0 + face))
    for hour in range(12 if rng.random() < 0.85 else 0):
        long = 0.4 if hour % 3 == 0 else 0.22
        parts.append(box((0.09, long, 0.04), ink).moved(0, 1.5, 0.02).turned(30 * hour, "z"))
    for long, wide in ((1.0, 0.14), (1.45, 0.09)):
        hand = box((wide, long, 0.04), ink).moved(0, long / 2 - 0.1, 0.06)
        parts.append(hand.turned(rng.uniform(0, 360), "z"))
    for side in (-1, 1) if is_alarm else ():
        bell = ellipsoid((0.75, 0.5, 0.75), one_of(rng, [STEEL, (0.8, 0.65, 0.3)])).shiny(0.9)
        parts.append(bell.moved(0, 2.45, -0.4).turned(32 * side, "z"))
        foot = tube([(0, -2, -0.4), (0, -2.8, -0.4)], 0.14, frame)
        parts.append(foot.turned(32 * side, "z"))
    if is_alarm:
        parts.append(
            tube([(x, 2.95 - 0.4 * x * x, -0.4) for x in np.linspace(-1.1, 1.1, 12)], 0.09, STEEL)
        )
    return parts


def tie(rng: Generator) -> list[Part]:
    tall, wide = rng.uniform(6.5, 8.5), rng.uniform(0.75, 1.05)
    cloth, other = one_of(rng, [*CLOTHS, *PAINTS]), rng.uniform(0, 1, 3)
    down, across = np.meshgrid(np.linspace(0, 1, 140), np.linspace(-1, 1, 40), indexing="ij")
    half = (0.32 + (wide - 0.32) * down) * np.ones_like(across)
    y = -down * tall + np.where(down > 0.86, abs(across) * (down - 0.86) * 6, 0)
    bend = 0.18 * (1 - across**2) + 0.4 * np.sin(2.5 * down)
    blade = surface(np.stack([across * half, y, bend], -1), cloth)
    kind, way = rng.random(), blade.points[:, 1] + blade.points[:, 0] * rng.choice((-1, 1))
    knot = lathe(smooth([(0, 0.75), (0.55, 0.7), (0.5, 0.4), (0.3, -0.2), (0, -0.2)]), cloth)
    parts = [blade, knot.scaled(1, 1, 0.55).moved(0, 0, 0.15)]
    if kind < 0.5:
        each = rng.uniform(4, 9)
        parts[0] = blade.painted(other, np.sin(way * each) > rng.uniform(0, 0.8))
        knots = parts[1].points
        parts[1] = parts[1].painted(other, np.sin((knots[:, 1] - knots[:, 0]) * each) > 0.5)
    elif kind < 0.75:
        dots = np.sin(blade.points[:, 0] * 12) * np.sin(blade.points[:, 1] * 12)
        parts[0] = blade.painted(other, dots > 0.6)
    back = surface(np.stack([across * half * 0.8, y * 0.93, bend - 0.15], -1), cloth * 0.7)
    return [*parts, back]


HOUSEHOLD = {
    "toothbrush": toothbrush,
    "book": book,
    "clock": clock,
    "tie": tie,
}
