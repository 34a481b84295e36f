"""Image encoder: pictures of several prompts as soft tokens, each content looked at once.

N soft tokens of one picture, M of several, W decoder width, S side of a square picture.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image
from torch import Tensor

from gemma_vision.images.resizing import to_pixels
from gemma_vision.model.vision_language_model import VisionLanguageModel
from gemma_vision.runtime.lru_cache import LruCache

TOWER_BATCH = 8  # pictures that go through the tower together

Pixels = NDArray[np.float32]


@dataclass(frozen=True)
class EncoderInput:
    """What the model sees of a picture, and a name for it: content, model and resolution.

    num_tokens: how many soft tokens it becomes.
    """

    key: Hashable
    pixels: Pixels  # (3, S, S)
    num_tokens: int


class ImageEncoder:
    """Looks at pictures with one model, and remembers what it saw."""

    def __init__(self, model: VisionLanguageModel, name: str, cache: LruCache[Tensor]) -> None:
        self.model = model
        self.name = name
        self.cache = cache

    def prepare(self, image: Image) -> EncoderInput:
        """Squeeze a picture to the model's size."""
        vision = self.model.config.vision
        pixels = to_pixels(image, vision.image_size, self.model.architecture.resize_filter)
        content = hashlib.blake2b(pixels.data, digest_size=16).hexdigest()
        key = (content, self.name, vision.image_size)
        return EncoderInput(key, pixels, vision.num_soft_tokens)

    def encode(self, groups: Sequence[Sequence[EncoderInput]]) -> list[Tensor]:
        """The soft tokens of each group of views, one view after the other, (M, W)."""
        wanted = {view.key: view.pixels for views in groups for view in views}
        seen = self._recall(wanted)
        self.cache.hits += sum(map(len, groups)) - len(wanted)  # copies within this call
        text = self.model.text.embed_tokens.weight
        none = text.new_empty(0, text.shape[1])
        return [torch.cat([seen[one.key] for one in views]) if views else none for views in groups]

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
