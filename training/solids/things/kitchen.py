"""Kitchen: vessels and cutlery, each time of other proportions and colours."""

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from training.solids.meshes import Part, ellipsoid, lathe, mottled, prism, surface, tube, vary
from training.solids.things.household_parts import (
    BLACK,
    PAINTS,
    STEEL,
    WHITE,
    WOODS,
    between,
    dense,
    lying,
    one_of,
    smooth,
)


def handle(width: float, top: float, bottom: float, at: float, colour: ArrayLike) -> Part:
    """The ear of a cup."""
    path = smooth(
        [(at, top, 0), (at + width, top, 0), (at + width, bottom, 0), (at, bottom, 0)], 24
    )
    return tube(path, 0.11, colour, shine=0.4)


def hollow(outside: ArrayLike, thick: float, colour: ArrayLike, *, shine: float) -> Part:
    """A vessel: a profile from the bottom's middle to the rim, and back inside."""
    line = np.asarray(outside, float)
    inside = np.column_stack([np.maximum(line[:, 0] - thick, 0), line[:, 1] + thick / 2])[::-1]
    return lathe(np.concatenate([line, inside]), colour, shine=shine)


DRINKS = ((0.25, 0.13, 0.06), (0.25, 0.13, 0.06), (0.6, 0.42, 0.28), (0.5, 0.22, 0.06))


def cup(rng: Generator) -> list[Part]:
    """A mug, or of paper."""
    if rng.random() < 0.25:
        colour = one_of(rng, [WHITE, WHITE, (0.65, 0.45, 0.28), (0.2, 0.4, 0.3)])
        body = hollow(dense([(0, 0), (0.7, 0), (1, 2.6)]), 0.04, colour, shine=0.05)
        body = body.painted(vary(rng, (0.5, 0.33, 0.18)), between(body, 0.9, 1.9))
        lid = lathe([(0, 2.75), (0.85, 2.75), (0.9, 2.85), (1.0, 2.8), (1.06, 2.58)], WHITE)
        return [body, lid.painted(one_of(rng, [WHITE, BLACK])).shiny(0.3)]
    tall, base, belly = rng.uniform(1.5, 2.4), rng.uniform(0.6, 1), rng.uniform(0.95, 1.1)
    colour = one_of(rng, PAINTS)
    line = smooth([(0, 0), (base, 0), (belly, tall * 0.3), (1, tall)])
    body = hollow(line, 0.09, colour, shine=0.5)
    if rng.random() < 0.5:
        low = rng.uniform(0.2, 0.7) * tall
        body = body.painted(rng.uniform(0.1, 1, 3), between(body, low, low + rng.uniform(0.1, 0.6)))
    drink = lathe([(0, tall * 0.82), (0.91, tall * 0.82)], one_of(rng, DRINKS), shine=0.6)
    if rng.random() < 0.3:
        drink = mottled(rng, drink, (0.92, 0.85, 0.74), 0.9)
    ear = handle(rng.uniform(0.5, 0.75), tall * 0.82, tall * 0.25, 0.93, colour)
    if rng.random() < 0.3:
        wide = rng.uniform(1.7, 2.1)
        line = smooth([(0, -0.04), (0.55 * wide, -0.04), (0.85 * wide, 0.05), (wide, 0.22)])
        return [body, drink, ear, hollow(line, 0.05, colour, shine=0.5)]
    return [body, drink, ear]


def bowl(rng: Generator) -> list[Part]:
    tall, base = rng.uniform(0.7, 1.3), rng.uniform(0.4, 0.7)
    line = smooth([(0, 0.08), (base, 0), (base, 0.1), (1.1, tall * 0.3), (1.5, tall)])
    colour = one_of(rng, [*PAINTS, WHITE, *WOODS])
    body = hollow(line, 0.07, colour, shine=0.4)
    for _ in range(int(rng.integers(0, 3))):
        low = rng.uniform(0.3, 0.95) * tall
        body = body.painted(
            rng.uniform(0.1, 1, 3), between(body, low, low + rng.uniform(0.05, 0.2))
        )
    parts = [body]
    if rng.random() < 0.4:
        food = one_of(
            rng, [(0.8, 0.4, 0.15), (0.45, 0.55, 0.2), (0.9, 0.85, 0.7), (0.6, 0.15, 0.1)]
        )
        filling = ellipsoid((1.14, 0.3, 1.14), food).bumpy(rng, 0.07, 0.5).moved(0, tall * 0.72)
        parts.append(mottled(rng, filling, food * 0.7, 0.4))
    return parts


