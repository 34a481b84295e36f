"""Annotated: a picture's name, its size and what is in it; and names that are safe for files."""

import json
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from PIL import Image

from postprocess.instances import Instance, Mask
from postprocess.policies import Box, Pixels
from postprocess.shapes import extent

_UNSAFE = re.compile(r"[^\w-]+")
# What XML 1.0 leaves out: control characters, surrogates and two that are no characters.
_CONTROLS = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MAX_NAME = 80  # characters; the longest file name of most systems is 255 bytes


class ExportError(ValueError):
    """Something that a format cannot hold, or a file that is not of the format."""


@dataclass(frozen=True, eq=False)
class Annotated:
    """What is known of one picture. `size` is (width, height) of the upright picture.

    `image` is needed by the exports that show pixels only. `file_name` is what data sets call it.
    """

    file_name: str
    size: tuple[int, int]
    instances: Sequence[Instance]
    image: Image.Image | None = None

    @property
    def stem(self) -> str:
        """A name for files about the picture, without folder and suffix."""
        return safe_name(str(PurePosixPath(self.file_name).with_suffix("")), "picture")

    @property
    def pixels(self) -> Image.Image:
        """The picture itself; ExportError where only its size is known."""
        if self.image is None:
            raise ExportError(
                f"This export shows pixels, but of {self.file_name} only the size is known. "
                "Give the picture too."
            )
        return self.image


def safe_name(text: str, otherwise: str) -> str:
    """Letters, digits, - and _ of a text, for a file's name: no folders, no leading dots."""
    return _UNSAFE.sub("_", text).strip("_")[:_MAX_NAME] or otherwise


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


def write_json(path: Path, content: Any) -> Path:
    """Write JSON whole or not at all: a reader never meets half a file."""
    return write_text(path, json.dumps(content, ensure_ascii=False))


def write_text(path: Path, text: str) -> Path:
    """Write text whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
    return path


def read_text(path: Path) -> str:
    """The text of a file; ExportError where there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ExportError(f"There is no file {path}. Check the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ExportError(f"{path} cannot be read as text ({error}). Check the file.") from error


def read_json(path: Path) -> Any:
    """The JSON of a file; ExportError where there is none."""
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise ExportError(f"{path} is not JSON: {error}. Export it again.") from error
