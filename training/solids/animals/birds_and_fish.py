"""Birds and fish: each time of other proportions and colours; they face along x."""

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from training.solids.animals.butterflies import butterfly
from training.solids.animals.coats import fur, limb, natural
from training.solids.meshes import Part, ellipsoid, mottled, noise, surface, tube, vary

BLACK, WHITE, PINK = (0.06, 0.05, 0.05), (0.93, 0.91, 0.87), (0.9, 0.6, 0.4)

# of birds: back, breast, belly, cap, beak
PLUMAGE = {
    "robin": ((0.4, 0.32, 0.22), (0.85, 0.35, 0.1), (0.85, 0.82, 0.76), (0.4, 0.32, 0.22), BLACK),
    "blue tit": ((0.45, 0.52, 0.35), (0.9, 0.8, 0.25), (0.9, 0.8, 0.3), (0.2, 0.4, 0.7), BLACK),
    "sparrow": (
        (0.45, 0.3, 0.18),
        (0.68, 0.62, 0.54),
        (0.78, 0.73, 0.65),
        (0.4, 0.24, 0.14),
        BLACK,
    ),
    "parrot": ((0.15, 0.55, 0.2), (0.2, 0.65, 0.2), (0.75, 0.75, 0.15), (0.85, 0.15, 0.1), WHITE),
    "macaw": ((0.1, 0.3, 0.7), (0.85, 0.1, 0.08), (0.85, 0.1, 0.08), (0.85, 0.1, 0.08), BLACK),
    "pigeon": ((0.55, 0.57, 0.6), (0.42, 0.4, 0.45), (0.6, 0.61, 0.63), (0.33, 0.36, 0.4), BLACK),
    "crow": (BLACK, BLACK, (0.09, 0.09, 0.1), BLACK, BLACK),
    "blackbird": (BLACK, BLACK, (0.1, 0.08, 0.07), BLACK, (0.95, 0.65, 0.1)),
    "gull": ((0.6, 0.63, 0.66), WHITE, WHITE, WHITE, (0.95, 0.75, 0.15)),
    "canary": ((0.9, 0.78, 0.2), (0.95, 0.85, 0.2), (0.95, 0.9, 0.5), (0.95, 0.8, 0.2), PINK),
    "bullfinch": ((0.45, 0.48, 0.52), (0.85, 0.35, 0.3), (0.9, 0.75, 0.7), BLACK, BLACK),
}


def feathered(rng: Generator, part: Part, colour: ArrayLike) -> Part:
    """In a colour with rows of darker feather edges."""
    base = np.asarray(colour, float)
    rows = np.sin(
        34 * part.points[:, 0] + 2 * np.sin(22 * part.points[:, 2] + 9 * part.points[:, 1])
    )
    part = part.painted(base).painted(base * 0.6, np.clip(rows - 0.4, 0, 0.5))
    return mottled(rng, part, np.clip(base * 1.15, 0, 1), 0.25, 0.3)


