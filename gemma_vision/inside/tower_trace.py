"""Tower trace: an image through the tower and the projector, block by block.

N patches, D tower width, M soft tokens, W decoder width.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gemma_vision.inside.stage import Array, Stage, to_array
from gemma_vision.model.vision_language_model import VisionLanguageModel
from gemma_vision.runtime.image_encoder import EncoderInput

MAX_LAYERS = 6  # blocks of the tower that are looked at, the first and the last among them


@dataclass(frozen=True)
class TowerTrace:
    """What the tower and the projector made of one picture."""

    embedded: Tensor  # (N, D)
    layers: Mapping[int, Tensor]  # after which block: (N, D)
    features: Tensor  # (N, D), or (M, D) where the tower pools
    soft: Tensor  # (M, W)


def sights(model: VisionLanguageModel, view: EncoderInput, seen: TowerTrace) -> Iterator[Stage]:
    """From the patches to the soft tokens."""
    grid, count = grid_of(model, view), model.config.vision.num_layers
    yield Stage("patches", tuple(seen.embedded.shape), colours(patches=seen.embedded), grid)
    depths = {f"layer {depth}": one for depth, one in seen.layers.items()}
    is_pooled = len(seen.features) < len(seen.embedded)
    last = {"pooled" if is_pooled else "features": seen.features}
    features = colours(**depths, **last)
    yield Stage("features", tuple(seen.features.shape), features, grid | {"layers": count})
    tiles = tiles_of(grid, len(seen.soft))
    yield Stage("soft", tuple(seen.soft.shape), colours(soft=seen.soft), tiles)


def grid_of(model: VisionLanguageModel, view: EncoderInput) -> dict[str, int]:
    """How the picture is cut into patches: rows, columns, pixels along a patch."""
    rows, columns = view.grid or (model.config.square.grid,) * 2
    return {"rows": rows, "columns": columns, "patch": model.config.vision.patch_size}


def tiles_of(grid: dict[str, int], count: int) -> dict[str, int]:
    """Rows and columns of so many soft tokens, square tiles of the patches."""
    side = round((grid["rows"] * grid["columns"] / count) ** 0.5)
    return {"rows": grid["rows"] // side, "columns": grid["columns"] // side}


@torch.inference_mode()
def run_tower(model: VisionLanguageModel, view: EncoderInput) -> TowerTrace:
    """Through the tower one block at a time."""
    count = model.config.vision.num_layers
    shown = {round(depth) for depth in np.linspace(1, count, min(MAX_LAYERS, count))}
    embedded, *depths, features = (one[0] for one in model.vision.follow(*given(model, view)))
    layers = {depth: one for depth, one in enumerate(depths, 1) if depth in shown}
    return TowerTrace(embedded, layers, features, model.projector(features[None])[0])


@torch.inference_mode()
def encode(model: VisionLanguageModel, view: EncoderInput) -> Tensor:
    """The soft tokens of a further picture, (M, W)."""
    return model.encode(*given(model, view))[0]


def given(model: VisionLanguageModel, view: EncoderInput) -> tuple[Any, ...]:
    """What a tower is given of one picture: pixels, or patches and their grid."""
    pixels = torch.from_numpy(view.pixels)[None].to(model.device)
    return (pixels,) if view.grid is None else (pixels, view.grid)


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
