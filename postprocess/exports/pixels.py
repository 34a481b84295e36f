"""Pictures as exports: the overlay, masks as PNG files, cut-outs with alpha. None carries EXIF."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from postprocess.datasets.annotated import Annotated
from postprocess.datasets.files import safe_name, write_image
from postprocess.instances import UNNAMED, Instance
from postprocess.overlay import draw, label_colors

_MAX_INDEX = 255  # the highest number that an 8-bit indexed PNG can hold


def to_overlay(pictures: Iterable[Annotated], folder: Path) -> list[Path]:
    """`NAME.overlay.png`: the picture with its instances drawn on it."""
    return [
        _save(draw(picture.pixels, picture.instances), folder / f"{picture.stem}.overlay.png")
        for picture in pictures
    ]


def to_mask_pngs(pictures: Iterable[Annotated], folder: Path) -> list[Path]:
    """`NAME.masks.png`, where the value is the instance's number, and one PNG for each mask.

    Where masks overlap the smaller one shows. Instances without a mask leave their number unused.
    """
    written = []
    for picture in pictures:
        written.append(_save(indexed(picture), folder / f"{picture.stem}.masks.png"))
        for number, instance in enumerate(picture.instances, 1):
            if instance.mask is not None:
                path = folder / f"{picture.stem}.mask.{_numbered(number, instance)}.png"
                written.append(_save(Image.fromarray(instance.mask), path))
    return written


def to_cutouts(pictures: Iterable[Annotated], folder: Path) -> list[Path]:
    """`NAME.cutout.1.cat.png` for each instance: its box cut out, clear where the mask is not."""
    written = []
    for picture in pictures:
        for number, instance in enumerate(picture.instances, 1):
            x0, y0, x1, y1 = instance.pixels
            if x1 > x0 and y1 > y0:
                path = folder / f"{picture.stem}.cutout.{_numbered(number, instance)}.png"
                written.append(_save(cut_out(picture.pixels, instance), path))
    return written


def indexed(picture: Annotated) -> Image.Image:
    """0 where there is nothing, else the instance's number, in the colours of the labels.

    8 bits with a palette, or 16 without one where there are more than 255 instances.
    """
    width, height = picture.size
    is_small = len(picture.instances) <= _MAX_INDEX
    numbers = np.zeros((height, width), np.uint8 if is_small else np.uint16)
    by_size = sorted(enumerate(picture.instances, 1), key=lambda pair: -_count(pair[1]))
    for number, instance in by_size:
        if instance.mask is not None:
            numbers[instance.mask] = number
    image = Image.fromarray(numbers)
    if is_small:
        colors = label_colors(instance.label for instance in picture.instances)
        used = [channel for instance in picture.instances for channel in colors[instance.label]]
        image.putpalette([0, 0, 0, *used])
    return image


def cut_out(image: Image.Image, instance: Instance) -> Image.Image:
    """The part of a picture in an instance's box, RGBA; soft edges where probabilities are kept."""
    x0, y0, x1, y1 = instance.pixels
    here = (slice(y0, y1), slice(x0, x1))
    part = np.array(image.convert("RGB").crop(instance.pixels))
    alpha = np.full(part.shape[:2], 255, np.uint8)
    if instance.probability is not None:
        alpha = np.rint(instance.probability[here] * 255).astype(np.uint8)
    elif instance.mask is not None:
        alpha = instance.mask[here].astype(np.uint8) * 255
    return Image.fromarray(np.dstack([part, alpha]))


def _count(instance: Instance) -> int:
    return 0 if instance.mask is None else int(instance.mask.sum())


def _numbered(number: int, instance: Instance) -> str:
    return f"{number}.{safe_name(instance.name, UNNAMED)}"


def _save(image: Image.Image, path: Path) -> Path:
    # level 1 takes half the time of the default and a tenth more room
    return write_image(path, image, compress_level=1)