def wing(rng: Generator, colour: np.ndarray, bar: ArrayLike, spread: float, side: int) -> Part:
    """Folded along the body, or spread out at so many degrees up."""
    along, across = np.linspace(0, 1, 40)[:, None], np.linspace(0, 1, 24)[None]
    if np.isnan(spread):
        x = 0.45 - 1.35 * along + 0 * across
        half = 0.34 * np.sin(np.pi * np.clip(along * 0.9 + 0.1, 0, 1)) ** 0.7 * (1 - 0.4 * along)
        y = 0.12 - 0.28 * along + half * (1 - 2 * across)
        taper = np.where(x < -0.1, 0.88, 1.15)
        bulge = 0.54 * np.sqrt(np.clip(1 - ((x + 0.1) / taper) ** 2, 0.02, 1))
        z = bulge * np.sqrt(np.clip(1 - (y / 0.62) ** 2, 0.05, 1)) + 0.03
        sheet = surface(np.stack([x, y, side * z], -1), colour, 0.1)
    else:
        chord = 0.75 * (1 - along**2.5) ** 0.6 * (1 + 0.12 * np.sin(11 * np.pi * along))
        x = 0.35 - 0.3 * along**2 - chord * across + 0.2 * np.sin(np.pi * along)
        lift = np.radians(spread) * (1 - 0.5 * along)
        y, z = 0.2 + 1.7 * along * np.sin(lift) - 0.1 * across, 0.25 + 1.7 * along * np.cos(lift)
        grid = np.stack(np.broadcast_arrays(x, y, side * z), -1)
        sheet = surface(grid, colour, 0.1)
    wide = np.tile(np.linspace(0, 1, 24), 40)
    far = np.repeat(np.linspace(0, 1, 40), 24)
    feathers = np.sin(70 * far if not np.isnan(spread) else 55 * wide)
    sheet = mottled(rng, sheet, colour * 0.8, 0.12, 0.4)
    sheet = sheet.painted(colour * 0.5, np.clip(feathers * (wide > 0.3), 0, 0.6))
    sheet = sheet.painted(colour * 0.35, np.clip((far - 0.75) * 5, 0, 0.9))
    return sheet.painted(bar, np.clip(1 - np.abs(wide - 0.45) * 18, 0, 0.8))


def bird_legs(rng: Generator, tilt: float) -> list[Part]:
    """Two thin legs with three toes each."""
    skin = vary(rng, [(0.75, 0.4, 0.3), (0.25, 0.2, 0.18)][int(rng.integers(2))])
    parts = []
    for z in (-0.17, 0.17):
        path = [(0, -0.3, z), (-0.08, -0.6, z), (0.08, -0.95, z)]
        parts.append(tube(path, [0.1, 0.04, 0.03], skin))
        for toe in (-0.12, 0, 0.12):
            path = [(0.08, -0.95, z), (0.3, -0.98, z + toe)]
            parts.append(tube(path, 0.025, skin, sides=8))
    return [part.turned(tilt / 3, "z") for part in parts]


def bird(rng: Generator) -> list[Part]:
    kind = str(rng.choice(list(PLUMAGE)))
    back, breast, belly, cap, horn = (natural(rng, colour) for colour in PLUMAGE[kind])
    is_hooked = kind in ("parrot", "macaw")
    long = rng.uniform(0.9, 1.25) if kind in ("pigeon", "crow", "gull") else rng.uniform(0.75, 1.0)
    path = [(-0.95, -0.12, 0), (-0.4, 0, 0), (0.25, 0.05, 0), (0.6, 0.4, 0), (0.72, 0.62, 0)]
    body = limb(path, (0.12, 0.42, 0.52, 0.4, 0.3), fur(rng, back)).scaled(1, 1, 0.92)
    x, y = body.points[:, 0], body.points[:, 1]
    under = np.clip((0.08 + 0.45 * np.clip(x, 0, 1) - y) * 8 + 0.5, 0, 1)
    body = body.painted(belly, under).painted(breast, under * np.clip((x + 0.05) * 5, 0, 1))
    size = rng.uniform(0.3, 0.36)
    head = ellipsoid((size * 1.1, size, size * 0.95), cap).shiny(0.05)
    low = np.clip((0.02 - head.points[:, 1] + 0.3 * head.points[:, 0]) * 12, 0, 1)
    cheek = WHITE if kind == "blue tit" else breast
    head = mottled(rng, head.painted(cheek, low), cap * 0.85, 0.1, 0.15).moved(0.74, 0.72).as_limb()
    reach = 1.1 * size + rng.uniform(0.16, 0.3) * long
    tip = (0.74 + reach, 0.68 - (0.22 if is_hooked else 0.03), 0)
    beak = [(0.74 + 0.8 * size, 0.74, 0), (0.74 + reach * 0.9, 0.74 if is_hooked else 0.71, 0), tip]
    parts = [body, head, tube(beak, [0.11, 0.09 if is_hooked else 0.05, 0.01], horn, shine=0.3)]
    tail_long = 1.3 if is_hooked else rng.uniform(0.6, 0.85)
    tail = ellipsoid((tail_long * 0.6, 0.045, 0.15), back * 0.75)
    tail = feathered(rng, tail, back * 0.75).moved(-0.45 * tail_long)
    parts.append(tail.turned(12, "z").moved(-0.7, -0.05))
    lift = rng.uniform(-15, 65) if rng.random() < 0.3 else np.nan
    bar = WHITE if rng.random() < 0.4 else back * 0.5
    for side in (1, -1):
        parts.append(wing(rng, back * 0.9, bar, lift, side))
        eye = ellipsoid((0.055, 0.055, 0.055), BLACK, sides=16).shiny(0.9)
        parts.append(eye.moved(0.74 + 0.45 * size, 0.8, side * 0.82 * size))
    tilt = rng.uniform(-10, 30)
    is_standing = np.isnan(lift) or rng.random() < 0.3
    legs = bird_legs(rng, tilt) if is_standing else []
    return [*(part.turned(tilt, "z") for part in parts), *legs]


