"""Samples: composed scenes at the model's own size, with everything the losses ask for.

A stream without end: no scene is shown twice. N patches, T things (padded to four).
"""

from collections.abc import Iterator

import cv2
import numpy as np
from PIL import Image
from torch import Tensor
from torch.utils.data import IterableDataset

from gemma_vision.synthetic.compositor import ComposedScene, compose
from training.data.background_stream import BackgroundCache
from training.data.masks import crop_mask
from training.data.sampling import MAX_THINGS, SceneRecipe, SceneSampler

CELLS = 7  # sub-mask cells along a patch
OWNS = 0.08  # a patch belongs to the thing that covers most of it, if it covers this share

Sample = dict[str, np.ndarray]
Batch = dict[str, Tensor]


class SceneStream(IterableDataset[Sample]):
    """Endless samples, composed with OpenCV."""

    def __init__(self, sampler: SceneSampler) -> None:
        self.sampler = sampler

    def __iter__(self) -> Iterator[Sample]:
        cv2.setNumThreads(1)
        backgrounds = BackgroundCache()
        for scene, part in self.sampler:
            background = backgrounds.crop(part, scene.width, scene.height)
            yield to_sample(compose(scene, background), self.sampler.recipe)


def to_sample(composed: ComposedScene, recipe: SceneRecipe) -> Sample:
    """A picture -> the arrays of one sample.

    pixels (S, S, 3) uint8; names (T,) int64, -1 beyond the last thing; boxes (T, 4) float32
    y0 x0 y1 x1 in 0..1; masks (T, 64, 64) uint8; owner (N,) int64: the thing a patch belongs to,
    T for the ground, T + 1 for a thing without a name; cells (N, 49) uint8: its sub-mask;
    sprites (T,) int64; turns (T, 2) float32: the angle in radians, 1 if mirrored; spots (N, 2)
    float32: where on its own sprite, x and y in -1..1, the middle of a patch lies.
    """
    height, width = composed.owner.shape
    resized = Image.fromarray(composed.pixels).resize(
        (recipe.side, recipe.side), Image.Resampling.BICUBIC
    )
    sample: Sample = {
        "pixels": np.array(resized),
        "names": np.full(MAX_THINGS, -1, np.int64),
        "boxes": np.zeros((MAX_THINGS, 4), np.float32),
        "masks": np.zeros((MAX_THINGS, 64, 64), np.uint8),
        "sprites": np.zeros(MAX_THINGS, np.int64),
        "turns": np.zeros((MAX_THINGS, 2), np.float32),
    }
    for index, thing in enumerate(composed.things[:MAX_THINGS]):
        x0, y0, x1, y1 = thing.box
        sample["names"][index] = thing.name
        sample["boxes"][index] = (y0 / height, x0 / width, y1 / height, x1 / width)
        sample["masks"][index] = crop_mask(thing.mask, thing.box)
        sample["sprites"][index] = thing.pose.sprite
        sample["turns"][index] = np.radians(thing.pose.angle), thing.pose.mirrored
    sample |= _dense(composed, recipe.grid)
    return sample | {"spots": _spots(composed, sample["owner"], recipe.grid)}


def _spots(composed: ComposedScene, owner: np.ndarray, grid: int) -> np.ndarray:
    height, width = composed.owner.shape
    middle = (np.arange(grid) + 0.5) / grid
    ys, xs = np.meshgrid(middle * height - 0.5, middle * width - 0.5, indexing="ij")
    middles = np.stack([xs.ravel(), ys.ravel(), np.ones(grid * grid)])
    spots = np.zeros((grid * grid, 2), np.float32)
    for index, thing in enumerate(composed.things[:MAX_THINGS]):
        own = owner == index
        spots[own] = (thing.pose.inverse() @ middles[:, own]).T
    return spots


def _dense(composed: ComposedScene, grid: int) -> Sample:
    cells = grid * CELLS
    named = np.zeros(composed.owner.shape, bool)
    cover = np.zeros((MAX_THINGS + 2, cells, cells), np.float32)
    for index, thing in enumerate(composed.things[:MAX_THINGS]):
        named |= thing.mask
        cover[index] = _shrink(thing.mask, cells)
    cover[MAX_THINGS + 1] = _shrink((composed.owner >= 0) & ~named, cells)
    tiles = cover.reshape(-1, grid, CELLS, grid, CELLS).swapaxes(2, 3)
    tiles = tiles.reshape(MAX_THINGS + 2, grid * grid, CELLS * CELLS)
    shares = tiles.mean(2)
    owner = np.where(shares.max(0) >= OWNS, shares.argmax(0), MAX_THINGS)
    return {"owner": owner, "cells": (tiles[owner, np.arange(grid * grid)] > 0.5).astype(np.uint8)}


def _shrink(mask: np.ndarray, side: int) -> np.ndarray:
    cells = cv2.resize(mask.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cells)


def to_pixels(batch: Batch) -> Tensor:
    """(B, S, S, 3) uint8 -> (B, 3, S, S) float32 in -1..1, as the model is given pictures."""
    return batch["pixels"].permute(0, 3, 1, 2).float().div(127.5).sub(1)
