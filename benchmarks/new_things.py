"""New things: pictures of what no checkpoint here was taught, to learn from and to be asked about.

    python -m benchmarks.new_things OUT --seed 7 --count 100 --names "traffic cone ; mug ; key"

Cones, mugs, keys, lamps and boots drawn of polygons, each in colours, proportions and at an angle
of its own, on the backgrounds of scenes; COCO `annotations.json` with boxes and masks of what is
visible.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from PIL import Image
from pycocotools import mask as coco_mask

from gemma_vision.synthetic.backgrounds import draw_background

SIDE = 128  # of a drawing before it is placed
SMALLEST, LARGEST = 0.2, 0.6  # the longest side of a thing, of the picture's
MIN_VISIBLE = 0.75  # of a thing, where another lies over it
MAX_THINGS = 3
TRIES = 10

Colour = tuple[float, float, float]
Shape = tuple[np.ndarray, Colour]  # corners (K, 2) in 0..1, and what fills them
Drawing = Callable[[Generator], list[Shape]]


def lively(rng: Generator, base: Colour, spread: float = 40) -> Colour:
    """A colour near another."""
    r, g, b = np.clip(np.asarray(base) + rng.uniform(-spread, spread, 3), 5, 250)
    return float(r), float(g), float(b)


def oval(x: float, y: float, across: float, down: float) -> np.ndarray:
    """The corners of an ellipse about (x, y)."""
    turn = np.linspace(0, 2 * np.pi, 40)
    return np.stack([x + across * np.cos(turn), y + down * np.sin(turn)], 1)


def points(*corners: tuple[float, float]) -> np.ndarray:
    """Corners as an array."""
    return np.array(corners, float)


def cone(rng: Generator) -> list[Shape]:
    """A traffic cone with a foot and two pale bands."""
    body, pale = lively(rng, (240, 100, 20)), lively(rng, (240, 235, 230), 15)
    top, foot = rng.uniform(0.03, 0.07), rng.uniform(0.24, 0.32)

    def half(y: float) -> float:
        return top + (foot - top) * (y - 0.05) / 0.83

    def band(y0: float, y1: float) -> np.ndarray:
        a, b = half(y0), half(y1)
        return points((0.5 - a, y0), (0.5 + a, y0), (0.5 + b, y1), (0.5 - b, y1))

    wide = foot + rng.uniform(0.08, 0.14)
    base = points((0.5 - wide, 0.88), (0.5 + wide, 0.88), (0.5 + wide, 0.97), (0.5 - wide, 0.97))
    return [
        (base, body),
        (band(0.05, 0.88), body),
        (band(0.3, 0.42), pale),
        (band(0.56, 0.7), pale),
    ]


def mug(rng: Generator) -> list[Shape]:
    """A mug with a handle at its right."""
    paint, inside = lively(rng, rng.choice([(60, 110, 200), (200, 60, 70), (70, 160, 90)])), 60
    low, wide = rng.uniform(0.84, 0.93), rng.uniform(0.24, 0.29)
    left, right = 0.42 - wide, 0.42 + wide
    ring = np.concatenate([oval(right, 0.52, 0.21, 0.23), oval(right, 0.52, 0.12, 0.14)[::-1]])
    body = points((left, 0.15), (right, 0.15), (right - 0.03, low), (left + 0.03, low))
    dark = lively(rng, (inside, inside, inside), 20)
    return [(ring, paint), (body, paint), (oval(0.42, 0.15, wide, 0.06), dark)]


def key(rng: Generator) -> list[Shape]:
    """A key: a ring, a shaft and two teeth."""
    metal = lively(rng, rng.choice([(215, 175, 60), (170, 175, 185)]), 25)
    wide, shaft = rng.uniform(0.17, 0.22), rng.uniform(0.035, 0.055)
    ring = np.concatenate([oval(0.5, 0.24, wide, 0.19), oval(0.5, 0.22, wide / 2, 0.08)[::-1]])
    long = points((0.5 - shaft, 0.4), (0.5 + shaft, 0.4), (0.5 + shaft, 0.96), (0.5 - shaft, 0.96))
    teeth = []
    for y in (0.7, 0.85):
        reach = rng.uniform(0.13, 0.2)
        teeth.append(points((0.5, y), (0.5 + reach, y), (0.5 + reach, y + 0.07), (0.5, y + 0.07)))
    return [(one, metal) for one in (ring, long, *teeth)]


def lamp(rng: Generator) -> list[Shape]:
    """A lamp with a shade, a stem and a foot."""
    shade, stem = lively(rng, (235, 205, 120)), lively(rng, (90, 70, 60), 25)
    wide, high = rng.uniform(0.28, 0.36), rng.uniform(0.4, 0.5)
    top = points((0.36, 0.06), (0.64, 0.06), (0.5 + wide, high), (0.5 - wide, high))
    pole = points((0.46, high), (0.54, high), (0.54, 0.88), (0.46, 0.88))
    return [(pole, stem), (oval(0.5, 0.9, 0.24, 0.06), stem), (top, shade)]


def boot(rng: Generator) -> list[Shape]:
    """A boot with its toe at the right, and a sole."""
    skin, sole = lively(rng, (120, 75, 45), 35), lively(rng, (40, 35, 35), 15)
    toe, high = rng.uniform(0.8, 0.92), rng.uniform(0.05, 0.2)
    shape = points((0.2, high), (0.5, high), (0.52, 0.55), (toe, 0.68), (toe, 0.86), (0.2, 0.86))
    flat = points((0.18, 0.86), (toe + 0.02, 0.86), (toe + 0.02, 0.94), (0.18, 0.94))
    return [(shape, skin), (flat, sole)]


DRAWINGS: Mapping[str, Drawing] = {
    "traffic cone": cone,
    "mug": mug,
    "key": key,
    "lamp": lamp,
    "boot": boot,
}


def place(rng: Generator, shapes: Sequence[Shape], side: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw a thing somewhere in a square -> pixels (S, S, 3) and how much it covers (S, S)."""
    longest = float(np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST)))) * side
    angle = np.radians(np.clip(rng.normal(0, 12), -30, 30))
    middle = rng.uniform(0.45 * longest, side - 0.45 * longest, 2)
    scale = np.array([longest * np.exp(rng.uniform(-0.12, 0.12)), longest])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    pixels: np.ndarray = np.zeros((side, side, 3), np.float32)
    cover: np.ndarray = np.zeros((side, side), np.float32)
    light = rng.uniform(0.85, 1.1)
    for corners, colour in shapes:
        moved = ((corners - 0.5) * scale) @ turn.T + middle
        layer = np.zeros((side, side), np.uint8)
        fixed = np.round(moved * 16).astype(np.int32)
        cv2.fillPoly(layer, [fixed], 255, lineType=cv2.LINE_AA, shift=4)
        share = layer.astype(np.float32)[..., None] / 255
        pixels = pixels * (1 - share) + share * np.asarray(colour, np.float32) * light
        cover = np.maximum(cover, share[..., 0])
    return pixels, cover


