"""Image encoder: pictures of several prompts as soft tokens, each content looked at once.

N soft tokens of one picture, M of several, W decoder width, S side of a square picture, R patches
of one that keeps its shape, P side of a patch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image
from torch import Tensor

from gemma_vision.images.patches import soft_grid, to_patches
from gemma_vision.images.resizing import to_pixels
from gemma_vision.model.config import PatchVisionConfig
from gemma_vision.model.gemma4.tower import Grid
from gemma_vision.model.vision_language_model import VisionLanguageModel
from gemma_vision.runtime.lru_cache import LruCache

TOWER_BATCH = 8  # pictures that go through the tower together
BUDGET = 280  # soft tokens of a picture that keeps its shape, where nobody says

Pixels = NDArray[np.float32]


@dataclass(frozen=True)
class EncoderInput:
    """What the model sees of a picture, and a name for it: content, model and resolution.

    num_tokens: how many soft tokens it becomes.
    """

    key: Hashable
    pixels: Pixels  # (3, S, S), or patches, (R, 3 P P)
    num_tokens: int
    grid: Grid | None = None  # rows and columns of the patches, where those are given
    is_passing: bool = False  # not looked for among those seen before, and not kept


class ImageEncoder:
    """Looks at pictures with one model, and remembers what it saw."""

    def __init__(self, model: VisionLanguageModel, name: str, cache: LruCache[Tensor]) -> None:
        self.model = model
        self.name = name
        self.cache = cache
        self.recorded: Callable[..., Tensor] | None = None  # in place of the model's `encode`

    def prepare(self, image: Image, budget: int | None = None) -> EncoderInput:
        """A picture as the model sees it: squeezed to its square, or cut into patches.

        budget: how many soft tokens one becomes that keeps its shape; None is the usual number.
        """
        vision = self.model.config.vision
        if isinstance(vision, PatchVisionConfig):
            return self._cut(image, vision, budget or BUDGET)
        pixels = to_pixels(image, vision.image_size, self.model.architecture.resize_filter)
        key = (content_of(pixels), self.name, vision.image_size)
        return EncoderInput(key, pixels, vision.num_soft_tokens)

    def _cut(self, image: Image, vision: PatchVisionConfig, budget: int) -> EncoderInput:
        rows, columns = soft_grid(image.size, budget, vision.unit)
        pixels = to_patches(image, (rows, columns), vision.patch_size, vision.pooling)
        key = (content_of(pixels), self.name, budget)
        grid = (rows * vision.pooling, columns * vision.pooling)
        return EncoderInput(key, pixels, rows * columns, grid)

    def encode(self, groups: Sequence[Sequence[EncoderInput]]) -> list[Tensor]:
        """The soft tokens of each group of views, one view after the other, (M, W)."""
        wanted = {view.key: view for views in groups for view in views}
        seen = self._recall(wanted)
        self.cache.hits += sum(map(len, groups)) - len(wanted)  # copies within this call
        text = self.model.text.embed_tokens.weight
        none = text.new_empty(0, text.shape[1])
        return [torch.cat([seen[one.key] for one in views]) if views else none for views in groups]

    def _recall(self, wanted: Mapping[Hashable, EncoderInput]) -> dict[Hashable, Tensor]:
        lasting = (key for key, view in wanted.items() if not view.is_passing)
        found = {key: self.cache.get(key) for key in lasting}
        seen = {key: soft for key, soft in found.items() if soft is not None}
        for views in batches(view for key, view in wanted.items() if key not in seen):
            pixels = torch.from_numpy(np.stack([view.pixels for view in views]))
            grid = () if views[0].grid is None else (views[0].grid,)
            encode = self.recorded or self.model.encode
            soft = encode(pixels.to(self.model.device), *grid)
            for view, one in zip(views, soft, strict=True):
                seen[view.key] = one.clone()  # a slice would keep its whole batch in memory
                if not view.is_passing:
                    self.cache.put(view.key, seen[view.key])
        return seen


def batches(views: Iterable[EncoderInput]) -> Iterator[list[EncoderInput]]:
    """Those of one grid together, a few at a time."""
    by_grid: dict[Grid | None, list[EncoderInput]] = {}
    for view in views:
        by_grid.setdefault(view.grid, []).append(view)
    for alike in by_grid.values():
        for start in range(0, len(alike), TOWER_BATCH):
            yield alike[start : start + TOWER_BATCH]


def content_of(pixels: Pixels) -> str:
    """A name for what a picture shows."""
    return hashlib.blake2b(pixels.data, digest_size=16).hexdigest()