def bottle(rng: Generator) -> list[Part]:
    """Of wine, beer, water, or of plastic with a big cap."""
    kind = int(rng.integers(4))
    shoulder, neck, top, thin = [(4.2, 5.2, 7.0, 0.34), (3.2, 4.8, 6.0, 0.33), (3.8, 5, 5.6, 0.36)][
        min(kind, 2)
    ]
    glass = [(0.08, 0.2, 0.1), (0.35, 0.17, 0.05), (0.7, 0.83, 0.9), (0.9, 0.9, 0.88)]
    colour = one_of(rng, PAINTS) if kind == 3 else vary(rng, glass[kind], 0.15)
    if kind == 0 and rng.random() < 0.4:
        colour = one_of(rng, [(0.15, 0.02, 0.05), (0.75, 0.75, 0.45), (0.08, 0.07, 0.05)])
    line = [(0, 0.1), (0.95, 0), (1, 0.2), (1, shoulder), (0.95, shoulder + 0.3), (thin, neck)]
    profile = smooth([*line, (thin, top), (0, top)], 120)
    if kind == 2:
        waves = between(Part(profile, np.zeros(0), np.zeros(0)), 0.3, shoulder)
        profile[:, 0] -= 0.05 * waves * (np.sin(profile[:, 1] * 9) > 0.3)
    body = lathe(profile, colour, shine=0.7)
    parts = [body]
    low = rng.uniform(0.7, 1.4)
    if rng.random() < 0.85:
        high = low + rng.uniform(1.2, 2.0)
        label = lathe(dense([(1.02, low), (1.02, high)], 30), one_of(rng, [WHITE, WHITE, *PAINTS]))
        label = label.painted(rng.uniform(0, 1, 3), between(label, low + 0.3, low + 0.7))
        parts.append(mottled(rng, label, rng.uniform(0, 1, 3), 0.8, 0.2))
    cap, start = one_of(rng, [*PAINTS, (0.8, 0.65, 0.25)]), top - (1.5 if kind == 0 else 0.4)
    wide = thin + 0.06
    parts.append(lathe([(wide, start), (wide, top + 0.05), (0, top + 0.05)], cap, shine=0.4))
    return parts


def vase(rng: Generator) -> list[Part]:
    tall, base, neck = rng.uniform(2.5, 4), rng.uniform(0.45, 0.8), rng.uniform(0.3, 0.8)
    belly, at = rng.uniform(0.9, 1.5), rng.uniform(0.3, 0.7) * tall
    corners = [(0, 0), (base, 0), (base, 0.05), (belly, at - 0.3), (belly, at + 0.3)]
    corners += [(neck, tall * 0.85), (neck, tall * 0.9), (neck + rng.uniform(0.05, 0.4), tall)]
    colour = one_of(rng, [*PAINTS, (0.6, 0.35, 0.22), (0.55, 0.7, 0.7)])
    body = hollow(smooth(corners, 90), 0.06, colour, shine=rng.uniform(0.1, 0.7))
    other, kind = rng.uniform(0, 1, 3), rng.random()
    if kind < 0.25:
        body = mottled(rng, body, other, 0.7, 0.4)
    elif kind < 0.5:
        body = body.painted(other, np.sin(body.points[:, 1] * rng.uniform(4, 12)) > 0.5)
    elif kind < 0.65:
        angle = np.arctan2(body.points[:, 0], body.points[:, 2])
        body = body.painted(other, np.sin(8 * angle + 3 * body.points[:, 1]) > 0.6)
    return [body, *flowers(rng, tall, neck)] if rng.random() < 0.4 else [body]


def flowers(rng: Generator, start: float, neck: float) -> list[Part]:
    """A bunch that stands in what is open at the height `start`."""
    colours = rng.uniform(0.2, 1, (int(rng.integers(1, 4)), 3)) * (1, 0.7, 0.8)
    green, high, parts = vary(rng, (0.2, 0.42, 0.15)), rng.uniform(1, 2.2), []
    for _ in range(int(rng.integers(4, 14))):
        way, up = rng.normal(0, 0.45, 2) * high, start + high * rng.uniform(0.5, 1)
        x, z = way
        near = [(x / 6 * neck, start - 0.5, z / 6 * neck), (x / 3, start + 0.3, z / 3), (x, up, z)]
        parts.append(tube(smooth(near, 12), 0.04, green, sides=6))
        petal = vary(rng, colours[int(rng.integers(len(colours)))])
        size = rng.uniform(0.22, 0.45)
        head = ellipsoid((size, size * rng.uniform(0.4, 0.9), size), petal, sides=24)
        head = head.bumpy(rng, 0.2, size).turned(rng.uniform(-40, 40), "x")
        middle = ellipsoid((size * 0.35,) * 3, (0.85, 0.65, 0.1), sides=12).moved(0, size * 0.4)
        parts += [part.moved(x, up, z) for part in (head, middle)]
        leaf = ellipsoid((0.35, 0.03, 0.12), vary(rng, green, 0.2), sides=16).moved(0.35)
        leaf = leaf.turned(rng.uniform(10, 60), "z").turned(rng.uniform(0, 360))
        parts.append(leaf.moved(x / 2, start + 0.4 * high, z / 2))
    return parts


