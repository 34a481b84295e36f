"""Butterflies: each time of other wings and colours; they face along x."""

import numpy as np
from numpy.random import Generator

from training.solids.animals.coats import fur, limb
from training.solids.meshes import Part, ellipsoid, surface, tube, vary

BLACK, WHITE = (0.06, 0.05, 0.05), (0.93, 0.91, 0.87)
FORE = [0.0, 0, 0.5, 0.35, 0.95, 0.85, 1.12, 1.3, 1.0, 1.45, 0.7, 1.35, 0.35, 1.15, 0.05, 1.0]
FORE_WING = np.array([*FORE, -0.02, 0.5, -0.1, 0]).reshape(-1, 2)
HIND = [0.1, 0, 0.15, 0.5, 0.1, 0.95, -0.15, 1.1, -0.5, 1.05, -0.85, 0.8, -1.0, 0.5, -0.85, 0.3]
HIND_WING = np.array([*HIND, -0.5, 0.1, -0.1, 0]).reshape(-1, 2)


def wing_sheet(outline: np.ndarray, paint: dict[str, np.ndarray], seed: int) -> Part:
    """A flat wing (x, z) from its root at the origin, with dark rim, veins and dots."""
    same = np.random.default_rng(seed)  # both sides alike
    out = np.linspace(0, 1, 50)[:, None, None]
    grid = np.insert(outline[None] * out, 1, 0.03 * np.sin(np.pi * out[..., 0]), axis=2)
    sheet = surface(grid, paint["ground"], 0.1)
    far = np.repeat(out[:, 0, 0], len(outline))
    about = np.tile(np.linspace(0, 1, len(outline)), 50)
    sheet = sheet.painted(paint["inner"], np.clip(1 - far * 1.6, 0, 1))
    veins = np.clip(np.abs(np.sin(7 * np.pi * about)) ** 0.3 * -9 + 5.5, 0, 1)
    rim = same.uniform(0.75, 0.93)
    dark = np.clip((far - rim) * 30 + np.sin(44 * about), 0, 1)
    sheet = sheet.painted(paint["rim"], veins * same.uniform(0.2, 1)).painted(paint["rim"], dark)
    dots = np.hypot((far - rim - 0.06) * 22, np.sin(12 * np.pi * about) * 1.4)
    sheet = sheet.painted(paint["dots"], np.clip(1.6 - dots * 1.6, 0, 1) * (same.random() < 0.6))
    if same.random() < 0.5:
        eye = np.hypot(*(sheet.points[:, [0, 2]] - outline[len(outline) // 2] * 0.6).T)
        sheet = sheet.painted(paint["rim"], np.clip((0.2 - eye) * 30, 0, 1))
        sheet = sheet.painted(paint["dots"], np.clip((0.11 - eye) * 30, 0, 1))
    return sheet


def rounded(line: np.ndarray) -> np.ndarray:
    """An outline (K, 2) through corners, smoothed -> (140, 2)."""
    knots, share = np.linspace(0, 1, len(line)), np.linspace(0, 1, 140)
    kernel = np.hanning(19)[1:-1] / np.hanning(19).sum()
    columns = [np.pad(np.interp(share, knots, column), 8, mode="edge") for column in line.T]
    return np.stack([np.convolve(column, kernel, "valid") for column in columns], 1)


def butterfly(rng: Generator) -> list[Part]:
    grounds = [
        (0.92, 0.45, 0.08),
        (0.15, 0.4, 0.85),
        (0.95, 0.85, 0.25),
        (0.93, 0.92, 0.85),
        (0.75, 0.2, 0.1),
        (0.45, 0.28, 0.15),
        (0.2, 0.6, 0.5),
    ]
    ground = vary(rng, grounds[int(rng.integers(7))], 0.1)
    rims = [np.array(BLACK), np.array((0.2, 0.11, 0.06)), ground * 0.5]
    paint = {
        "ground": ground,
        "rim": rims[int(rng.choice(3, p=(0.6, 0.25, 0.15)))],
        "inner": np.clip(ground * rng.uniform(0.6, 1.3), 0, 1),
        "dots": np.array([WHITE, (0.95, 0.8, 0.3), (0.3, 0.5, 0.9)][int(rng.integers(3))]),
    }
    raised, seed = rng.uniform(0, 70), int(rng.integers(1 << 30))
    tail = rng.uniform(0, 0.5) * (rng.random() < 0.3)
    parts = []
    for corners, lift in ((FORE_WING, 0.0), (HIND_WING, -0.02)):
        line = np.asarray(corners) * rng.uniform(0.9, 1.1, 2)
        line[6, 0] -= tail * (lift < 0)
        edge = rounded(line)
        for side in (1, -1):
            sheet = wing_sheet(edge, paint, seed)
            sheet = sheet.turned(-raised, "x").scaled(1, 1, side)
            parts.append(sheet.moved(0.1, lift, side * 0.05))
    skin = vary(rng, (0.16, 0.12, 0.1))
    path = [(-0.85, -0.04, 0), (-0.3, 0, 0), (0.15, 0.02, 0), (0.45, 0.02, 0)]
    parts.append(limb(path, (0.05, 0.085, 0.12, 0.09), fur(rng, skin)))
    parts.append(ellipsoid((0.1, 0.09, 0.11), skin, sides=20).moved(0.52, 0.03))
    for side in (1, -1):
        feeler = [(0.55, 0.06, side * 0.04), (0.85, 0.2, side * 0.18), (1.1, 0.25, side * 0.34)]
        parts.append(tube(feeler, [0.018, 0.015, 0.03], skin, sides=8))
        eye = ellipsoid((0.05, 0.05, 0.04), BLACK, sides=12).shiny(0.8)
        parts.append(eye.moved(0.57, 0.05, side * 0.09))
    tilt = rng.choice([-75.0, -50.0, 60.0, 75.0, 0.0])
    return [part.turned(tilt, "x") for part in parts]
