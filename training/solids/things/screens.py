"""Screens: devices with a screen or for one, each time of other proportions and colours."""

import numpy as np
from numpy.random import Generator

from training.solids.meshes import (
    Part,
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
    PAINTS,
    STEEL,
    WHITE,
    WOODS,
    lying,
    one_of,
    rounded,
    sheet,
    smooth,
)


def screen(rng: Generator, width: float, height: float) -> Part:
    """Dark, a picture, or a page with windows."""
    part = sheet(width, height, vary(rng, (0.05, 0.06, 0.08))).shiny(0.5)
    kind = rng.random()
    if kind < 0.3:
        return part
    part = part.painted(rng.uniform(0.1, 1, 3))
    for _ in range(4 if kind < 0.65 else 0):
        part = mottled(rng, part, rng.uniform(0, 1, 3), width * rng.uniform(0.2, 1), 0.4)
    x, y = part.points[:, 0] / width, part.points[:, 1] / height
    for _ in range(5 if kind >= 0.65 else 0):
        wide, high, left, low = (
            rng.uniform(0.1, 0.35, 2).tolist() + rng.uniform(-0.3, 0.3, 2).tolist()
        )
        inside = (abs(x - left) < wide) & (abs(y - low) < high)
        part = part.painted(rng.uniform(0.2, 1, 3), inside)
    return part


def keys(rng: Generator, rows: int, columns: int, colour: np.ndarray) -> Part:
    """Rows of keys that lie in x and z, each one unit wide, about the origin."""
    made = []
    for row in range(rows):
        spans = [(n, 1) for n in range(columns)]
        if row == rows - 1:
            spans = [(0, 1), (1, 1), (2, 1), (3, columns - 7), (columns - 4, 1)]
            spans += [(columns - 3 + n, 1) for n in range(3)]
        for start, width in spans:
            x, z = start + width / 2 - columns / 2, row + 0.5 - rows / 2
            made.append(
                box((width - 0.16, 0.35, 0.84), vary(rng, tuple(colour), 0.02)).moved(x, 0, z)
            )
    return joined(made)


def keyboard(rng: Generator) -> list[Part]:
    body, columns = (
        one_of(rng, [BLACK, BLACK, WHITE, STEEL, (0.8, 0.77, 0.68)]),
        int(rng.integers(14, 17)),
    )
    cap = body * rng.uniform(0.85, 1) if rng.random() < 0.6 else one_of(rng, [WHITE, BLACK])
    cap = np.clip(cap + 0.05, 0, 1)
    is_wide = rng.random() < 0.6
    plate = rounded(columns + (6.2 if is_wide else 1), 6.4, 0.4)
    slab = prism(plate, 0.5, body).turned(-90, "x").moved(2.6 if is_wide else 0)
    parts = [slab, keys(rng, 5, columns, cap).moved(0, 0.35)]
    if is_wide:
        pad = joined(
            [box((0.84, 0.35, 0.84), cap).moved(x, 0.35, z) for x in range(4) for z in range(5)]
        )
        parts.append(pad.moved(columns / 2 + 1.1, 0, -2))
    return parts


def mouse(rng: Generator) -> list[Part]:
    colour, long = one_of(rng, [BLACK, BLACK, WHITE, STEEL, *PAINTS]), rng.uniform(1.6, 1.9)
    body = ellipsoid((1, rng.uniform(0.65, 0.85), long), colour, sides=120).shiny(0.4)
    points = np.column_stack(
        [body.points[:, 0], np.maximum(body.points[:, 1], 0), body.points[:, 2]]
    )
    points[:, 0] *= 1 - 0.12 * np.cos(points[:, 2] * 1.5)
    body = Part(points, body.faces, body.colours, 0.4)
    line = (abs(points[:, 0]) < 0.04) & (points[:, 2] < 0.1)
    line |= abs(points[:, 2] - 0.1) < 0.04
    body = body.painted(colour * 0.4 + 0.05, line & (points[:, 1] > 0.15))
    wheel = lathe([(0, -0.1), (0.3, -0.1), (0.3, 0.1), (0, 0.1)], (0.2, 0.2, 0.22)).turned(90, "z")
    parts = [body, wheel.moved(0, 0.5, -0.75)]
    if rng.random() < 0.5:
        bend = rng.uniform(-1.5, 1.5)
        path = smooth([(0, 0.1, -long), (0, 0.06, -long - 1), (bend, 0.06, -long - 1.8)], 30)
        parts.append(tube(path, 0.07, colour * 0.6, sides=8))
    return parts


def cell_phone(rng: Generator) -> list[Part]:
    tall, colour = rng.uniform(3.8, 4.4), one_of(rng, [BLACK, BLACK, WHITE, STEEL, *PAINTS])
    slab = prism(rounded(2, tall, 0.3), 0.22, colour, shine=0.6)
    front = prism(rounded(1.94, tall - 0.06, 0.27), 0.02, BLACK, shine=0.7).moved(0, 0, 0.11)
    high = tall - rng.choice((0.25, 0.9))
    parts = [slab, front, screen(rng, 1.8, high).moved(0, 0, 0.13)]
    for x in np.linspace(-0.65, 0.65, 4):
        for y in np.arange(0.4, high - 0.4, 0.5) if tall > 4 else ():
            icon = prism(rounded(0.3, 0.3, 0.07), 0.01, rng.uniform(0.1, 1, 3))
            parts.append(icon.moved(x, y - high / 2, 0.14))
    if high < tall - 0.5:
        parts.append(ellipsoid((0.14, 0.14, 0.02), (0.3, 0.3, 0.3)).moved(0, 0.22 - tall / 2, 0.12))
    lens = ellipsoid((0.16, 0.16, 0.06), BLACK, sides=20).shiny(0.9)
    parts += [lens.moved(0.6, tall / 2 - 0.4 - n * 0.45, -0.12) for n in range(2)]
    return lying(parts) if rng.random() < 0.6 else [part.turned(-12, "x") for part in parts]


