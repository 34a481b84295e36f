"""Seats: chairs, couches, beds and toilets, each time of other proportions and colours."""

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from training.solids.meshes import Part, box, lathe, mottled, surface, tube
from training.solids.things.household_parts import (
    BLACK,
    CLOTHS,
    LEATHERS,
    PAINTS,
    STEEL,
    WHITE,
    WOODS,
    one_of,
    smooth,
)

LINEN = [WHITE, WHITE, (0.75, 0.8, 0.88), (0.85, 0.78, 0.68), (0.6, 0.62, 0.65)]


def cushion(size: Sequence[float], colour: ArrayLike, *, edge: float = 0.35) -> Part:
    """A box with round edges about the origin; edge: 0 a box, 1 an ellipsoid."""
    up = np.linspace(-np.pi / 2, np.pi / 2, 25)[:, None]
    around = np.linspace(0, 2 * np.pi, 49)[None]

    def bent(wave: np.ndarray) -> np.ndarray:
        return np.asarray(np.sign(wave) * np.abs(wave) ** edge)

    shape = [bent(np.cos(up)) * bent(np.sin(around)), bent(np.sin(up)) + 0 * around]
    shape.append(bent(np.cos(up)) * bent(np.cos(around)))
    return surface(np.stack(shape, -1) * np.asarray(size) / 2, colour, 0.05)


def legs(
    rng: Generator, wide: float, deep: float, tall: float, colour: ArrayLike, thick: float
) -> list[Part]:
    """Four, under a seat at the height 0, a little apart at the floor or not."""
    apart, shine = rng.uniform(0, 0.25), 0.8 if rng.random() < 0.2 else 0.3
    feet = [(x * wide / 2, z * deep / 2) for x in (-1, 1) for z in (-1, 1)]
    return [
        tube(
            [(x, 0, z), (x * (1 + apart), -tall, z * (1 + apart))],
            (thick, thick * rng.uniform(0.5, 1)),
            colour,
            sides=int(rng.choice((4, 12))),
            shine=shine,
        )
        for x, z in feet
    ]


def chair(rng: Generator) -> list[Part]:
    """Of wood or padded, with or without arms, or one that turns on a column."""
    wide, deep, seat = rng.uniform(1.6, 2.1), rng.uniform(1.6, 2), rng.uniform(1.6, 2)
    frame = one_of(rng, [*WOODS, *WOODS, *PAINTS, STEEL, BLACK])
    cloth = one_of(rng, [*CLOTHS, *LEATHERS, *PAINTS]) if rng.random() < 0.6 else frame
    thick, tall, lean = rng.uniform(0.08, 0.4), rng.uniform(1.6, 2.6), rng.uniform(0, 14)
    parts = [cushion((wide, thick, deep), cloth, edge=rng.uniform(0.1, 0.35))]
    back: list[Part] = []
    if rng.random() < 0.45:
        solid = cushion((wide * 0.95, tall, max(thick * 0.7, 0.1)), cloth, edge=0.25)
        back.append(solid.moved(0, tall / 2 + rng.uniform(0, 0.3)))
    else:
        posts = [(-wide / 2, 0.07), (wide / 2, 0.07)]
        count = int(rng.integers(0, 6))
        posts += [(x, 0.04) for x in np.linspace(-wide / 2, wide / 2, count + 2)[1:-1]]
        back += [tube([(x, 0, 0), (x, tall, 0)], r, frame, sides=10, shine=0.3) for x, r in posts]
        for y in np.linspace(tall, tall * 0.3, 1 if count else 3):
            back.append(cushion((wide, 0.22, 0.1), frame, edge=0.2).moved(0, y))
    parts += [part.turned(-lean, "x").moved(0, 0, -deep / 2) for part in back]
    if rng.random() < 0.3:
        for x in (-wide / 2, wide / 2):
            rail = [(x, 0, deep / 3), (x, 0.75, deep / 3), (x, 0.8, -deep / 2)]
            parts.append(tube(smooth(rail), 0.08, frame, sides=10, shine=0.3))
    if rng.random() < 0.2:
        parts.append(tube([(0, 0, 0), (0, -seat * 0.8, 0)], 0.12, STEEL, shine=0.8))
        for turn in range(5):
            spoke = tube([(0, -seat * 0.8, 0), (0, -seat, 1.1)], 0.08, BLACK)
            parts.append(spoke.turned(72 * turn))
        return parts
    return parts + legs(rng, wide * 0.85, deep * 0.85, seat, frame, rng.uniform(0.06, 0.13))


def couch(rng: Generator) -> list[Part]:
    places = int(rng.integers(2, 4))
    wide, deep, tall = 2.1 * places, rng.uniform(2, 2.5), rng.uniform(1.4, 2)
    cloth = one_of(rng, [*CLOTHS, *LEATHERS, *PAINTS, (0.6, 0.58, 0.54), (0.45, 0.47, 0.5)])
    edge, shine = rng.uniform(0.12, 0.4), 0.4 if rng.random() < 0.3 else 0.05
    parts = [cushion((wide, 0.7, deep), cloth, edge=0.12)]
    each = wide / places
    for place in range(places):
        x = (place + 0.5) * each - wide / 2
        parts.append(cushion((each * 0.98, 0.5, deep * 0.95), cloth, edge=edge).moved(x, 0.5, 0.1))
        rest = cushion((each * 0.98, tall, 0.6), cloth, edge=edge).moved(0, tall / 2 + 0.5)
        parts.append(rest.turned(-rng.uniform(4, 14), "x").moved(x, 0, -deep / 2 + 0.3))
    parts.append(cushion((wide, tall + 0.6, 0.4), cloth, edge=0.15).moved(0, tall / 2, -deep / 2))
    arm = (rng.uniform(0.3, 0.7), rng.uniform(1.2, 1.7), deep)
    for side in (-1, 1):
        rest = cushion(arm, cloth, edge=edge)
        parts.append(rest.moved(side * (wide + arm[0]) / 2, arm[1] / 2 - 0.35))
    for _ in range(int(rng.integers(0, 3))):
        pillow = cushion((1.1, 1.1, 0.4), rng.uniform(0.1, 1, 3), edge=0.6)
        if rng.random() < 0.4:
            pillow = mottled(rng, pillow, rng.uniform(0, 1, 3), 0.5)
        x = rng.uniform(-wide / 2 + 0.6, wide / 2 - 0.6)
        parts.append(pillow.turned(-20, "x").moved(x, 1.25, -deep / 2 + 0.9))
    parts = [part.shiny(shine) for part in parts]
    foot = one_of(rng, [*WOODS, STEEL, BLACK])
    below = legs(rng, wide * 0.92, deep * 0.85, rng.uniform(0.2, 0.6), foot, 0.1)
    return parts + [leg.moved(0, -0.3) for leg in below]


