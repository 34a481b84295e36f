"""Pictures in which nothing has a name: a checkpoint that sees things there is making them up.

Five kinds: textures and photographs of scikit-image, noise, text and gradients.
`PYTHONPATH=. python tests/nameless.py [--model NAME] [--count N] [--seed S]` prints, kind by kind,
the share of empty answers to `detect` with one name and with four.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFont, ImageOps
from second_composer import NUM_NAMES, drawings

from gemma_vision.requests.request import Request
from gemma_vision.requests.tasks import Task

if TYPE_CHECKING:
    from gemma_vision.pipeline import Pipeline

TEXTURES = ("brick", "grass", "gravel")
PHOTOGRAPHS = ("coffee", "moon", "hubble_deep_field", "coins", "retina", "immunohistochemistry")
COMMON = "the of and to in is that for it was on are as with they be at one have this from"
WORDS = COMMON.split()
SIZES = ((224, 224), (320, 240), (240, 320), (480, 270))


def cutting(names: Sequence[str]) -> Callable[[Generator, tuple[int, int]], Image.Image]:
    """A maker of cuttings from the photographs of these names."""

    def draw(rng: Generator, size: tuple[int, int]) -> Image.Image:
        from skimage import data

        photo = Image.fromarray(getattr(data, str(rng.choice(names)))()).convert("RGB")
        share = rng.uniform(0.3, 1.0)
        width, height = round(photo.width * share), round(photo.height * share)
        left = int(rng.integers(photo.width - width + 1))
        top = int(rng.integers(photo.height - height + 1))
        part = photo.crop((left, top, left + width, top + height))
        return ImageOps.fit(part, size, Image.Resampling.BICUBIC)

    return draw


def noise(rng: Generator, size: tuple[int, int]) -> Image.Image:
    """Grains of one to sixteen pixels, grey or in colour, even or bell-shaped."""
    grain = int(2 ** rng.integers(5))
    shape = (size[1] // grain + 1, size[0] // grain + 1, int(rng.choice([1, 3])))
    values = rng.random(shape) if rng.random() < 0.5 else rng.normal(0.5, 0.2, shape)
    pixels = (values.clip(0, 1) * 255).astype(np.uint8).repeat(3 // shape[2], 2)
    way = Image.Resampling.NEAREST if rng.random() < 0.5 else Image.Resampling.BICUBIC
    return Image.fromarray(pixels).resize(size, way)


def text(rng: Generator, size: tuple[int, int]) -> Image.Image:
    """Lines of common words on paper of one colour, dark on light or light on dark."""
    paper, ink = int(rng.integers(190, 256)), int(rng.integers(0, 90))
    paper, ink = (paper, ink) if rng.random() < 0.8 else (ink, paper)
    page = Image.new("RGB", size, (paper,) * 3)
    pen, height = ImageDraw.Draw(page), int(rng.integers(9, 40))
    font = ImageFont.load_default(height)
    for top in range(int(rng.integers(4, 20)), size[1] - height, round(height * 1.4)):
        line = " ".join(rng.choice(WORDS, int(rng.integers(2, 12))))
        pen.text((int(rng.integers(4, 16)), top), line, fill=(ink,) * 3, font=font)
    return page


def gradient(rng: Generator, size: tuple[int, int]) -> Image.Image:
    """Two colours, blended along a line or outwards from a point."""
    y, x = np.mgrid[: size[1], : size[0]]
    if rng.random() < 0.5:
        angle = rng.uniform(0, 2 * np.pi)
        weight = x * np.cos(angle) + y * np.sin(angle)
    else:
        weight = np.hypot(x - rng.uniform(0, size[0]), y - rng.uniform(0, size[1]))
    weight = (weight - weight.min()) / np.ptp(weight)
    first, second = rng.uniform(0, 255, (2, 3))
    return Image.fromarray((first + (second - first) * weight[..., None]).astype(np.uint8))


KINDS = {
    "texture": cutting(TEXTURES),
    "photograph": cutting(PHOTOGRAPHS),
    "noise": noise,
    "text": text,
    "gradient": gradient,
}


def pictures(kind: str, count: int, seed: int) -> list[Image.Image]:
    """Seeded pictures of one kind."""
    rng = np.random.default_rng((seed, sorted(KINDS).index(kind)))
    sizes = [SIZES[int(rng.integers(len(SIZES)))] for _ in range(count)]
    return [KINDS[kind](rng, size) for size in sizes]


def share_empty(
    pipeline: Pipeline, shown: Sequence[Image.Image], *, num_names: int, seed: int
) -> float:
    """The share of pictures in which `detect` of so many names, drawn anew each, finds nothing."""
    rng, names = np.random.default_rng(seed), drawings()[2][:NUM_NAMES]
    requests = [
        Request(
            one,
            Task.detect,
            " ; ".join(rng.choice(names, num_names, replace=False)),
            drop_unasked=False,  # whatever it sees counts
        )
        for one in shown
    ]
    answers = pipeline.batch(requests, size=16)
    return sum(not answer.instances for answer in answers) / len(answers)


def figures(pipeline: Pipeline, *, count: int, seed: int) -> dict[str, dict[str, float]]:
    """For each kind the shares of empty answers to one name and to four."""
    table = {}
    for kind in KINDS:
        shown = pictures(kind, count, seed)
        table[kind] = {
            "one name": share_empty(pipeline, shown, num_names=1, seed=seed),
            "four names": share_empty(pipeline, shown, num_names=4, seed=seed),
        }
    return table


if __name__ == "__main__":
    import gemma_vision

    parser = argparse.ArgumentParser(description="Does a checkpoint see names where none are?")
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--count", type=int, default=100, help="pictures of each kind")
    parser.add_argument("--seed", type=int, default=900_081)
    args = parser.parse_args()
    print(json.dumps(figures(gemma_vision.load(args.model), count=args.count, seed=args.seed)))
