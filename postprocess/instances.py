"""Instances: things in a picture, in its pixels. The only way from mentions to pixels and back.

K mentions with masks, H x W picture. Masks are drawn within their box only.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from postprocess.argument_kinds import as_list, check_pixels
from postprocess.coordinate_conventions import (
    Box,
    CoordinateConvention,
    Pixels,
    Point,
    find_convention,
)
from postprocess.equality import EqualByFields
from postprocess.errors import UserError
from postprocess.mask_decoder import to_probability
from postprocess.mask_formats import extent, fill
from postprocess.tokens import MASK_SIDE, DrawnMask, Mention

UNNAMED = "thing"  # what an unlabelled thing is called, in files and on pictures
_HALF = 128  # of 255: from here on a soft mask is inside

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
Soft = npt.NDArray[np.float32]


class LocateError(UserError):
    """A size that nothing can be located in, or mentions that are none."""

    CODE = "E_SIZE"


class CodesToMask(Protocol):
    """What turns codes into masks; `MaskDecoder` is one."""

    def decode(self, codes: npt.ArrayLike, logits: bool = False) -> Soft:
        """(K, 16) codes -> (K, 64, 64)."""


class MaskToCodes(Protocol):
    """What turns masks into codes; `MaskDecoder` is one."""

    def encode(self, masks: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """(K, 64, 64) masks -> (K, 16) codes."""


@dataclass(frozen=True, eq=False)
class Instance(EqualByFields):
    """A thing in the upright picture.

    `box` is x0, y0, x1, y1 in pixels, unrounded and within the picture; `pixels` is the whole-pixel
    box that the mask lives in; `mask` is (H, W) bool or None; `probability` is (H, W) float32 0..1
    where it was asked for; `score` is 0..1 or None. `point` is x, y in pixels where the thing is a
    point; its boxes are then the empty ones at that place.
    """

    label: str
    box: Box
    pixels: Pixels
    mask: Mask | None = None
    probability: Soft | None = None
    score: float | None = None
    point: Point | None = None

    def __repr__(self) -> str:
        """Instance('cat', box=(286.5, 23.9, 454.8, 173.1), score=0.87, mask=640x480)"""
        parts = [repr(self.label), f"box={in_tenths(self.box)}"]
        if self.point is not None:
            parts.append(f"point={in_tenths(self.point)}")
        if self.score is not None:
            parts.append(f"score={self.score:.2f}")
        if self.mask is not None:
            parts.append("mask={1}x{0}".format(*self.mask.shape))
        return f"Instance({', '.join(parts)})"

    @property
    def name(self) -> str:
        """What the thing is called: its label, or "thing" where it has none."""
        return self.label if self.label.strip() else UNNAMED


def in_tenths(edges: Sequence[float]) -> str:
    """Places in pixels as they are printed.   (286.5298, 23.9)  ->  (286.5, 23.9)"""
    return f"({', '.join(f'{edge:.1f}' for edge in edges)})"


def locate(
    mentions: Sequence[Mention],
    size: tuple[int, int],
    decoder: CodesToMask | None = None,
    policy: str = "space",
    *,
    probability: bool = False,
) -> list[Instance]:
    """Mentions -> instances in a picture of this (width, height), one for each, in order.

    Without a decoder there are boxes and no masks. `probability=True` keeps the soft masks too.
    Raises LocateError for what is no size, has no pixels or is no mention, and ConventionError for
    an unknown policy.
    """
    rules = find_convention(policy)
    mentions = as_list(mentions, Mention, "parse", LocateError)
    check_pixels(size, LocateError)
    masks = _decode(mentions, decoder, is_soft=rules.is_soft)
    return [
        _locate_one(mention, size, rules, mask, probability)
        for mention, mask in zip(mentions, masks, strict=True)
    ]


def describe(
    instances: Sequence[Instance],
    size: tuple[int, int],
    encoder: MaskToCodes | None = None,
    policy: str = "space",
) -> list[Mention]:
    """Instances -> mentions in 1024ths, the way back; masks become codes where there is an encoder.

    Positions are rounded to the nearest, as big_vision does for its training text.
    """
    rules = find_convention(policy)
    masked = [instance for instance in instances if instance.mask is not None]
    codes = iter(encoder.encode(_crops(masked)).tolist() if encoder and masked else [])
    return [
        Mention(
            instance.label,
            rules.units(instance.box, size),
            tuple(next(codes)) if encoder and instance.mask is not None else (),
            point=None if instance.point is None else rules.units(instance.box, size)[:2],
            score=instance.score,
        )
        for instance in instances
    ]


def crop(mask: Mask, pixels: Pixels) -> Soft:
    """The mask's part in a whole-pixel box -> (64, 64) float32 0..1, resized with antialiasing."""
    x0, y0, x1, y1 = pixels
    part = mask[y0:y1, x0:x1]
    if part.size == 0:
        return np.zeros((MASK_SIDE, MASK_SIDE), np.float32)
    grey = Image.fromarray(part.astype(np.float32))
    return np.asarray(grey.resize((MASK_SIDE, MASK_SIDE), Image.Resampling.BILINEAR)).clip(0, 1)


