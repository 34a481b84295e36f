"""A second way to compose scenes, for tests: does the checkpoint know things, or one compositor?

It shares the drawings and the data set's description with `training`, and no code: Pillow resizes,
turns and pastes, backgrounds are photographs of textures, pictures have other sizes and shapes, and
some have a border. `python tests/second_composer.py SEED COUNT DIR` writes a COCO folder.
"""

from __future__ import annotations

import json
import math
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageOps
from pycocotools import mask as coco_mask

ATLAS = Path(__file__).parent.parent / "gemma_vision" / "synthetic" / "data" / "emoji_atlas.npz"
NUM_NAMES = 16
SIZES = ((320, 240), (240, 320), (480, 270), (300, 200), (400, 400), (160, 200))
SMALLEST, LARGEST = 0.16, 0.65  # longest side, as a share of the picture's
MOST_OVERLAP, LEAST_VISIBLE = 0.25, 0.35
TRIES = 40


@dataclass(frozen=True)
class Placed:
    """One drawing in a picture: name -1 for a thing without one; solid (H, W) bool."""

    name: int
    solid: np.ndarray


@cache
def drawings() -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Sprites (S, 128, 128, 4), their names' indices, the names."""
    with np.load(ATLAS, allow_pickle=False) as file:
        return file["atlas"], file["cls"], tuple(map(str, file["names"]))


@cache
def textures() -> dict[str, Image.Image]:
    """Photographs of scikit-image in which nothing has one of the names."""
    from skimage import data

    kinds = ("brick", "grass", "gravel", "coffee", "moon", "hubble_deep_field")
    return {kind: Image.fromarray(getattr(data, kind)()).convert("RGB") for kind in kinds}


def textured(rng: Generator, size: tuple[int, int]) -> Image.Image:
    """A part of a texture, tinted half of the time."""
    photo = textures()[str(rng.choice(sorted(textures())))]
    share = rng.uniform(0.35, 1.0)
    width, height = round(photo.width * share), round(photo.height * share)
    left = int(rng.integers(photo.width - width + 1))
    top = int(rng.integers(photo.height - height + 1))
    part = photo.crop((left, top, left + width, top + height))
    ground = ImageOps.fit(part, size, Image.Resampling.BILINEAR)
    if rng.random() < 0.5:
        tint = Image.new("RGB", size, tuple(rng.integers(256, size=3).tolist()))
        ground = Image.blend(ground, tint, rng.uniform(0.1, 0.5))
    return ground


def bordered(rng: Generator, ground: Image.Image) -> Image.Image:
    """A frame of one colour around a third of the pictures."""
    if rng.random() > 1 / 3:
        return ground
    width = round(min(ground.size) * rng.uniform(0.02, 0.07))
    inside = (ground.width - 2 * width, ground.height - 2 * width)
    return ImageOps.expand(ground.resize(inside), width, tuple(rng.integers(256, size=3).tolist()))


def draw_one(rng: Generator, name: int, size: tuple[int, int], scale: float) -> Image.Image:
    """A drawing turned and resized -> RGBA, cut to what is solid."""
    sprites, of, _ = drawings()
    sprite = Image.fromarray(sprites[int(rng.choice(np.flatnonzero(of == name)))])
    sprite = sprite.crop(sprite.getchannel("A").getbbox())
    longest = math.exp(rng.uniform(math.log(SMALLEST), math.log(LARGEST))) * scale
    factor = longest * math.sqrt(size[0] * size[1]) / max(sprite.size)
    stretch = math.exp(rng.uniform(-0.075, 0.075))
    width = max(4, round(sprite.width * factor * stretch))
    height = max(4, round(sprite.height * factor / stretch))
    sprite = sprite.resize((width, height), Image.Resampling.LANCZOS)
    sprite = ImageOps.mirror(sprite) if rng.random() < 0.5 else sprite
    turned = sprite.rotate(rng.normal(0, 12), Image.Resampling.BICUBIC, expand=True)
    return turned.crop(turned.getchannel("A").getbbox())


