"""Tower trace: an image through the tower and the projector, block by block.

N patches (G * G, G on a side), D tower width, M soft tokens, W decoder width, S side of the image.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gemma_vision.inside.stage import Array, Stage, to_array
from gemma_vision.model.vision_language_model import VisionLanguageModel

MAX_LAYERS = 6  # blocks of the tower that are looked at, the first and the last among them


@dataclass(frozen=True)
class TowerTrace:
    """What the tower and the projector made of one picture."""

    embedded: Tensor  # (N, D)
    layers: Mapping[int, Tensor]  # after which block: (N, D)
    features: Tensor  # (N, D)
    soft: Tensor  # (M, W)


def sights(model: VisionLanguageModel, seen: TowerTrace) -> Iterator[Stage]:
    """From the patches to the soft tokens."""
    grid, count = grid_of(model), len(model.vision.encoder.layers)
    yield Stage("patches", tuple(seen.embedded.shape), colours(patches=seen.embedded), grid)
    depths = {f"layer {depth}": one for depth, one in seen.layers.items()}
    features = colours(**depths, features=seen.features)
    yield Stage("features", tuple(seen.features.shape), features, grid | {"layers": count})
    side = {"grid": round(len(seen.soft) ** 0.5)}
    yield Stage("soft", tuple(seen.soft.shape), colours(soft=seen.soft), side)


def grid_of(model: VisionLanguageModel) -> dict[str, int]:
    """How the picture is cut into patches."""
    vision = model.config.vision
    return {"grid": vision.image_size // vision.patch_size, "patch": vision.patch_size}


@torch.inference_mode()
def run_tower(model: VisionLanguageModel, pixels: Array) -> TowerTrace:
    """Through the tower one block at a time.   (3, S, S) -> what it becomes"""
    tower, count = model.vision, len(model.vision.encoder.layers)
    kept = {round(depth) for depth in np.linspace(1, count, min(MAX_LAYERS, count))}
    x = embedded = tower.embeddings(torch.from_numpy(pixels)[None].to(model.device))
    layers = {}
    for depth, block in enumerate(tower.encoder.layers, 1):
        x = block(x)
        if depth in kept:
            layers[depth] = x[0]
    features = tower.post_layernorm(x)
    return TowerTrace(embedded[0], layers, features[0], model.projector(features)[0])


@torch.inference_mode()
def encode(model: VisionLanguageModel, pixels: Array) -> Tensor:
    """The soft tokens of a further picture.   (3, S, S) -> (M, W)"""
    return model.encode(torch.from_numpy(pixels)[None].to(model.device))[0]


def colours(**tensors: Tensor) -> dict[str, Array]:
    """Their three principal components each."""
    return {name: principal(to_array(tensor)) for name, tensor in tensors.items()}


def principal(features: Array) -> Array:
    """The three directions in which features differ most, as colours.   (N, D) -> (N, 3) in 0..1

    Each is spread over its middle 98 %; its sign is such that the largest weight is positive.
    """
    centred = features - features.mean(0)
    _, directions = np.linalg.eigh(centred.T @ centred)
    top = directions[:, : -min(3, directions.shape[1]) - 1 : -1]
    peaks = np.take_along_axis(top, np.abs(top).argmax(0)[None], 0)
    shown = centred @ (top * np.sign(peaks))
    low, high = np.percentile(shown, (1, 99), axis=0)
    spread: Array = ((shown - low) / np.maximum(high - low, 1e-12)).clip(0, 1)
    return spread