def laptop(rng: Generator) -> list[Part]:
    colour, deep = one_of(rng, [STEEL, STEEL, BLACK, (0.3, 0.3, 0.33), WHITE]), rng.uniform(9, 10.5)
    base = prism(rounded(15, deep, 0.5), 0.45, colour, shine=0.5).turned(-90, "x")
    cap = one_of(rng, [BLACK, BLACK, WHITE])
    board = keys(rng, 5, 14, cap).scaled(0.95, 0.5, 0.95).moved(0, 0.25, -deep * 0.16)
    pad = box((4.2, 0.03, 2.4), colour * 0.88).moved(0, 0.24, deep * 0.32)
    lid = prism(rounded(15, deep, 0.5), 0.3, colour, shine=0.5)
    frame = box((14.5, deep - 0.5, 0.02), BLACK).moved(0, 0, 0.16)
    shown = screen(rng, 13.8, deep - 1.4).moved(0, 0.15, 0.19)
    lean, lids = rng.uniform(-30, -5), [lid, frame, shown]
    lids = [p.moved(0, deep / 2).turned(lean, "x").moved(0, 0.2, -deep / 2) for p in lids]
    return [base, board, pad, *lids]


def monitor(rng: Generator) -> list[Part]:
    """With a tube inside: deep, narrower behind, on a round foot."""
    colour = one_of(rng, [BLACK, BLACK, (0.3, 0.3, 0.32), (0.8, 0.77, 0.68), STEEL])
    wide, tall = rng.uniform(4.2, 4.8), rng.uniform(3.6, 4.1)
    parts = [box((wide, tall, 0.6), colour, shine=0.3)]
    outlines = np.stack([rounded(wide * 0.96 * k, tall * 0.94 * k, 0.3) for k in (1, 0.9, 0.6)])
    outlines = np.concatenate([outlines, outlines[:, :1]], 1)
    depth = np.broadcast_to(np.array((-0.3, -1.2, -3.2))[:, None, None], (*outlines.shape[:2], 1))
    shell = np.concatenate([outlines, depth], -1)
    parts.append(surface(np.concatenate([shell, shell[-1:] * (0, 0, 1)]), colour, 0.3))
    shown = screen(rng, wide - 0.5, tall - 0.6)
    parts.append(shown.moved(0, 0.1, 0.31))
    foot = lathe([(0, 0.15), (1.5, 0.1), (1.6, 0), (0, 0)], colour, shine=0.3)
    neck = tube([(0, -tall / 2 - 0.5, -0.8), (0, -tall / 2 + 0.3, -0.8)], 0.5, colour)
    return [*parts, neck, foot.moved(0, -tall / 2 - 0.6, -0.8)]


def tv(rng: Generator) -> list[Part]:
    """Flat on a stand, an old box, or one that stands before a computer."""
    if rng.random() < 0.2:
        return monitor(rng)
    if rng.random() < 0.4:
        colour = one_of(rng, [*WOODS, BLACK, (0.3, 0.3, 0.32)])
        parts = [box((5, 4, 2.6), colour), box((3.6, 3, 1.4), colour * 0.7).moved(0, 0, -1.8)]
        shown = screen(rng, 3.5, 3.1)
        bulge = 0.25 * np.cos(shown.points[:, 0] * 0.8) * np.cos(shown.points[:, 1] * 0.9)
        shown = Part(shown.points + np.outer(bulge, (0, 0, 1)), shown.faces, shown.colours, 0.6)
        parts += [box((3.8, 3.4, 0.1), BLACK).moved(-0.45, 0, 1.3), shown.moved(-0.45, 0, 1.36)]
        for y in (1.2, 0.4):
            knob = lathe([(0.28, 0), (0.25, 0.25), (0, 0.25)], STEEL, shine=0.7)
            parts.append(knob.turned(90, "x").moved(1.95, y, 1.3))
        for side in (-1, 1) if rng.random() < 0.6 else ():
            parts.append(tube([(0, 2, 0), (side * 1.2, 4.2, 0)], 0.05, STEEL, shine=0.8))
        return parts
    tall, colour = rng.uniform(4.3, 5), one_of(rng, [BLACK, BLACK, (0.3, 0.3, 0.32)])
    slab = box((8, tall, 0.35), colour, shine=0.5)
    parts = [slab, screen(rng, 7.7, tall - 0.35).moved(0, 0.05, 0.19)]
    if rng.random() < 0.5:
        neck = box((0.8, 0.9, 0.2), colour).moved(0, -tall / 2 - 0.3)
        return [*parts, neck, box((3.2, 0.12, 1.6), colour).moved(0, -tall / 2 - 0.75)]
    for side in (-1, 1):
        path = [(side * 2.8, -tall / 2 - 0.6, 0.9), (side * 2.6, -tall / 2, 0)]
        parts.append(tube([*path, (side * 2.8, -tall / 2 - 0.6, -0.9)], 0.1, colour))
    return parts


SCREENS = {
    "keyboard": keyboard,
    "mouse": mouse,
    "cell phone": cell_phone,
    "laptop": laptop,
    "tv": tv,
}