def compose(rng: Generator) -> tuple[Image.Image, list[Placed]]:
    """One picture and what can be seen in it, back to front."""
    while True:
        picture, placed = attempt(rng)
        named = [one for one in placed if one.name >= 0]
        if named:
            return picture, named


def attempt(rng: Generator) -> tuple[Image.Image, list[Placed]]:
    """A picture; without things where one of them came out too hidden."""
    size = SIZES[int(rng.integers(len(SIZES)))]
    picture = bordered(rng, textured(rng, size))
    count = int(rng.integers(1, 5))
    boxes: list[tuple[int, int, int, int]] = []
    placed: list[Placed] = []
    areas = []
    for index in range(count):
        is_named = index == 0 or rng.random() >= 0.25
        name = int(rng.integers(NUM_NAMES)) if is_named else -1
        spot = find_spot(rng, name, size, 0.8 if count >= 3 else 1.0, boxes)
        if spot is None:
            continue
        drawing, (left, top) = spot
        boxes.append((left, top, left + drawing.width, top + drawing.height))
        layer = Image.new("RGBA", size)
        layer.paste(drawing, (left, top))
        picture = Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB")
        solid = np.asarray(layer.getchannel("A")) >= 128
        areas.append(np.count_nonzero(np.asarray(drawing.getchannel("A")) >= 128))
        placed = [Placed(one.name, one.solid & ~solid) for one in placed]
        placed.append(Placed(name, solid))
    shares = [np.count_nonzero(one.solid) / area for one, area in zip(placed, areas, strict=True)]
    return picture, placed if min(shares, default=0) >= LEAST_VISIBLE else []


def find_spot(
    rng: Generator,
    name: int,
    size: tuple[int, int],
    scale: float,
    boxes: list[tuple[int, int, int, int]],
) -> tuple[Image.Image, tuple[int, int]] | None:
    """A drawing and its corner where it hides little; None where there is no room."""
    for _ in range(TRIES):
        drawing = draw_one(rng, name, size, scale)
        slack = 0.06  # of the drawing may lie outside the picture
        low = (-slack * drawing.width, -slack * drawing.height)
        high = (size[0] - (1 - slack) * drawing.width, size[1] - (1 - slack) * drawing.height)
        if high[0] <= low[0] or high[1] <= low[1]:
            continue
        left, top = round(rng.uniform(low[0], high[0])), round(rng.uniform(low[1], high[1]))
        box = (left, top, left + drawing.width, top + drawing.height)
        if all(shared(box, other) <= MOST_OVERLAP for other in boxes):
            return drawing, (left, top)
    return None


def shared(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> float:
    """Intersection of two boxes over the smaller one."""
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = ((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return width * height / max(1, min(areas))


def write(seed: int, count: int, folder: Path) -> Path:
    """Write `count` pictures and annotations.json."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    images, annotations = [], []
    for number in range(1, count + 1):
        picture, things = compose(rng)
        file = f"{number:04d}.png"
        picture.save(folder / file)
        width, height = picture.size
        images.append({"id": number, "file_name": file, "width": width, "height": height})
        for thing in things:
            row = {"id": len(annotations) + 1, "image_id": number, "iscrowd": 0}
            annotations.append(row | annotation(thing))
    names = drawings()[2][:NUM_NAMES]
    coco = {
        "info": {"seed": seed},
        "images": images,
        "annotations": annotations,
        "categories": [{"id": i, "name": name} for i, name in enumerate(names)],
    }
    (folder / "annotations.json").write_text(json.dumps(coco))
    return folder


def annotation(thing: Placed) -> dict:
    """The COCO fields of what is seen of a thing."""
    xs, ys = np.flatnonzero(thing.solid.any(0)), np.flatnonzero(thing.solid.any(1))
    box = [xs[0], ys[0], xs[-1] + 1 - xs[0], ys[-1] + 1 - ys[0]]
    runs = coco_mask.encode(np.asfortranarray(thing.solid, np.uint8))
    return {
        "category_id": thing.name,
        "bbox": [int(value) for value in box],
        "area": int(np.count_nonzero(thing.solid)),
        "segmentation": {"size": list(runs["size"]), "counts": runs["counts"].decode("ascii")},
    }


if __name__ == "__main__":
    write(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