def wine_glass(rng: Generator) -> list[Part]:
    pale, tall = vary(rng, (0.82, 0.86, 0.88), 0.05), rng.uniform(1.6, 2.4)
    wide, rim, stem = rng.uniform(0.9, 1.15), rng.uniform(0.65, 0.95), rng.uniform(1.3, 2.2)
    foot = smooth([(0, 0), (0.9, 0), (0.9, 0.06), (0.1, 0.15), (0.08, 0.5), (0.08, stem)], 50)
    line = [(0.08, stem), (0.25, stem), (wide, stem + 0.35), (wide, stem + 0.6 * tall)]
    shape = smooth([*line, (rim, stem + tall)], 60)
    wine = one_of(
        rng, [(0.35, 0.02, 0.07), (0.35, 0.02, 0.07), (0.88, 0.8, 0.45), (0.9, 0.5, 0.45)]
    )
    body, fill = hollow(shape, 0.03, pale, shine=0.9), stem + tall * rng.uniform(0.3, 0.6)
    parts = [lathe(foot, pale, shine=0.9)]
    if rng.random() < 0.75:
        body = body.painted(wine * 0.85 + 0.12, between(body, stem + 0.1, fill))
        reach = float(np.interp(fill, shape[:, 1], shape[:, 0]))
        parts.append(lathe([(0, fill), (reach - 0.02, fill)], wine, shine=0.6))
    return [*parts, body]


def spoon(rng: Generator) -> list[Part]:
    colour = one_of(rng, [STEEL, STEEL, STEEL, (0.8, 0.68, 0.35), *WOODS])
    shine = 0.3 if colour[2] < 0.4 else 0.9
    long, deep = rng.uniform(1, 1.4), rng.uniform(0.2, 0.35)
    out, angle = np.meshgrid(np.linspace(0, 1, 16), np.linspace(0, 2 * np.pi, 49), indexing="ij")
    x, z = out * long * np.cos(angle), out * 0.75 * np.sin(angle) * (1 + 0.12 * np.cos(angle))
    head = surface(np.stack([x, deep * (out**2 - 1), z], -1), colour, shine)
    t = np.linspace(0, 1, 30)
    length = rng.uniform(3.5, 5)
    path = np.column_stack([long - 0.05 + length * t, 0.3 * np.sin(np.pi * t) + 0.02, 0 * t])
    wide = 0.13 + rng.uniform(0.05, 0.2) * t**2
    bar = tube(path, wide, colour, shine=shine)
    return [head, head.moved(0, -0.04), bar.scaled(1, 1, 1.1)]


def knife(rng: Generator) -> list[Part]:
    """For the kitchen, or for the table."""
    is_table = rng.random() < 0.4
    wide, length = (0.38, 3.6) if is_table else (rng.uniform(0.5, 1), rng.uniform(4, 6))
    top = smooth([(0, wide), (length * 0.7, wide), (length * 0.95, wide * 0.6), (length, 0.2)], 24)
    edge = smooth([(length, 0.15), (length * 0.7, -0.15), (length * 0.3, -0.2), (0, -0.12)], 24)
    blade = prism(np.concatenate([top, edge]), 0.08, vary(rng, STEEL), shine=0.9)
    grip = one_of(rng, [STEEL, STEEL, BLACK] if is_table else [BLACK, BLACK, *WOODS])
    long = rng.uniform(2.6, 3.4)
    outline = smooth([(0.05, 0.42), (-long, 0.4), (-long - 0.3, 0), (-long, -0.1), (0.05, -0.02)])
    parts = [blade, prism(outline, 0.3, grip, shine=0.4)]
    for at in () if is_table else (0.5, 0.5 * long, long - 0.3):
        parts.append(ellipsoid((0.09, 0.09, 0.18), STEEL, sides=12).moved(-at, 0.17))
    return lying(parts)


KITCHEN = {
    "cup": cup,
    "bowl": bowl,
    "bottle": bottle,
    "vase": vase,
    "wine glass": wine_glass,
    "spoon": spoon,
    "knife": knife,
}
