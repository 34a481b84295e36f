"""Beasts: animals on four legs, each of other proportions, coat and pose; they face along x."""

import numpy as np
from numpy.random import Generator

from training.solids.animals.birds_and_fish import SMALL_ANIMALS
from training.solids.animals.coats import fur, limb, natural, patched, striped, woolly
from training.solids.animals.quadrupeds import BLACK, PINK, WHITE, BodyFrame, beast
from training.solids.meshes import Part, ellipsoid, mottled, surface

REST = ("standing", "walking", "sitting", "lying")


def cat(rng: Generator) -> list[Part]:
    colours = [(0.75, 0.48, 0.24), (0.5, 0.45, 0.38), (0.42, 0.42, 0.43), (0.1, 0.09, 0.09), WHITE]
    colour = natural(rng, colours[int(rng.integers(5))])
    frame = BodyFrame(
        height=0.95,
        trunk=(0.36, 0.34, 0.33),
        leg=(0.17, 0.085),
        neck=(0.12, 45, 0.27, 0.25),
        head=(0.35, 0.34, 0.13),
        ears=(0.3, 0.16, 70),
        tail=(1.5, 0.085, 0.07),
        pitch=-5,
        has_hooves=False,
        long=0.75,
        nose=(0.6, 0.38, 0.36),
        belly=WHITE if rng.random() < 0.5 else None,
    )
    coat = fur(rng, colour, second=WHITE if rng.random() < 0.3 else None)
    if rng.random() < 0.6:
        coat = striped(rng, colour, colour * 0.5, rng.uniform(16, 24), 0.2, 1.2)
    pale = np.clip(colour * 1.3 + 0.1, 0, 1) if rng.random() < 0.6 else None
    return beast(rng, frame, coat, poses=REST, muzzle=pale)


def dog(rng: Generator) -> list[Part]:
    colours = [(0.72, 0.52, 0.3), (0.35, 0.22, 0.13), (0.1, 0.09, 0.09), (0.85, 0.76, 0.6), WHITE]
    colour = natural(rng, colours[int(rng.integers(5))])
    ears = (0.42, 0.16, rng.choice([-40.0, -55.0, 65.0]))
    frame = BodyFrame(
        height=rng.uniform(0.95, 1.3),
        trunk=(0.35, 0.32, 0.43),
        leg=(0.2, 0.09),
        neck=(0.42, 55, 0.29, 0.24),
        head=(rng.uniform(0.6, 0.8), 0.29, 0.16),
        ears=ears,
        tail=(0.9, 0.09, 0.05),
        pitch=-15,
        has_hooves=False,
        long=0.85,
        belly=WHITE if rng.random() < 0.4 else None,
    )
    second = [None, WHITE, (0.5, 0.3, 0.15), BLACK][int(rng.integers(4))]
    muzzle = [None, WHITE, (0.15, 0.11, 0.09)][int(rng.integers(3))]
    return beast(rng, frame, fur(rng, colour, second=second), poses=REST, muzzle=muzzle)


def horse(rng: Generator) -> list[Part]:
    colours = [(0.42, 0.22, 0.11), (0.28, 0.15, 0.09), (0.6, 0.35, 0.17), BLACK, (0.8, 0.78, 0.75)]
    colour = natural(rng, colours[int(rng.integers(5))])
    hair = colour * 0.35 if rng.random() < 0.7 else np.array((0.85, 0.78, 0.62))
    frame = BodyFrame(
        height=rng.uniform(1.5, 1.65),
        trunk=(0.46, 0.45, 0.46),
        leg=(0.25, 0.075),
        neck=(0.85, 48, 0.38, 0.2),
        head=(0.75, 0.22, 0.14),
        ears=(0.24, 0.07, 80),
        tail=(1.15, 0.12, 0.1),
        pitch=-48,
    )
    coat = fur(rng, colour, second=WHITE if rng.random() < 0.2 else None)
    return beast(rng, frame, coat, mane=hair, graze=0.25, muzzle=colour * 0.6)