def draw_picture(
    rng: Generator, names: Sequence[str], side: int
) -> tuple[np.ndarray, list[tuple[str, np.ndarray]]]:
    """A picture of one to four things -> pixels, and (name, mask) of what can be seen."""
    canvas: np.ndarray = draw_background(rng, side, side).astype(np.float32)
    masks: list[tuple[str, np.ndarray]] = []
    for _ in range(int(rng.integers(1, MAX_THINGS + 1))):
        name = str(rng.choice(list(names)))
        for _ in range(TRIES):
            pixels, cover = place(rng, DRAWINGS[name](rng), side)
            mask = cover > 0.5
            rest = [(label, seen & ~mask) for label, seen in masks]
            pairs = zip(masks, rest, strict=True)
            if all(left.sum() >= MIN_VISIBLE * seen.sum() for (_, seen), (_, left) in pairs):
                break
        else:
            continue
        share = cover[..., None]
        canvas = canvas * (1 - share) + pixels * share
        masks = [*rest, (name, mask)]
    return canvas.clip(0, 255).astype(np.uint8), masks


def write_pictures(
    folder: Path, *, seed: int, count: int, names: Sequence[str], side: int = 224
) -> Path:
    """Write pictures and their `annotations.json` -> the folder."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    images: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for number in range(1, count + 1):
        pixels, masks = draw_picture(rng, names, side)
        file = f"{number:04d}.png"
        Image.fromarray(pixels).save(folder / file)
        images.append({"id": number, "file_name": file, "width": side, "height": side})
        rows += [annotation(len(rows) + i, number, names, *one) for i, one in enumerate(masks, 1)]
    categories = [{"id": i, "name": name} for i, name in enumerate(names, 1)]
    coco = {"images": images, "categories": categories, "annotations": rows}
    (folder / "annotations.json").write_text(json.dumps(coco))
    return folder


def annotation(
    number: int, image: int, names: Sequence[str], name: str, mask: np.ndarray
) -> dict[str, Any]:
    """A thing as COCO has it, its mask as run-lengths."""
    runs = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    return {
        "id": number,
        "image_id": image,
        "category_id": names.index(name) + 1,
        "bbox": [int(edge) for edge in coco_mask.toBbox(runs)],
        "area": int(np.count_nonzero(mask)),
        "segmentation": {"size": list(runs["size"]), "counts": runs["counts"].decode("ascii")},
        "iscrowd": 0,
    }


def main(words: Sequence[str] | None = None) -> None:
    """Write what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.new_things", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--names", default="traffic cone ; mug ; key")
    options = parser.parse_args(words)
    names = [name.strip() for name in options.names.split(";")]
    write_pictures(options.out, seed=options.seed, count=options.count, names=names)


if __name__ == "__main__":
    main()
