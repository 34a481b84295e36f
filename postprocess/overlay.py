"""Overlay: instances drawn onto a picture. Knows nothing of models or tokens.

Masks are mixed within their boxes, in 8 bits, so that twelve megapixels cost little more than
their copy. The result is a new picture without EXIF or any other record.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from postprocess.argument_kinds import as_list, check_kind, is_number
from postprocess.errors import UserError
from postprocess.instances import Instance
from postprocess.label_drawing import Pill, PlaceGrid, arrange, drawing_unit, font_size, write_pill
from postprocess.palette import PALETTE, Color, label_color, label_colors

__all__ = ["PALETTE", "OverlayError", "draw", "label_color", "label_colors"]

Cover = npt.NDArray[np.uint8]

_THIN = 3  # edges up to this width are smoothed; on wider ones nobody sees steps of a pixel
_DOT = 2  # widths of a line from the middle of a point's dot to its edge
_LINE, _EDGE = 2, 1.5  # units: the viewer's lines around boxes and masks
_CASING = (0, 0, 0, 115)  # a dark edge beside each line: it shows on a picture of any colour


class OverlayError(UserError):
    """What cannot be drawn: no picture, no instances, or those of another picture."""

    CODE = "E_OVERLAY"


def draw(
    image: Image.Image,
    instances: Sequence[Instance],
    *,
    opacity: float = 0.5,
    masks: bool = True,
    boxes: bool = True,
    labels: bool = True,
    scores: bool = False,
    colors: Mapping[str, Color] | None = None,
    numbers: Sequence[int] | None = None,
) -> Image.Image:
    """The picture with its instances: masks blended in, boxes, points as dots, and numbered
    labels on pills.

    Each label has one colour, which stays the same while instances arrive; `colors` brings those
    of a whole film, `numbers` what its things are called, instead of 1, 2, 3. `opacity` is that of
    the masks, 0..1. The picture is the upright one that the instances were located in; it is left
    as it is. Raises OverlayError for an opacity out of range and a mask of another size.
    """
    check_kind(image, Image.Image, "a picture that is open, as Image.open(path)", OverlayError)
    instances = as_list(instances, Instance, "locate", OverlayError)
    _check(image, instances, opacity)
    colors = label_colors(instance.label for instance in instances) if colors is None else colors
    numbers = range(1, len(instances) + 1) if numbers is None else numbers
    _check_names(instances, colors, numbers)
    largest_first = sorted(instances, key=lambda instance: -_area(instance))
    drawn = _copy(image)
    for instance in largest_first if masks else ():
        _blend(drawn, instance, colors[instance.label], opacity)
    canvas = ImageDraw.Draw(drawn, "RGBA")  # what is half clear is mixed with the picture
    for instance in largest_first if boxes else ():
        _draw_place(canvas, instance, colors[instance.label], line_width(image.size))
    for pill in _pills(instances, numbers, colors, image.size, labels=labels, scores=scores):
        write_pill(drawn, pill)
    return drawn


def fitting(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture, where it has the (width, height) that instances count in; else OverlayError."""
    if image.size != size:
        raise OverlayError(
            f"The picture is {image.width} x {image.height}, the answer counts in "
            f"{size[0]} x {size[1]} pixels. Give a picture of that size."
        )
    return image


def line_width(size: tuple[int, int]) -> int:
    """A thickness of lines, in pixels, that shows on a picture of this (width, height)."""
    return max(2, round(_LINE * drawing_unit(size)))


def _check(image: Image.Image, instances: Sequence[Instance], opacity: float) -> None:
    if not is_number(opacity) or not 0 <= opacity <= 1:
        raise OverlayError(f"The opacity is {opacity!r}; it must lie between 0 and 1.")
    wanted = (image.height, image.width)
    for instance in instances:
        if instance.mask is not None and instance.mask.shape != wanted:
            height, width = instance.mask.shape
            raise OverlayError(
                f"The mask of {instance.label!r} is {width} x {height}, the picture {image.width} "
                f"x {image.height}. Locate the mentions with the size of this picture."
            )


def _check_names(
    instances: Sequence[Instance], colors: Mapping[str, Color], numbers: Sequence[int]
) -> None:
    """Each thing has a colour and a number."""
    for label in sorted({instance.label for instance in instances}):
        try:
            colors[label]  # a mapping may make one up
        except KeyError:
            message = f"colors has none for {label!r}; give one for each label."
            raise OverlayError(message) from None
    if len(numbers) != len(instances):
        counts = f"{len(numbers)} numbers for {len(instances)} things"
        raise OverlayError(f"There are {counts}; give one for each.")


