"""Small fine-tunes for tests: a random base, a few drawn pictures, what is typed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from postprocess.exports import EXPORTERS, Annotated
from postprocess.instances import Instance

SIDE = 96
COLOURS = {"cone": (240, 120, 20), "mug": (40, 90, 200)}


def instances_of(rng: np.random.Generator, *, masks: bool) -> list[Instance]:
    """A cone on the left and a mug on the right, each a block of whole pixels."""
    found = []
    for start, name in ((4, "cone"), (52, "mug")):
        x0, y0 = start + int(rng.integers(8)), int(rng.integers(4, 40))
        x1, y1 = x0 + int(rng.integers(20, 32)), y0 + int(rng.integers(20, 40))
        mask = np.zeros((SIDE, SIDE), bool)
        mask[y0:y1, x0:x1] = True
        found.append(Instance(name, (x0, y0, x1, y1), (x0, y0, x1, y1), mask if masks else None))
    return found


def annotated(folder: Path, count: int, *, masks: bool = False, seed: int = 3) -> list[Annotated]:
    """Pictures written into a folder, with the things in them."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    pictures = []
    for number in range(count):
        things = instances_of(rng, masks=masks)
        pixels = rng.integers(90, 160, (SIDE, SIDE, 3)).astype(np.uint8)
        for thing in things:
            x0, y0, x1, y1 = thing.pixels
            pixels[y0:y1, x0:x1] = COLOURS[thing.label]
        image = Image.fromarray(pixels)
        image.save(folder / f"{number:02d}.png")
        pictures.append(Annotated(f"{number:02d}.png", image.size, things, image))
    return pictures


def write_data(folder: Path, layout: str = "coco", *, count: int = 6, masks: bool = False) -> Path:
    """A data set of a layout, its pictures beside it."""
    EXPORTERS[layout](annotated(folder, count, masks=masks), folder)
    return folder


def words_of(data: Path, folder: Path, *more: str, model: str | Path) -> list[str]:
    """What is typed for a short run whose files lie in a folder."""
    words = ["finetune", str(data), "--name", "mine", "--out", str(folder / "out")]
    words += ["--runs", str(folder / "runs"), "--model", str(model), "--threads", "1"]
    words += ["--device", "cpu", "--batch", "2", "--scorings", "1", "--old-scenes", "0"]
    return [*words, *more]


def notes_of(folder: Path) -> dict:
    """`gemma_vision.json` of a folder."""
    return json.loads((folder / "gemma_vision.json").read_text("utf-8"))