def _crops(instances: Sequence[Instance]) -> Soft:
    return np.stack([crop(item.mask, item.pixels) for item in instances if item.mask is not None])


def _decode(
    mentions: Sequence[Mention], decoder: CodesToMask | None, *, is_soft: bool
) -> list[Soft | None]:
    """A 64 x 64 mask for each mention that has codes: probabilities if soft, else logits."""
    codes = [mention.codes for mention in mentions if mention.codes]
    if decoder is None or not codes:
        return [None] * len(mentions)
    decoded = iter(decoder.decode(np.array(codes), logits=not is_soft))
    return [next(decoded) if mention.codes else None for mention in mentions]


def _locate_one(
    mention: Mention,
    size: tuple[int, int],
    rules: CoordinateConvention,
    decoded: Soft | None,
    wants_soft: bool,
) -> Instance:
    box = rules.box(mention.box, mention.units, size)
    pixels = rules.pixels(box)
    if mention.point is not None:
        point = rules.point(mention.point, mention.units, size)
        return Instance(mention.label, box, pixels, score=mention.score, point=point)
    if decoded is None:
        found = Instance(mention.label, box, pixels, score=mention.score)
        return found if mention.drawn is None else _drawn(found, mention.drawn, mention.units, size)
    drawn = _resize(decoded, pixels, rules)
    mask = _paste(drawn >= _HALF if rules.is_soft else drawn > 0, pixels, size)
    probability = _paste(_soft(drawn, rules), pixels, size) if wants_soft else None
    return Instance(mention.label, box, pixels, mask, probability, mention.score)


def _drawn(found: Instance, drawn: DrawnMask, units: int, size: tuple[int, int]) -> Instance:
    """With the mask that the answer drew itself; without one where its picture is broken."""
    if drawn.rings:
        scale = (size[0] / units, size[1] / units)
        rings = [[(x * scale[0], y * scale[1]) for y, x in ring] for ring in drawn.rings]
        mask = np.logical_or.reduce([fill([ring], size) for ring in rings])
        x0, y0, x1, y1 = found.pixels
        left, top, right, bottom = extent(mask) if mask.any() else found.pixels
        pixels = (min(x0, left), min(y0, top), max(x1, right), max(y1, bottom))
        return replace(found, mask=mask, pixels=pixels)
    width, height = found.pixels[2] - found.pixels[0], found.pixels[3] - found.pixels[1]
    if width <= 0 or height <= 0:
        return replace(found, mask=np.zeros(size[::-1], np.bool_))
    try:
        with Image.open(io.BytesIO(drawn.png), formats=["PNG"]) as picture:
            part = picture.convert("L").resize((width, height), Image.Resampling.BILINEAR)
    except (OSError, ValueError, SyntaxError):
        return found
    return replace(found, mask=_paste(np.asarray(part) >= _HALF, found.pixels, size))


def _resize(decoded: Soft, pixels: Pixels, rules: CoordinateConvention) -> Array:
    """(64, 64) -> the size of the whole-pixel box: 8-bit probabilities if soft, else logits."""
    width, height = max(pixels[2] - pixels[0], 0), max(pixels[3] - pixels[1], 0)
    drawn = (decoded * 255).astype(np.uint8) if rules.is_soft else decoded
    if width == 0 or height == 0:
        return np.zeros((height, width), drawn.dtype)
    return _stretch(drawn, (width, height), is_cubic=rules.is_soft)


def _soft(drawn: Array, rules: CoordinateConvention) -> Soft:
    """What `_resize` gave as probabilities 0..1."""
    return drawn.astype(np.float32) / np.float32(255) if rules.is_soft else to_probability(drawn)


def _stretch(mask: Array, size: tuple[int, int], *, is_cubic: bool) -> Array:
    """Resize; OpenCV is ten times faster and agrees with Pillow where the mask only grows."""
    if min(size) <= MASK_SIDE:
        return stretch_with_pillow(mask, size, is_cubic=is_cubic)
    return stretch_with_opencv(mask, size, is_cubic=is_cubic)


def stretch_with_pillow(mask: Array, size: tuple[int, int], *, is_cubic: bool) -> Array:
    """(64, 64) -> (height, width) as the public systems do it, antialiased where it shrinks."""
    way = Image.Resampling.BICUBIC if is_cubic else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(mask).resize(size, way))


def stretch_with_opencv(mask: Array, size: tuple[int, int], *, is_cubic: bool) -> Array:
    """(64, 64) -> (height, width) for boxes larger than the mask on both sides."""
    import cv2

    way = cv2.INTER_CUBIC if is_cubic else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(mask, size, interpolation=way))


def _paste(part: Array, pixels: Pixels, size: tuple[int, int]) -> Array:
    """A part of the picture in an otherwise empty canvas (untouched pages cost no memory)."""
    canvas = np.zeros((size[1], size[0]), part.dtype)
    x0, y0, x1, y1 = pixels
    canvas[y0 : max(y0, y1), x0 : max(x0, x1)] = part
    return canvas
