"""Fruit and vegetables, each time of other proportions and colours."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from training.solids.meshes import (
    Part,
    arc,
    ellipsoid,
    lathe,
    mottled,
    noise,
    tube,
    vary,
)


def fruit_profile(dimple: float, waist: float, count: int = 40) -> np.ndarray:
    """Radius and height of a round fruit with dimples at both ends -> (count, 2)."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, count)
    height = np.sin(angle) - dimple * np.sign(angle) * np.exp(-np.square(np.cos(angle) / 0.28))
    width = np.cos(angle) * (1 + waist * np.sin(angle))
    return np.stack([np.maximum(width, 0), height], 1)


def some_of(rng: Generator, one: Callable[[Generator], list[Part]]) -> list[Part]:
    """A thing by itself, or a few of them side by side."""
    parts, many = one(rng), int(rng.choice((1, 1, 1, 1, 1, 1, 1, 2, 3)))
    for number in range(1, many):
        turn, far = rng.uniform(0, 360), rng.uniform(-0.5, 0.5)
        parts += [part.turned(turn).moved(1.8 * number, 0, far) for part in one(rng)]
    return parts


def one_apple(rng: Generator) -> list[Part]:
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


def apple(rng: Generator) -> list[Part]:
    return some_of(rng, one_apple)


def orange(rng: Generator) -> list[Part]:
    return some_of(rng, one_orange)


def one_orange(rng: Generator) -> list[Part]:
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


FRUIT = {
    "apple": apple,
    "orange": orange,
    "banana": banana,
    "carrot": carrot,
    "broccoli": broccoli,
}
