"""Lean loading: a picture's pixels decoded with fewer copies of them in memory.

Pillow keeps what the decoders of WebP and AVIF need beside the pixels, and copies these twice. Here
their own buffer becomes the picture, and the decoder is let go of first.
"""

from __future__ import annotations

from typing import Any

from PIL import Image


def load_leanly(image: Image.Image) -> Image.Image:
    """The same pixels, metadata and size as of `image`, loaded; `image` is not to be used again."""
    raw = raw_pixels(image)
    if raw is None:
        image.load()
        return image
    pixels, mode = raw
    loaded = Image.frombuffer(mode, image.size, pixels, "raw", mode, 0, 1)
    loaded.info = image.info
    return loaded


def raw_pixels(image: Any) -> tuple[bytes, str] | None:
    """The first frame's bytes and their order; None where Pillow's decoder does not give them."""
    decoder: Any = getattr(image, "_decoder", None)
    if image.format == "WEBP" and hasattr(decoder, "get_next") and hasattr(image, "rawmode"):
        found = decoder.get_next()
        mode = image.rawmode
    elif image.format == "AVIF" and hasattr(decoder, "get_frame"):
        found = decoder.get_frame(0)
        mode = image.mode
    else:
        return None
    if found is None:
        raise OSError("the first frame cannot be decoded")
    image._decoder = None
    return found[0], mode