def _copy(image: Image.Image) -> Image.Image:
    """The pixels alone, as RGB."""
    copy = image.copy() if image.mode == "RGB" else image.convert("RGB")
    copy.info = {}  # where Pillow keeps EXIF and all else that a file said
    return copy


def _blend(drawn: Image.Image, instance: Instance, color: Color, opacity: float) -> None:
    """Mix the colour into the pixels of the mask and line its edge."""
    x0, y0, x1, y1 = instance.pixels
    if instance.mask is None or x1 <= x0 or y1 <= y0:
        return
    inside = np.ascontiguousarray(instance.mask[y0:y1, x0:x1]).view(np.uint8)
    cover = _cover(inside, round(opacity * 255), max(1, round(_EDGE * drawing_unit(drawn.size))))
    drawn.paste(color, instance.pixels, Image.fromarray(cover))


def _cover(inside: Cover, opacity: int, width: int) -> Cover:
    """(h, w) 0 or 1 -> how much of the colour goes where, 0..255: all of it along the edges."""
    import cv2

    rings, _ = cv2.findContours(inside, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    cover = inside * np.uint8(opacity)
    smoothness = cv2.LINE_AA if width <= _THIN else cv2.LINE_8
    cv2.drawContours(cover, rings, -1, 255, width, smoothness)
    return cover


def _draw_place(canvas: ImageDraw.ImageDraw, instance: Instance, color: Color, width: int) -> None:
    """A box, or a dot where the thing is a point."""
    if instance.point is None:
        _draw_box(canvas, instance, color, width)
        return
    x, y = instance.point
    for radius, paint in ((_DOT * width + max(1, width // 2), _CASING), (_DOT * width, color)):
        canvas.ellipse((x - radius, y - radius, x + radius, y + radius), fill=paint)


def _draw_box(canvas: ImageDraw.ImageDraw, instance: Instance, color: Color, width: int) -> None:
    """The line along the inner side of the box's edge, and its dark edge within."""
    x0, y0, x1, y1 = instance.pixels
    _draw_frame(canvas, (x0, y0, x1, y1), color, width)
    inner = (x0 + width, y0 + width, x1 - width, y1 - width)
    if inner[0] < inner[2] and inner[1] < inner[3]:
        _draw_frame(canvas, inner, _CASING, max(1, width // 2))


def _draw_frame(
    canvas: ImageDraw.ImageDraw, box: tuple[int, int, int, int], paint: tuple[int, ...], width: int
) -> None:
    """Four strips within a box, none of which lies on another: half clear paint shows no seam."""
    x0, y0, x1, y1 = box
    if x1 - x0 <= 2 * width or y1 - y0 <= 2 * width:
        canvas.rectangle((x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)), fill=paint)
        return
    for strip in (
        (x0, y0, x1 - 1, y0 + width - 1),
        (x0, y1 - width, x1 - 1, y1 - 1),
        (x0, y0 + width, x0 + width - 1, y1 - width - 1),
        (x1 - width, y0 + width, x1 - 1, y1 - width - 1),
    ):
        canvas.rectangle(strip, fill=paint)


def _pills(
    instances: Sequence[Instance],
    numbers: Sequence[int],
    colors: Mapping[str, Color],
    size: tuple[int, int],
    *,
    labels: bool,
    scores: bool,
) -> list[Pill]:
    pills: list[Pill] = []
    taken = PlaceGrid(2 * font_size(size))
    for number, instance in zip(numbers, instances, strict=True):
        words = [str(number), instance.name] if labels else []
        if scores and instance.score is not None:
            words.append(f"{instance.score:.0%}")
        text = " ".join(word for word in words if word)
        if text:
            place = _reach(instance, size)
            pills.append(arrange(text, colors[instance.label], place, size, taken))
    return pills


def _reach(instance: Instance, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """What its label should leave free: its box, or its dot."""
    if instance.point is None:
        return instance.pixels
    radius = (_DOT + 1) * line_width(size)
    x, y = (round(value) for value in instance.point)
    return x - radius, y - radius, x + radius, y + radius


def _area(instance: Instance) -> int:
    x0, y0, x1, y1 = instance.pixels
    return (x1 - x0) * (y1 - y0)
