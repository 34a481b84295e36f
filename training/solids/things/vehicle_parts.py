"""Vehicle parts: paint, wheels and windows of what drives along x."""

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from training.solids.meshes import Part, arc, box, joined, lathe, prism, vary

GLASS, BLACK, STEEL, WHITE = (0.1, 0.13, 0.17), (0.07, 0.07, 0.08), (0.66, 0.67, 0.7), (0.93,) * 3
PAINTS = [(0.7, 0.07, 0.08), (0.1, 0.22, 0.55), (0.9, 0.9, 0.9), (0.62, 0.64, 0.67)]
PAINTS += [(0.12, 0.12, 0.13), (0.1, 0.35, 0.2), (0.92, 0.72, 0.1), (0.35, 0.6, 0.8)]


def paint(rng: Generator) -> np.ndarray:
    return vary(rng, PAINTS[int(rng.integers(len(PAINTS)))])


def disc(radius: float, depth: float, colour: ArrayLike, shine: float = 0.15) -> Part:
    return prism(arc(radius, 0, 360, 33)[:-1], depth, colour, shine=shine)


def wheels(spots: list[float], half: float, radius: float, width: float) -> list[Part]:
    """Tyres and hubs at both sides, standing on the ground at y = 0."""
    edge = [(0.6, -0.5), (0.93, -0.5), (1, -0.3), (1, 0.3), (0.93, 0.5), (0.6, 0.5)]
    tyre = lathe(np.multiply(edge, (radius, width)), BLACK).turned(90, "x")
    hub = disc(0.62 * radius, 0.86 * width, STEEL)
    cap = joined([hub, disc(0.2 * radius, width, (0.3, 0.3, 0.32))])
    places = [(x, radius, z) for x in spots for z in (-half, half)]
    tyres = [tyre.moved(*place) for place in places]
    return [joined(tyres), joined([cap.moved(*place) for place in places]).shiny(0.5)]


def panes(ends: tuple[float, float], levels: tuple[float, float], depth: float, count: int) -> Part:
    """A row of dark windows, right through to the other side."""
    width, height = (ends[1] - ends[0]) / count, levels[1] - levels[0]
    pane = box((0.86 * width, height, depth), GLASS)
    middles = ends[0] + width * (np.arange(count) + 0.5)
    return joined([pane.moved(x, levels[0] + height / 2) for x in middles]).shiny(0.8)
