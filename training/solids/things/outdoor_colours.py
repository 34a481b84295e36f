"""Outdoor colours: those of houses, plants, signs and toys of the wind."""

import numpy as np
from numpy.random import Generator

from training.solids.meshes import vary

GLASS, BLACK, STEEL, WHITE = (0.14, 0.18, 0.24), (0.08, 0.08, 0.09), (0.6, 0.61, 0.63), (0.94,) * 3
WOOD, CLAY, SOIL = (0.4, 0.28, 0.17), (0.72, 0.38, 0.24), (0.2, 0.14, 0.1)
BRIGHT = [(0.85, 0.1, 0.12), (0.1, 0.3, 0.75), (0.97, 0.8, 0.1), (0.1, 0.6, 0.3)]
BRIGHT += [(0.95, 0.5, 0.08), (0.55, 0.2, 0.6), (0.9, 0.4, 0.6), (0.2, 0.65, 0.8)]


def bright(rng: Generator) -> np.ndarray:
    return vary(rng, BRIGHT[int(rng.integers(len(BRIGHT)))])
