"""Packed prompt: a prompt on its way to another process, its pictures as encoded bytes."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, replace

from PIL import Image

from gemma_vision.runtime.engine import Prompt


@dataclass(frozen=True)
class PackedPrompt:
    """A prompt without its pictures, and those as PNG: smaller than pixels, and nothing lost."""

    prompt: Prompt
    images: tuple[bytes, ...]

    @classmethod
    def of(cls, prompt: Prompt) -> PackedPrompt:
        """Pack a prompt."""
        return cls(replace(prompt, images=()), tuple(map(encode, prompt.images)))

    def unpack(self) -> Prompt:
        """The prompt as it was."""
        return replace(self.prompt, images=tuple(map(decode, self.images)))

    @property
    def key(self) -> str:
        """A name for what its pictures show: prompts of one key go where that was seen before."""
        digest = hashlib.blake2b(digest_size=12)
        for image in self.images:
            digest.update(image)
        return digest.hexdigest()


def encode(image: Image.Image) -> bytes:
    """A picture as PNG, quickly."""
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()


def decode(data: bytes) -> Image.Image:
    """The inverse of `encode`; the bytes are our own."""
    image = Image.open(io.BytesIO(data), formats=["PNG"])
    image.load()
    return image
