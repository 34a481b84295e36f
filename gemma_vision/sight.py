"""Sight: pictures of several prompts as soft tokens, each content looked at once.

N soft tokens of one picture, W decoder width, S side of the model's square picture.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image
from torch import Tensor

from gemma_vision.images import to_pixels
from gemma_vision.model import VisionLanguageModel
from gemma_vision.soft_cache import SoftCache

TOWER_BATCH = 8  # pictures that go through the tower together

Pixels = NDArray[np.float32]


class Sight:
    """Looks at pictures with one model, and remembers what it saw."""

    def __init__(self, model: VisionLanguageModel, name: str, cache: SoftCache) -> None:
        self.model = model
        self.name = name
        self.cache = cache

    def look(self, groups: Sequence[Sequence[Image]]) -> list[Tensor]:
        """The soft tokens of each group of n pictures, (n, N, W)."""
        keyed = [[self._prepare(image) for image in images] for images in groups]
        wanted = dict(pair for pairs in keyed for pair in pairs)
        seen = self._recall(wanted)
        self.cache.hits += sum(map(len, keyed)) - len(wanted)  # copies within this call
        text = self.model.text.embed_tokens.weight
        none = text.new_empty(0, self.model.config.tokens_per_image, text.shape[1])
        return [torch.stack([seen[key] for key, _ in pairs]) if pairs else none for pairs in keyed]

    def _prepare(self, image: Image) -> tuple[Hashable, Pixels]:
        """What the model sees of a picture, and a name for it: content, model and resolution."""
        side = self.model.config.vision.image_size
        pixels = to_pixels(image, side, self.model.family.resize_filter)
        content = hashlib.blake2b(pixels.data, digest_size=16).hexdigest()
        return (content, self.name, side), pixels

    def _recall(self, wanted: Mapping[Hashable, Pixels]) -> dict[Hashable, Tensor]:
        found = {key: self.cache.get(key) for key in wanted}
        seen = {key: soft for key, soft in found.items() if soft is not None}
        fresh = [key for key in wanted if key not in seen]
        for start in range(0, len(fresh), TOWER_BATCH):
            keys = fresh[start : start + TOWER_BATCH]
            pixels = torch.from_numpy(np.stack([wanted[key] for key in keys]))
            soft = self.model.encode(pixels.to(self.model.device))
            for key, one in zip(keys, soft, strict=True):
                seen[key] = one.clone()  # a slice would keep its whole batch in memory
                self.cache.put(key, seen[key])
        return seen
