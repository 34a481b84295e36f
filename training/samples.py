"""Samples: composed scenes at the model's own size, with everything the losses ask for.

A stream without end: no scene is shown twice. N patches, T things (padded to four).
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.random import Generator
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from training.backgrounds import draw_background
from training.compositor import Picture, compose
from training.mask_vae import crop_mask
from training.poses import EVALUATION_SEEDS, Scene, sample_scene

MAX_THINGS = 4
CELLS = 7  # sub-mask cells along a patch
OWNS = 0.08  # a patch belongs to the thing that covers most of it, if it covers this share
BACKGROUNDS = 400  # kept for reuse; a quarter of the pictures replaces one
SIZES = [(224, 224)] * 4 + [(288, 216), (216, 288)]  # squashed to the model's square

Sample = dict[str, np.ndarray]
Batch = dict[str, Tensor]


@dataclass(frozen=True)
class Recipe:
    """What a stream draws: the picture's side and grid for the model, names, sizes of scenes."""

    side: int
    grid: int
    num_names: int
    max_things: int = MAX_THINGS
    empty: float = 0.05


class SceneStream(IterableDataset[Sample]):
    """Endless samples from one seed, which must not be one of the evaluation's."""

    def __init__(self, recipe: Recipe, seed: int, *, start: int = 0) -> None:
        if seed >= EVALUATION_SEEDS:
            raise ValueError(
                f"Seed {seed} is for evaluation only; train with one under {EVALUATION_SEEDS}."
            )
        self.recipe, self.seed, self.start = recipe, seed, start

    def __iter__(self) -> Iterator[Sample]:
        cv2.setNumThreads(1)
        rng = np.random.default_rng((self.seed, self.start))
        pool: list[np.ndarray] = []
        while True:
            size = SIZES[int(rng.integers(len(SIZES)))]
            scene = sample_scene(
                rng,
                size=size,
                num_names=self.recipe.num_names,
                max_things=self.recipe.max_things,
                empty=self.recipe.empty,
            )
            yield to_sample(compose(scene, _background(rng, pool, scene)), self.recipe)


def _background(rng: Generator, pool: list[np.ndarray], scene: Scene) -> np.ndarray:
    """One out of the pool, which grows to its size and then changes a quarter of the time."""
    if len(pool) < BACKGROUNDS:
        pool.append(draw_background(rng, 288, 288))
        chosen = len(pool) - 1
    else:
        chosen = int(rng.integers(BACKGROUNDS))
        if rng.random() < 0.25:
            pool[chosen] = draw_background(rng, 288, 288)
    top, left = rng.integers(289 - scene.height), rng.integers(289 - scene.width)
    crop = pool[chosen][top : top + scene.height, left : left + scene.width]
    return crop[:, ::-1] if rng.random() < 0.5 else crop


def to_sample(picture: Picture, recipe: Recipe) -> Sample:
    """A picture -> the arrays of one sample.

    pixels (S, S, 3) uint8; names (T,) int64, -1 beyond the last thing; boxes (T, 4) float32
    y0 x0 y1 x1 in 0..1; masks (T, 64, 64) uint8; owner (N,) int64: the thing a patch belongs to,
    T for the ground, T + 1 for a thing without a name; cells (N, 49) uint8: its sub-mask.
    """
    height, width = picture.owner.shape
    resized = Image.fromarray(picture.pixels).resize(
        (recipe.side, recipe.side), Image.Resampling.BICUBIC
    )
    sample: Sample = {
        "pixels": np.array(resized),
        "names": np.full(MAX_THINGS, -1, np.int64),
        "boxes": np.zeros((MAX_THINGS, 4), np.float32),
        "masks": np.zeros((MAX_THINGS, 64, 64), np.uint8),
    }
    for index, thing in enumerate(picture.things[:MAX_THINGS]):
        x0, y0, x1, y1 = thing.box
        sample["names"][index] = thing.name
        sample["boxes"][index] = (y0 / height, x0 / width, y1 / height, x1 / width)
        sample["masks"][index] = crop_mask(thing.mask, thing.box)
    return sample | _dense(picture, recipe.grid)


def _dense(picture: Picture, grid: int) -> Sample:
    cells = grid * CELLS
    named = np.zeros(picture.owner.shape, bool)
    cover = np.zeros((MAX_THINGS + 2, cells, cells), np.float32)
    for index, thing in enumerate(picture.things[:MAX_THINGS]):
        named |= thing.mask
        cover[index] = _shrink(thing.mask, cells)
    cover[MAX_THINGS + 1] = _shrink((picture.owner >= 0) & ~named, cells)
    tiles = cover.reshape(-1, grid, CELLS, grid, CELLS).swapaxes(2, 3)
    tiles = tiles.reshape(MAX_THINGS + 2, grid * grid, CELLS * CELLS)
    shares = tiles.mean(2)
    owner = np.where(shares.max(0) >= OWNS, shares.argmax(0), MAX_THINGS)
    return {"owner": owner, "cells": (tiles[owner, np.arange(grid * grid)] > 0.5).astype(np.uint8)}


def _shrink(mask: np.ndarray, side: int) -> np.ndarray:
    return cv2.resize(mask.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)


def batches(stream: SceneStream, size: int, *, workers: int = 1) -> Iterator[Batch]:
    """Batches of tensors, drawn by `workers` processes beside the training."""
    loader = DataLoader(
        stream,
        batch_size=size,
        num_workers=workers,
        prefetch_factor=8 if workers else None,
        worker_init_fn=_be_polite,
        multiprocessing_context="spawn" if workers else None,  # OpenCV's threads outlive no fork
    )
    return iter(loader)


def _be_polite(_: int) -> None:
    os.nice(1)
    torch.set_num_threads(1)


def to_pixels(batch: Batch) -> Tensor:
    """(B, S, S, 3) uint8 -> (B, 3, S, S) float32 in -1..1, as the model is given pictures."""
    return batch["pixels"].permute(0, 3, 1, 2).float().div(127.5).sub(1)