def fin(rng: Generator, base: ArrayLike, tips: ArrayLike, colour: ArrayLike) -> Part:
    """A thin sheet with rays, from a line on the body to a line outside."""
    share = np.linspace(0, 1, 40)
    lines = []
    for line in (np.asarray(base, float), np.asarray(tips, float)):
        knots = np.linspace(0, 1, len(line))
        lines.append(np.stack([np.interp(share, knots, column) for column in line.T], 1))
    out = np.linspace(0, 1, 12)[:, None, None]
    grid = lines[0] * (1 - out) + lines[1] * out
    grid[..., 2] += 0.04 * out[..., 0] * np.sin(9 * share + rng.uniform(0, 6))
    rays = np.tile(np.clip(np.sin(90 * share), 0, 0.5), 12)
    return surface(grid, colour, 0.3).painted(np.asarray(colour) * 0.55, rays)


def fish_coat(rng: Generator, body: Part, colour: np.ndarray) -> Part:
    """Scales, a pale belly and perhaps stripes or spots."""
    x, y = body.points[:, 0], body.points[:, 1]
    others: list[ArrayLike] = [WHITE, BLACK, (0.95, 0.8, 0.1), (0.1, 0.3, 0.75), colour * 0.5]
    other = others[int(rng.integers(5))]
    kind = rng.choice(
        ["plain", "across", "along", "spots", "bands"], p=(0.52, 0.12, 0.12, 0.12, 0.12)
    )
    wobble = 0.5 * noise(rng, body.points, 0.8)
    marks = {
        "plain": np.zeros(len(x)),
        "across": np.clip(np.sin(rng.uniform(9, 16) * x + wobble) * 4 - 0.5, 0, 1),
        "along": np.clip(np.sin(rng.uniform(12, 25) * y + wobble) * 4 - 0.5, 0, 1),
        "spots": np.clip(noise(rng, body.points, 0.3) * 5 - 4, 0, 1),
        "bands": np.clip((np.cos(4.6 * x + 0.4) - 0.75) * 14, 0, 1),
    }
    body = body.painted(other, marks[str(kind)])
    pale = np.clip(body.colours * 0.3 + 0.62, 0, 1)
    body = body.painted(pale, np.clip(-y * 2.2 - 0.1, 0, 0.8) * (rng.random() < 0.75))
    body = body.painted(body.colours * 0.6, np.clip(y * 2 - 0.3, 0, 0.8))
    scales = np.sin(32 * x + 32 * y) * np.sin(32 * x - 32 * y)
    body = body.painted(body.colours * 0.7, np.clip(scales, 0, 1) * (x < 0.5) * 0.8)
    gill = np.abs(np.hypot(x - 0.95, y * 0.9) - 0.42)
    return body.painted(body.colours * 0.5, np.clip(1 - gill * 25, 0, 1) * (x < 0.8))