def sheep(rng: Generator) -> list[Part]:
    wools = [(0.88, 0.84, 0.75), (0.8, 0.75, 0.65), (0.35, 0.28, 0.23)]
    wool = natural(rng, wools[rng.choice(3, p=(0.5, 0.4, 0.1))])
    skin = natural(
        rng, [(0.12, 0.1, 0.1), (0.85, 0.78, 0.7), (0.6, 0.5, 0.42)][int(rng.integers(3))]
    )
    frame = BodyFrame(
        height=1.05,
        trunk=(0.45, 0.48, 0.48),
        leg=(0.17, 0.08),
        neck=(0.28, 40, 0.34, 0.24),
        head=(0.5, 0.21, 0.14),
        ears=(0.3, 0.09, 5),
        tail=(0.35, 0.12, 0.1),
        pitch=-30,
        width=0.95,
        long=0.9,
    )
    body = beast(rng, frame, fur(rng, skin), graze=0.3)
    fleece = body[1].bumpy(rng, 0.01, 0.15)
    fleece = mottled(rng, fleece.painted(wool), wool * 0.82, 0.12, 0.4)
    return [body[0].painted(wool), fleece, *body[2:-1], body[-1].painted(wool), *woolly(rng, wool)]


def horns(rng: Generator, frame: BodyFrame) -> list[Part]:
    """Two that bend up and out."""
    skull, long = frame.head[1], rng.uniform(0.15, 0.45)
    coat = fur(rng, (0.85, 0.78, 0.62))
    pairs: list[Part] = []
    for side in (1, -1):
        z = side * 0.5 * skull
        path = [(-0.1, 0.7 * skull, z), (0, 0.9 * skull, z + side * 0.7 * long)]
        path.append((0.1, 0.9 * skull + long, z + side * long))
        pairs.append(limb(path, (0.06, 0.05, 0.02), coat))
    return pairs


def cow(rng: Generator) -> list[Part]:
    frame = BodyFrame(
        height=1.32,
        trunk=(0.5, 0.56, 0.52),
        leg=(0.24, 0.1),
        neck=(0.4, 22, 0.4, 0.28),
        head=(0.7, 0.27, 0.2),
        ears=(0.34, 0.12, 12),
        tail=(1.0, 0.05, 0.09),
        pitch=-35,
        nose=(0.35, 0.22, 0.2),
    )
    patch = [BLACK, (0.42, 0.2, 0.1)][int(rng.integers(2))]
    coat = fur(rng, WHITE, second=patch)
    if rng.random() < 0.3:
        coat = fur(
            rng, natural(rng, [(0.45, 0.24, 0.12), (0.75, 0.58, 0.38)][int(rng.integers(2))])
        )
    has_horns = rng.random() < 0.5
    udder = ellipsoid((0.24, 0.2, 0.2), PINK, sides=20).moved(-0.5, 0.78, 0)
    extra = horns if has_horns else None
    return [*beast(rng, frame, coat, graze=0.35, muzzle=PINK, extra=extra), udder]


def trunk(rng: Generator, frame: BodyFrame) -> list[Part]:
    """Trunk, tusks and great ears of an elephant."""
    coat, curl = fur(rng, (0.47, 0.45, 0.44)), rng.uniform(-0.2, 0.7)
    path = [(0.35, 0, 0), (0.62, -0.3, 0), (0.72, -0.75, 0), (0.72, -1.2, 0)]
    path.append((0.8 + curl * 0.6, -1.45 + max(curl, 0) * 0.4, 0))
    parts = [limb(path, (0.3, 0.22, 0.16, 0.12, 0.08), coat)]
    long, spread = rng.uniform(0.3, 0.7), rng.uniform(25, 60)
    for side in (1, -1):
        tusk = [(0.4, -0.3, side * 0.2), (0.65, -0.55, side * 0.25)]
        tusk.append((0.75 + long * 0.6, -0.6, side * 0.28))
        parts.append(limb(tusk, (0.07, 0.06, 0.025), fur(rng, (0.92, 0.88, 0.78))))
        out = np.linspace(0, 1, 20)[:, None] * np.ones((1, 20))
        about = np.radians(np.linspace(-125, 100, 20))[None]
        x, y = 0.65 * out * np.cos(about) + 0.1, 0.72 * out * np.sin(about)
        flap = np.stack([-x, y, 0.05 * np.sin(4 * out + 2 * about) + 0.05], -1)
        sheet = surface(flap * (1, 1, side), (0, 0, 0), 0.05)
        sheet = coat(sheet, sheet.points[:, 0]).turned(side * spread)
        parts.append(sheet.moved(0.0, 0.05, side * 0.4))
    return parts


