"""Annotated: a picture's name, its size and what is in it; labels and boxes as formats want."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from PIL import Image

from postprocess.coordinate_conventions import Box, Pixels
from postprocess.exports.files import ExportError
from postprocess.exports.naming import free_stems, safe_stem
from postprocess.instances import CodesToMask, Instance, Mask, MaskToCodes
from postprocess.mask_formats import extent

# What XML 1.0 leaves out: control characters, surrogates and two that are no characters.
_CONTROLS = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Codec(CodesToMask, MaskToCodes, Protocol):
    """Masks to codes and back; `MaskDecoder` is one. Use the one of the model to be trained."""


@dataclass(frozen=True, eq=False)
class Annotated:
    """What is known of one picture. `size` is (width, height) of the upright picture.

    `image` is needed by the exports that show pixels only. `file_name` is what data sets call it,
    `files` how the files about it begin where its own name, cleaned, is not free (see `apart`).
    `codec` turns masks into codes and back, for lines of PaliGemma.
    """

    file_name: str
    size: tuple[int, int]
    instances: Sequence[Instance]
    image: Image.Image | None = None
    files: str | None = None
    codec: Codec | None = None

    @property
    def stem(self) -> str:
        """A name for files about the picture, without folder and suffix."""
        return self.files or safe_stem(self.file_name)

    @property
    def pixels(self) -> Image.Image:
        """The picture itself; ExportError where only its size is known."""
        if self.image is None:
            raise ExportError(
                f"This export shows pixels, but of {self.file_name} only the size is known. "
                "Give the picture too."
            )
        return self.image


def apart(pictures: Sequence[Annotated]) -> list[Annotated]:
    """The same pictures, no two of which have files of the same name."""
    stems = free_stems([picture.file_name for picture in pictures])
    return [replace(one, files=stem) for one, stem in zip(pictures, stems, strict=True)]


def refuse_points(pictures: Iterable[Annotated], form: str) -> list[Annotated]:
    """The pictures, unless one has a point, which the form cannot hold: ExportError then."""
    pictures = list(pictures)
    for picture in pictures:
        points = sum(one.point is not None for one in picture.instances)
        if points:
            raise ExportError(
                f"{form} has no points, and {picture.file_name} has {points}. Leave them out, or "
                "take coco, labelme, csv, svg or voc."
            )
    return pictures


def on_one_line(text: str) -> str:
    """A label for formats that keep one thing on a line: runs of space become one space."""
    return " ".join(text.split())


def without_controls(text: str) -> str:
    """A text without the characters that XML cannot hold."""
    return _CONTROLS.sub("\ufffd", text)


def whole_box(box: Box, mask: Mask | None, size: tuple[int, int]) -> Pixels:
    """The smallest whole-pixel box around a box and its mask, within the picture."""
    x0, y0, x1, y1 = math.floor(box[0]), math.floor(box[1]), math.ceil(box[2]), math.ceil(box[3])
    if mask is not None and mask.any():
        left, top, right, bottom = extent(mask)
        x0, y0, x1, y1 = min(x0, left), min(y0, top), max(x1, right), max(y1, bottom)
    return max(x0, 0), max(y0, 0), min(x1, size[0]), min(y1, size[1])
