"""Artists: ways from decoded masks to a picture with masks, or with boxes and labels too.

K masks of 64 x 64 logits. Everyone decodes with the decoder that is handed in, resizes each mask
to its box by the `bigvision` rules, takes a PIL picture and gives one back. What differs is how
masks are kept and how they are mixed into the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module, metadata
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from postprocess import Instance, Mention, draw, locate
from postprocess.instances import CodesToMask, Soft, stretch_with_opencv, stretch_with_pillow
from postprocess.label_drawing import font_size
from postprocess.overlay import label_colors, line_width

POLICY = "bigvision"
OPACITY = 0.5

Mask = npt.NDArray[np.bool_]
Artist = Callable[..., Image.Image]  # (image, mentions, decoder, masks_only=False) -> image


class Ready:
    """A decoder that has decoded already: what is timed with it starts after decoding."""

    def __init__(self, logits: Soft) -> None:
        self._logits = logits

    def decode(self, codes: npt.ArrayLike, logits: bool = False) -> Soft:
        assert logits and len(np.asarray(codes)) == len(self._logits)
        return self._logits


def draw_ours(
    image: Image.Image,
    mentions: Sequence[Mention],
    decoder: CodesToMask,
    *,
    masks_only: bool = False,
) -> Image.Image:
    """This package: masks and their edges; boxes, and labels on pills that keep apart."""
    found = locate(mentions, image.size, decoder, POLICY)
    return draw(image, found, opacity=OPACITY, boxes=not masks_only, labels=not masks_only)


def draw_on_canvas(
    image: Image.Image,
    mentions: Sequence[Mention],
    decoder: CodesToMask,
    *,
    masks_only: bool = False,
) -> Image.Image:
    """Plain numpy, as tutorials have it: each mask on a canvas of its own, all of it mixed."""
    found, logits = boxes_and_logits(image, mentions, decoder)
    colors = label_colors(one.label for one in found)
    canvas = np.asarray(image, np.float32)
    for one, mask in zip(found, logits, strict=True):
        whole = np.zeros((image.height, image.width, 1), np.bool_)
        fill_box(whole[..., 0], one, mask, stretch_with_pillow)
        color = np.asarray(colors[one.label], np.float32)
        mixed = canvas * (1 - OPACITY) + color * OPACITY
        canvas = np.where(whole, mixed, canvas)
    drawn = Image.fromarray(canvas.astype(np.uint8))
    return drawn if masks_only else write_labels(drawn, found)


def draw_with_pillow(
    image: Image.Image,
    mentions: Sequence[Mention],
    decoder: CodesToMask,
    *,
    masks_only: bool = False,
) -> Image.Image:
    """Pillow alone: each mask pasted within its box, half transparent."""
    found, logits = boxes_and_logits(image, mentions, decoder)
    colors = label_colors(one.label for one in found)
    drawn = image.copy()
    for one, mask in zip(found, logits, strict=True):
        x0, y0, x1, y1 = one.pixels
        inside = stretch_with_pillow(mask, (x1 - x0, y1 - y0), is_cubic=False) > 0
        cover = Image.fromarray(inside * np.uint8(255 * OPACITY))
        drawn.paste(colors[one.label], one.pixels, cover)
    return drawn if masks_only else write_labels(drawn, found)


def draw_with_supervision(
    image: Image.Image,
    mentions: Sequence[Mention],
    decoder: CodesToMask,
    *,
    masks_only: bool = False,
    compact: bool = False,
) -> Image.Image:
    """supervision's annotators, with lines and letters of the sizes that it recommends.

    It gets masks as (K, H, W) bool, resized by OpenCV as ours are, and the picture as one array, so
    that no annotator converts it. `compact` packs the masks into its run-lengths first.
    """
    sv: Any = import_module("supervision")
    found, logits = boxes_and_logits(image, mentions, decoder)
    masks: Any = np.zeros((len(found), image.height, image.width), np.bool_)
    for whole, one, mask in zip(masks, found, logits, strict=True):
        fill_box(whole, one, mask, stretch_with_opencv)
    corners = np.array([one.pixels for one in found], np.float32)
    if compact:
        masks = sv.CompactMask.from_dense(masks, corners, image_shape=masks.shape[1:])
    things = sv.Detections(corners, mask=masks, class_id=np.arange(len(found)))
    scene = sv.MaskAnnotator(opacity=OPACITY).annotate(np.array(image), things)
    if not masks_only:
        width = sv.calculate_optimal_line_thickness(image.size)
        scale = sv.calculate_optimal_text_scale(image.size)
        scene = sv.BoxAnnotator(thickness=width).annotate(scene, things)
        writer = sv.LabelAnnotator(text_scale=scale, text_thickness=width)
        scene = writer.annotate(scene, things, [one.label for one in found])
    return Image.fromarray(scene)


def artists() -> dict[str, Artist]:
    """Every way there is, ours first; supervision's where it is installed."""
    known: dict[str, Artist] = {"ours": draw_ours}
    if supervision_version():
        known["supervision"] = draw_with_supervision
        known["supervision, compact"] = partial(draw_with_supervision, compact=True)
    return known | {"pillow": draw_with_pillow, "numpy": draw_on_canvas}


def supervision_version() -> str | None:
    """The version of supervision, or None where it is not installed."""
    try:
        return metadata.version("supervision")
    except metadata.PackageNotFoundError:
        return None


def boxes_and_logits(
    image: Image.Image, mentions: Sequence[Mention], decoder: CodesToMask
) -> tuple[list[Instance], Soft]:
    """Where the boxes lie, and (K, 64, 64) logits of what is in them."""
    codes = np.array([mention.codes for mention in mentions])
    return locate(mentions, image.size, None, POLICY), decoder.decode(codes, logits=True)


def fill_box(
    whole: Mask, one: Instance, mask: Soft, stretch: Callable[..., npt.NDArray[Any]]
) -> None:
    """Write (64, 64) logits as a mask into the box's part of an empty (H, W) canvas."""
    x0, y0, x1, y1 = one.pixels
    whole[y0:y1, x0:x1] = stretch(mask, (x1 - x0, y1 - y0), is_cubic=False) > 0


def write_labels(drawn: Image.Image, found: Sequence[Instance]) -> Image.Image:
    """Boxes and labels as Pillow draws them, in our sizes."""
    colors = label_colors(one.label for one in found)
    font = ImageFont.load_default(font_size(drawn.size))
    canvas = ImageDraw.Draw(drawn)
    for one in found:
        canvas.rectangle(one.pixels, outline=colors[one.label], width=line_width(drawn.size))
        canvas.text(one.pixels[:2], one.label, fill="white", font=font)
    return drawn