def elephant(rng: Generator) -> list[Part]:
    grey = natural(rng, (0.47, 0.45, 0.44), 0.15)
    frame = BodyFrame(
        height=1.6,
        trunk=(0.66, 0.74, 0.7),
        leg=(0.36, 0.22),
        neck=(0.2, 25, 0.52, 0.42),
        head=(0.5, 0.45, 0.3),
        ears=(0.1, 0.05, 20),
        tail=(1.0, 0.06, 0.04),
        pitch=-5,
        nose=(0.4, 0.38, 0.37),
        long=0.9,
        has_hooves=False,
    )
    parts = beast(rng, frame, fur(rng, grey), extra=trunk)
    return [mottled(rng, part, part.colours * 0.88, 0.06, 0.4) for part in parts]


def bear(rng: Generator) -> list[Part]:
    colours = [(0.33, 0.2, 0.11), (0.45, 0.3, 0.17), (0.1, 0.08, 0.08), (0.9, 0.87, 0.78)]
    colour = natural(rng, colours[int(rng.integers(4))])
    frame = BodyFrame(
        height=1.15,
        trunk=(0.54, 0.54, 0.52),
        leg=(0.32, 0.19),
        neck=(0.3, 20, 0.45, 0.36),
        head=(0.66, 0.37, 0.19),
        ears=(0.17, 0.12, 60),
        tail=(0.2, 0.1, 0.08),
        pitch=-18,
        has_hooves=False,
        long=0.9,
    )
    pale = np.clip(colour * 1.4 + 0.05, 0, 1)
    poses = ("standing", "walking", "walking", "sitting", "lying")
    return beast(rng, frame, fur(rng, colour), poses=poses, graze=0.15, muzzle=pale)


def zebra(rng: Generator) -> list[Part]:
    frame = BodyFrame(
        height=1.45,
        trunk=(0.47, 0.48, 0.46),
        leg=(0.25, 0.08),
        neck=(0.7, 48, 0.38, 0.22),
        head=(0.68, 0.23, 0.14),
        ears=(0.28, 0.09, 75),
        tail=(0.9, 0.06, 0.07),
        pitch=-45,
    )
    coat = striped(rng, WHITE, BLACK, rng.uniform(22, 30), rng.uniform(-0.2, 0.1), 4)
    return beast(rng, frame, coat, mane=coat, graze=0.3, muzzle=(0.16, 0.13, 0.12))


def knobs(rng: Generator, frame: BodyFrame) -> list[Part]:
    """The two short horns of a giraffe."""
    coat, skull = fur(rng, (0.4, 0.25, 0.14)), frame.head[1]
    ends = [(-0.02, 0.6 * skull, 0.4 * skull), (-0.1, 1.9 * skull, 0.5 * skull)]
    horn = limb([ends[0], ends[1]], (0.035, 0.05), coat)
    return [horn, horn.scaled(1, 1, -1)]


def giraffe(rng: Generator) -> list[Part]:
    brown = natural(rng, [(0.55, 0.31, 0.13), (0.42, 0.22, 0.1)][int(rng.integers(2))])
    frame = BodyFrame(
        height=2.15,
        trunk=(0.42, 0.47, 0.5),
        leg=(0.25, 0.09),
        neck=(2.1, 64, 0.36, 0.17),
        head=(0.62, 0.19, 0.12),
        ears=(0.26, 0.07, 20),
        tail=(1.0, 0.05, 0.07),
        pitch=-30,
        slope=0.25,
        long=0.8,
    )
    coat = patched(rng, natural(rng, (0.88, 0.76, 0.55)), brown, rng.uniform(0.8, 1.3))
    return beast(rng, frame, coat, mane=brown, muzzle=(0.72, 0.58, 0.42), extra=knobs)


ANIMALS = {
    "cat": cat,
    "dog": dog,
    "horse": horse,
    "sheep": sheep,
    "cow": cow,
    "elephant": elephant,
    "bear": bear,
    "zebra": zebra,
    "giraffe": giraffe,
    **SMALL_ANIMALS,
}