def bed(rng: Generator) -> list[Part]:
    """Its foot is before whoever looks."""
    is_double = rng.random() < 0.65
    wide, deep = (3.2 if is_double else 2) * rng.uniform(0.9, 1.1), rng.uniform(3.8, 4.4)
    frame, linen = one_of(rng, [*WOODS, *WOODS, WHITE, BLACK, STEEL]), one_of(rng, LINEN)
    cover = one_of(rng, [*LINEN, *CLOTHS, *PAINTS])
    parts = [
        box((wide + 0.15, 0.35, deep + 0.1), frame),
        cushion((wide, 0.6, deep), linen, edge=0.15),
    ]
    parts[1] = parts[1].moved(0, 0.4)
    long, drop = deep * rng.uniform(0.5, 0.85), rng.uniform(0.2, 0.7)
    blanket = cushion((wide + 0.12, 0.35 + drop, long), cover, edge=0.15)
    if rng.random() < 0.4:
        blanket = mottled(rng, blanket, rng.uniform(0, 1, 3), rng.uniform(0.4, 1.5), 0.4)
    blanket = blanket.bumpy(rng, 0.012, 0.8)
    parts.append(blanket.moved(0, 0.6 - drop / 2, (deep - long) / 2 + 0.08))
    for x in (-wide / 4, wide / 4) if is_double else (0,):
        pillow = cushion((1.3, 0.4, 0.8), one_of(rng, LINEN), edge=0.6).bumpy(rng, 0.04, 0.8)
        parts.append(pillow.turned(12, "x").moved(x, 0.9, -deep / 2 + 0.55))
    head, foot = rng.uniform(0.9, 2), rng.uniform(-0.2, 0.8)
    for tall, z in ((head, -1), (foot, 1)):
        if tall > 0.1:
            board = cushion((wide + 0.2, tall, 0.16), frame, edge=rng.uniform(0.08, 0.3))
            parts.append(board.moved(0, tall / 2, z * (deep / 2 + 0.08)))
    below = legs(rng, wide * 0.95, deep * 0.95, rng.uniform(0.3, 0.8), frame, 0.1)
    return parts + [leg.moved(0, -0.15) for leg in below]


def toilet(rng: Generator) -> list[Part]:
    glaze = one_of(rng, [WHITE] * 5 + [(0.85, 0.75, 0.65), (0.7, 0.8, 0.75)])
    bowl, tall = rng.uniform(0.85, 1.05), rng.uniform(1.5, 1.8)
    foot = [(0.55, -tall), (0.5, -tall * 0.75), (0.5, -tall * 0.5), (bowl, -0.15), (bowl, 0)]
    inside = [(bowl * 0.8, 0), (bowl * 0.7, -0.3), (0.2, -0.7), (0, -0.7)]
    parts = [lathe([*smooth(foot), *inside], glaze, shine=0.6).scaled(0.95, 1, 1.2)]
    red, green, blue = glaze.tolist()
    seat = one_of(rng, [(red, green, blue), (red, green, blue), WHITE, BLACK, *WOODS])
    ring = [(bowl * 0.7, 0.02), (bowl * 0.75, 0.12), (bowl, 0.12), (bowl * 1.04, 0.02)]
    parts.append(lathe(smooth(ring), seat, shine=0.5).scaled(0.95, 1, 1.2))
    lid = [(0, 0.08), (bowl, 0.08), (bowl * 1.03, 0), (0, 0)]
    cover = lathe(lid, seat, shine=0.5).scaled(0.95, 1, 1.2)
    back = -bowl * 1.1
    if rng.random() < 0.5:
        cover = cover.moved(0, 0, -back).turned(-100, "x").moved(0, 0.1, back)
        parts.append(cover)
    else:
        parts.append(cover.moved(0, 0.14))
    if rng.random() < 0.85:
        high = rng.uniform(1.2, 1.7)
        tank = cushion((bowl * 1.9, high, 0.75), glaze, edge=0.12)
        top = cushion((bowl * 2, 0.16, 0.85), glaze, edge=0.2).moved(0, high / 2)
        parts += [part.shiny(0.6).moved(0, high / 2 + 0.1, back - 0.55) for part in (tank, top)]
        knob = tube([(0, 0, 0), (0, 0.1, 0)], 0.12, STEEL, shine=0.9)
        parts.append(knob.moved(0, high + 0.15, back - 0.55))
    parts.append(cushion((1, tall * 0.9, 1), glaze, edge=0.2).moved(0, -tall * 0.55, back * 0.6))
    return parts


SEATS = {"chair": chair, "couch": couch, "bed": bed, "toilet": toilet}