def fish_sides(rng: Generator, body: Part, deep: float, edge: ArrayLike) -> list[Part]:
    """The fins in pairs and the eyes."""
    parts = []
    thick = np.abs(body.points[:, 2]).max()
    for side in (1, -1):
        z = side * thick
        root = [(0.42, -0.1 * deep, z * 0.93), (0.4, -0.4 * deep, z * 0.85)]
        parts.append(fin(rng, root, [(0.0, -0.05, z * 1.5), (0.05, -0.7 * deep, z * 1.6)], edge))
        root = [(0.35, -0.8 * deep, z * 0.5), (0.1, -0.88 * deep, z * 0.5)]
        parts.append(fin(rng, root, [(0.15, -1.3 * deep, z), (-0.1, -1.2 * deep, z)], edge))
        where = np.array([0.76, 0.2 * deep, side * thick * 0.62])
        white = ellipsoid((0.085, 0.085, 0.04), (0.9, 0.85, 0.6), sides=20).shiny(0.8)
        pupil = white.scaled(0.6).painted(BLACK).moved(0, 0, side * 0.025)
        parts += [white.moved(*where), pupil.moved(*where)]
    return parts


def fish(rng: Generator) -> list[Part]:
    colours = [
        (0.95, 0.5, 0.1),
        (0.6, 0.64, 0.66),
        (0.45, 0.45, 0.3),
        (0.15, 0.35, 0.75),
        (0.95, 0.8, 0.15),
        (0.5, 0.38, 0.25),
        (0.8, 0.2, 0.12),
        (0.35, 0.5, 0.5),
        (0.7, 0.71, 0.7),
        (0.55, 0.55, 0.5),
        (0.36, 0.36, 0.26),
    ]
    colour = natural(rng, colours[int(rng.integers(len(colours)))])
    deep = rng.uniform(0.16, 0.42) if rng.random() < 0.5 else rng.uniform(0.3, 0.7)
    path = [(x, 0, 0) for x in (1.02, 0.85, 0.5, 0.0, -0.5, -0.85, -1.05)]
    radii = np.array([0.25, 0.6, 0.92, 1.0, 0.62, 0.28, 0.24]) * deep
    body = limb(path, list(radii), fur(rng, colour), blunt=8).shiny(0.45)
    body = fish_coat(rng, body, colour).scaled(1, 1, rng.uniform(0.38, 0.6))
    edge = [colour, colour * 0.7, colour * 0.85, np.array((0.9, 0.45, 0.1))][int(rng.integers(4))]
    fork, wide, high = rng.uniform(0, 0.35), rng.uniform(0.35, 0.65), rng.uniform(0.12, 0.4)
    stem = [(-0.98, 0.2 * deep, 0), (-0.98, -0.2 * deep, 0)]
    tail = [(-1.6, wide, 0), (-1.55 + fork / 2, wide / 2, 0), (-1.5 + fork, 0, 0)]
    tail += [(-1.55 + fork / 2, -wide / 2, 0), (-1.6, -wide, 0)]
    top = [(0.45, 0.85 * deep, 0), (0, 0.95 * deep, 0), (-0.6, 0.45 * deep, 0)]
    crest = [
        (0.25, deep + 0.7 * high, 0),
        (-0.1, deep + high, 0),
        (-0.85, 0.55 * deep + high / 2, 0),
    ]
    low = [(-0.15, -0.9 * deep, 0), (-0.6, -0.45 * deep, 0)]
    keel = [(-0.35, -deep - 0.6 * high, 0), (-0.85, -0.5 * deep - high / 2, 0)]
    parts = [
        body,
        fin(rng, stem, tail, edge),
        fin(rng, top, crest, edge),
        fin(rng, low, keel, edge),
    ]
    return [*parts, *fish_sides(rng, body, deep, edge)]


SMALL_ANIMALS = {"bird": bird, "fish": fish, "butterfly": butterfly}
