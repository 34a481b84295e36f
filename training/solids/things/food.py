"""Food: fruit, vegetables and dishes, each time of other proportions and colours."""

import numpy as np
from numpy.random import Generator

from training.solids.meshes import (
    Part,
    arc,
    ellipsoid,
    joined,
    lathe,
    mottled,
    noise,
    prism,
    surface,
    tube,
    vary,
)

CRUST, CREAM = (0.72, 0.47, 0.22), (0.97, 0.93, 0.84)


def fruit_profile(dimple: float, waist: float, count: int = 40) -> np.ndarray:
    """Radius and height of a round fruit with dimples at both ends -> (count, 2)."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, count)
    height = np.sin(angle) - dimple * np.sign(angle) * np.exp(-np.square(np.cos(angle) / 0.28))
    width = np.cos(angle) * (1 + waist * np.sin(angle))
    return np.stack([np.maximum(width, 0), height], 1)


def apple(rng: Generator) -> list[Part]:
    colours = [(0.75, 0.08, 0.1), (0.45, 0.7, 0.15), (0.9, 0.75, 0.2), (0.6, 0.05, 0.08)]
    skin = vary(rng, colours[int(rng.integers(4))])
    body = lathe(fruit_profile(0.3, rng.uniform(0.08, 0.2)), skin, shine=0.4)
    body = body.scaled(1, rng.uniform(0.85, 1.0), 1).bumpy(rng, 0.02, 2)
    streaks = noise(rng, body.points * (6, 0.3, 6), 2.0)
    body = body.painted(vary(rng, (0.95, 0.8, 0.35)), np.clip(streaks - 0.6, 0, 0.6))
    bent = rng.uniform(-0.2, 0.2)
    stem = tube(
        [(0, 0.55, 0), (bent / 2, 0.9, 0), (bent, 1.2, 0)], [0.04, 0.04, 0.06], (0.3, 0.2, 0.1)
    )
    parts = [body, stem]
    if rng.random() < 0.4:
        leaf = ellipsoid((0.35, 0.03, 0.15), vary(rng, (0.25, 0.5, 0.15)))
        parts.append(leaf.moved(0.35).turned(25, "z").moved(0, 0.9))
    return parts


def orange(rng: Generator) -> list[Part]:
    skin = vary(rng, (0.95, 0.5, 0.05), 0.12)
    body = ellipsoid((1, rng.uniform(0.88, 1.0), 1), skin, sides=96).shiny(0.3)
    body = body.bumpy(rng, 0.008, 0.12).bumpy(rng, 0.015, 1.5)
    body = mottled(rng, body, skin * 0.85, 0.1, 0.3)
    parts = [body, ellipsoid((0.09, 0.03, 0.09), (0.35, 0.4, 0.15)).moved(0, 0.97)]
    if rng.random() < 0.25:
        leaf = ellipsoid((0.5, 0.04, 0.2), vary(rng, (0.15, 0.4, 0.12)))
        parts.append(leaf.moved(0.5).turned(20, "z").moved(0, 0.95))
    return parts


def banana(rng: Generator) -> list[Part]:
    bend, many = rng.uniform(70, 120), int(rng.choice([1, 1, 1, 2, 3, 4]))
    parts = []
    for number in range(many):
        path = np.column_stack([arc(3.0, -90 - bend / 2, -90 + bend / 2, 30), np.zeros(30)])
        t = np.linspace(0, 1, 30)
        thick = 0.42 * np.clip(np.sin(np.pi * np.clip(t * 0.9 + 0.07, 0, 1)), 0.2, 1) ** 0.6
        body = tube(path, thick, vary(rng, (0.95, 0.8, 0.15), 0.1), sides=6, shine=0.2)
        along = (body.points[:, 0] - body.points[:, 0].min()) / np.ptp(body.points[:, 0])
        tips = np.clip(np.maximum(0.06 - along, along - 0.95) * 40, 0, 1)
        body = body.painted((0.3, 0.22, 0.1), tips)
        green = np.clip(0.3 - along, 0, 0.3) * rng.uniform(0, 2)
        body = mottled(rng, body.painted((0.55, 0.65, 0.15), green), (0.5, 0.3, 0.1), 0.3, 0.05)
        parts.append(body.moved(0, 3).turned(14 * (number - many / 2), "x").moved(z=0.6 * number))
    tilt = rng.uniform(-30, 210)
    return [part.turned(tilt, "z") for part in parts]


def carrot(rng: Generator) -> list[Part]:
    length = rng.uniform(4, 6)
    height = np.linspace(0, length, 60)
    radius = np.clip(height / length, 0.02, 1) ** rng.uniform(0.5, 0.8) * 0.75
    radius[-6:] *= np.linspace(1, 0.25, 6)
    body = lathe(np.stack([radius, height], 1), vary(rng, (0.95, 0.45, 0.08)), shine=0.2)
    rings = np.sin(body.points[:, 1] * 9 + 3 * noise(rng, body.points, 2))
    body = body.painted((0.75, 0.3, 0.05), np.clip(rings - 0.75, 0, 1) * 2)
    parts = [body]
    for _ in range(int(rng.integers(0, 2)) * int(rng.integers(6, 14))):
        x, z = rng.normal(0, 0.5, 2)
        path = [(0, length, 0), (x / 2, length + 1, z / 2), (1.5 * x, length + 2.2, 1.5 * z)]
        green = vary(rng, (0.25, 0.55, 0.15), 0.2)
        parts.append(tube(path, [0.09, 0.08, 0.04], green, sides=6))
        tuft = ellipsoid((0.3, 0.5, 0.3), green, sides=12).bumpy(rng, 0.3, 0.3)
        parts.append(tuft.moved(1.5 * x, length + 2.2, 1.5 * z))
    tilt = rng.choice([90, -90, 180, rng.uniform(0, 360)])
    return [part.turned(tilt, "z") for part in parts]


def broccoli(rng: Generator) -> list[Part]:
    stem = vary(rng, (0.6, 0.72, 0.35))
    parts = [lathe([(0.01, -1.6), (0.5, -1.6), (0.42, -0.8), (0.7, 0)], stem)]
    green = vary(rng, (0.2, 0.42, 0.14), 0.15)
    for _ in range(int(rng.integers(14, 22))):
        angle, out = rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform(0, 1)) * 1.25
        x, z = out * np.cos(angle), out * np.sin(angle)
        y = 0.75 - 0.35 * out**2 + rng.normal(0, 0.08)
        size = rng.uniform(0.42, 0.6)
        head = ellipsoid((size, size * 0.85, size), vary(rng, green, 0.12), sides=30).shiny(0.02)
        head = mottled(rng, head.bumpy(rng, 0.14, 0.16), green * 1.5, 0.16, 0.35)
        parts.append(head.moved(x, y, z))
        parts.append(tube([(0, -0.6, 0), (x * 0.8, y - 0.2, z * 0.8)], [0.2, 0.14], stem, sides=8))
    return parts


def ring(radius: float, thick: float, colour: np.ndarray, start: float, end: float) -> Part:
    """A torus about the y axis; start and end in degrees around its tube, 90 is its top."""
    profile = arc(thick, start, end, 25) + np.array((radius, 0))
    return lathe(profile, colour)


def donut(rng: Generator) -> list[Part]:
    thick = rng.uniform(0.38, 0.48)
    dough = mottled(rng, ring(1, thick, vary(rng, CRUST), 0, 360), (0.85, 0.65, 0.35), 0.8, 0.4)
    icing = [(0.95, 0.55, 0.7), (0.3, 0.16, 0.08), (0.95, 0.93, 0.9), (0.55, 0.75, 0.9), CRUST]
    colour = vary(rng, icing[int(rng.integers(5))])
    glaze = ring(1, thick * 1.06, colour, -10, 190).shiny(0.6)
    wave = 1 + 0.05 * noise(rng, glaze.points * (1, 0, 1), 1.2)
    parts = [dough, glaze.scaled(1, 1, 1)]
    parts[1] = Part(glaze.points * wave[:, None], glaze.faces, glaze.colours, 0.6)
    for _ in range(int(rng.choice([0, 40, 70]))):
        angle, about = rng.uniform(0, 360), rng.uniform(25, 155)
        crumb = ellipsoid((0.1, 0.025, 0.025), rng.uniform(0.1, 1, 3), sides=8)
        crumb = crumb.turned(rng.uniform(0, 180)).turned(about - 90, "z")
        reach = thick * 1.1
        x, y = 1 + reach * np.cos(np.radians(about)), reach * np.sin(np.radians(about))
        parts.append(crumb.moved(x, y).turned(angle))
    return [joined(parts[:1]), parts[1], *([joined(parts[2:])] if parts[2:] else [])]


def pizza(rng: Generator) -> list[Part]:
    """Whole, or a slice of it."""
    is_slice = rng.random() < 0.4
    spread = 50 if is_slice else 360
    angle = np.radians(np.linspace(90 - spread / 2, 90 + spread / 2, 49))
    out = np.linspace(0, 1, 30)
    x, z = 3 * np.outer(out, np.cos(angle)), 3 * np.outer(out, np.sin(angle))
    y = np.zeros_like(x) + 0.12
    top = surface(np.stack([x, y, z], -1), vary(rng, (0.95, 0.78, 0.35)))
    top = mottled(rng, top, (0.8, 0.25, 0.1), 0.9, 0.35)
    top = mottled(rng, top, (0.75, 0.5, 0.2), 0.5, 0.15)
    crumpled = top.points + np.array([0, 0.07, 0]) * noise(rng, top.points, 0.6)[:, None]
    top = Part(crumpled, top.faces, top.colours, 0.3)
    rim = np.column_stack([3 * np.cos(angle), np.full(49, 0.1), 3 * np.sin(angle)])
    crust = mottled(rng, tube(rim, 0.25, vary(rng, CRUST)), (0.5, 0.28, 0.1), 0.8, 0.3)
    base = surface(np.stack([x, y - 0.12, z], -1), CRUST)
    parts = [top, crust, base]
    spots = []
    for _ in range(4 if is_slice else int(rng.integers(9, 18))):
        around = np.radians(rng.uniform(90 - spread / 2 + 6, 90 + spread / 2 - 6))
        far = 2.5 * np.sqrt(rng.uniform(0.1, 1))
        kinds = [(0.65, 0.1, 0.06), (0.2, 0.4, 0.12), (0.15, 0.1, 0.1), (0.85, 0.75, 0.6)]
        colour = vary(rng, kinds[int(rng.choice(4, p=(0.6, 0.15, 0.15, 0.1)))])
        size = rng.uniform(0.25, 0.42)
        spot = ellipsoid((size, 0.08, size), colour, sides=20)
        spots.append(spot.moved(far * np.cos(around), 0.17, far * np.sin(around)))
    return [*parts, joined(spots)]


def cake(rng: Generator) -> list[Part]:
    """Round with cream on top, or a piece of it."""
    height, layers = rng.uniform(0.9, 1.4), int(rng.integers(2, 5))
    sponge, cream = vary(rng, (0.8, 0.55, 0.25)), vary(rng, CREAM)
    if rng.random() < 0.5:
        sponge, cream = vary(rng, (0.3, 0.16, 0.1)), vary(rng, (0.9, 0.6, 0.65))
    is_slice = rng.random() < 0.4
    angles = np.linspace(60, 120, 20) if is_slice else np.linspace(0, 360, 60)
    outline = 2 * np.stack([np.cos(np.radians(angles)), np.sin(np.radians(angles))], 1)
    if is_slice:
        outline = np.concatenate([outline, [(0, 0)]])
    parts = []
    for number in range(layers):
        for colour, share, lift in ((sponge, 0.75, 0.0), (cream, 0.25, 0.75)):
            thick = height * share / layers
            level = height * (number + lift) / layers + thick / 2
            parts.append(prism(outline, thick, colour).turned(-90, "x").moved(0, level))
    is_coated = not is_slice and rng.random() < 0.6
    if is_coated:
        parts.append(lathe([(0, height), (2.06, height), (2.06, 0), (0, 0)], cream, sides=60))
    for degrees in np.arange(70, 111, 20) if is_slice else np.arange(0, 360, 30):
        x, z = 1.6 * np.cos(np.radians(degrees)), -1.6 * np.sin(np.radians(degrees))
        puff = lathe([(0.3, 0), (0.28, 0.15), (0.12, 0.3), (0.01, 0.42)], CREAM, sides=12)
        parts.append(puff.moved(x, height, z))
        if rng.random() < 0.7:
            berry = ellipsoid((0.16, 0.16, 0.16), (0.75, 0.05, 0.1), sides=16).shiny(0.6)
            parts.append(berry.moved(x, height + 0.42, z))
    return parts


def hot_dog(rng: Generator) -> list[Part]:
    line = np.column_stack([np.linspace(-2.2, 2.2, 24), np.zeros(24), np.zeros(24)])
    round_ends = np.clip(1 - np.abs(np.linspace(-1, 1, 24)) ** 6, 0.15, 1)
    bun = tube(line, 0.62 * round_ends, vary(rng, (0.85, 0.6, 0.3)), sides=24).scaled(1, 0.9, 0.75)
    bun = mottled(rng, bun, (0.7, 0.42, 0.16), 1.5, 0.4)
    sausage = tube(line * 1.12 + (0, 0.35, 0), 0.38 * round_ends, vary(rng, (0.6, 0.22, 0.12)))
    parts = [bun.moved(z=-0.42), bun.moved(z=0.42), sausage.shiny(0.5)]
    if rng.random() < 0.8:
        x = np.linspace(-2, 2, 60)
        path = np.column_stack([x, np.full(60, 0.72), 0.18 * np.sin(6 * x)])
        sauce = (0.9, 0.75, 0.1) if rng.random() < 0.6 else (0.75, 0.1, 0.05)
        parts.append(tube(path, 0.08, sauce, sides=8))
    return parts


def sandwich(rng: Generator) -> list[Part]:
    """Slices of bread with things between them, cut across or not."""
    outline = np.array([(-1.5, -0.75), (1.5, -0.75), (0, 0.75)])
    if rng.random() < 0.4:
        outline = np.array([(-1.3, -1.3), (1.3, -1.3), (1.3, 1.3), (-1.3, 1.3)])
    fillings = [(0.35, 0.6, 0.2), (0.85, 0.5, 0.5), (0.95, 0.75, 0.2), (0.75, 0.15, 0.1)]
    parts, level = [], 0.0
    inside = [(fillings[int(rng.integers(4))], rng.uniform(0.06, 0.16)) for _ in range(4)]
    for colour, thick in [(None, 0.35), *inside, (None, 0.35)]:
        layer = prism(outline * (1 if colour is None else rng.uniform(0.98, 1.08)), thick, CREAM)
        layer = layer.painted(vary(rng, (0.93, 0.84, 0.66) if colour is None else colour))
        if colour is None:
            edge = np.abs(layer.points[:, 2]) > thick / 2 - 1e-6
            layer = layer.painted(CRUST, 0.5 * edge)
        parts.append(layer.turned(-90, "x").moved(0, level + thick / 2))
        level += thick
    return parts


FOOD = {
    "apple": apple,
    "orange": orange,
    "banana": banana,
    "carrot": carrot,
    "broccoli": broccoli,
    "donut": donut,
    "pizza": pizza,
    "cake": cake,
    "hot dog": hot_dog,
    "sandwich": sandwich,
}
