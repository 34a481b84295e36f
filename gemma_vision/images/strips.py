"""Strips: a decoded picture set upright, on white and in RGB, a few rows at a time.

What a step needs of memory is that of a strip, not of the picture: a picture of 16 bits would
otherwise be there four times over. H height, W width.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

from gemma_vision.images.arrays import factor_of, peak, scale

PIXELS = 2**21  # of a strip
_ORIENTATION = 0x0112  # the EXIF tag
_SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N")
_NUMBERS = (*_SIXTEEN_BITS, "I", "F")
_SEE_THROUGH = ("RGBA", "LA", "PA", "La", "RGBa")
_METHODS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_MIRRORED = (3, 4, 7, 8)  # orientations whose first row is the source's last row or column


def upright_size(image: Image.Image) -> tuple[int, int]:
    """(width, height) as the picture is looked at."""
    return image.size[::-1] if orientation_of(image) >= 5 else image.size


def upright_strips(image: Image.Image) -> Iterator[Image.Image]:
    """The picture from top to bottom, (W, some rows) each: upright, RGB, on white."""
    image.load()  # before the orientation is read: a TIFF is turned, and forgets it, by its reader
    orientation = orientation_of(image)
    method = _METHODS.get(orientation)
    width, height = upright_size(image)
    factor = factor_of_image(image) if image.mode in _NUMBERS else 1.0
    for top, bottom in spans(width, height):
        part = image.crop(source_box(image.size, orientation, top, bottom))
        strip = part if method is None else part.transpose(method)
        yield to_rgb(strip, factor)


def orientation_of(image: Image.Image) -> int:
    """How the camera was held, 1 to 8 as EXIF counts."""
    orientation = image.getexif().get(_ORIENTATION, 1)
    return orientation if orientation in _METHODS else 1


def spans(width: int, height: int) -> Iterator[tuple[int, int]]:
    """The first row of each strip, and the row behind its last."""
    step = max(PIXELS // width, 1)
    for top in range(0, height, step):
        yield top, min(top + step, height)


def source_box(
    size: tuple[int, int], orientation: int, top: int, bottom: int
) -> tuple[int, int, int, int]:
    """What of a lying picture becomes the rows from top to bottom of the upright one."""
    width, height = size
    length = width if orientation >= 5 else height
    if orientation in _MIRRORED:
        top, bottom = length - bottom, length - top
    return (top, 0, bottom, height) if orientation >= 5 else (0, top, width, bottom)


def factor_of_image(image: Image.Image) -> float:
    """What a picture's grey levels are multiplied by, which depends on the largest of them all."""
    parts = (image.crop((0, a, image.width, b)) for a, b in spans(*image.size))
    tops = [] if image.mode in _SIXTEEN_BITS else [peak(np.asarray(part)) for part in parts]
    kind = np.asarray(image.crop((0, 0, 1, 1))).dtype
    return factor_of(kind, max(tops, default=0.0))


def to_rgb(image: Image.Image, factor: float = 1.0) -> Image.Image:
    """RGB, on white where it is transparent. factor: of grey levels that are wider than a byte."""
    if image.mode in _NUMBERS:
        return Image.fromarray(scale(np.asarray(image), factor)).convert("RGB")
    if image.mode in _SEE_THROUGH or "transparency" in image.info:
        plain = image.convert("LA") if image.mode == "La" else image  # Pillow knows that way alone
        see_through = plain.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, see_through).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")
