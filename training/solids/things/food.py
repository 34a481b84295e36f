"""Food: dishes, each time of other proportions and colours."""

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
    "donut": donut,
    "pizza": pizza,
    "cake": cake,
    "hot dog": hot_dog,
    "sandwich": sandwich,
}
