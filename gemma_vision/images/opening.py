"""Opening: images opened with care, set upright, turned into pixels. Knows nothing of models.

Whatever comes in (path, bytes, file, PIL picture, array, tensor) leaves as an upright RGB picture
in memory without metadata; boxes and masks are always in pixels of that picture.
"""

from __future__ import annotations

import io
import os
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeAlias, cast

import numpy as np
from PIL import Image, UnidentifiedImageError

from gemma_vision.images.arrays import TensorLike, from_array, from_tensor, is_tensor
from gemma_vision.images.container_scan import scan_container
from gemma_vision.images.file_formats import EXTRA, FORMATS, HEIC, LISTED, is_heic
from gemma_vision.images.limits import MAX_BYTES, MAX_PIXELS, MAX_SIDE, ImageError, check_size
from gemma_vision.images.strips import upright_size, upright_strips
from postprocess.argument_kinds import named
from postprocess.heic import register_heic
from postprocess.user_paths import expanded

__all__ = [
    "MAX_BYTES",
    "MAX_PIXELS",
    "MAX_SIDE",
    "ImageError",
    "Picture",
    "check_size",
    "open_image",
]

Picture: TypeAlias = (
    "Image.Image | np.ndarray | TensorLike | bytes | str | os.PathLike[str] | IO[bytes]"
)

DAMAGED = "The picture is damaged or cut short. Save it again and retry."
NO_PICTURE = f"Give a {LISTED} picture."
ADDRESS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+):/+(?P<rest>.*)", re.DOTALL)
DATA_ADDRESS = "data:"
STANDARD_INPUT = "-"  # to many programs
TILE = (322, 323)  # tags of a TIFF: width and height of its tiles, in pixels
_QUIET = threading.Lock()  # Python's filters of warnings are those of all threads


def open_image(picture: Picture) -> Image.Image:
    """Open anything that shows something, as an upright RGB picture.

    Files of `file_formats.FORMATS` (the first frame or page of several), and HEIC where its
    package is installed, are checked by their size and header before they are decoded: up to
    50 MiB, 16384 pixels a side and 80 million pixels in all. Nothing is fetched: an address is
    refused. Raises ImageError with code E_IMAGE_MISSING, E_IMAGE_EMPTY, E_IMAGE_TOO_LARGE,
    E_IMAGE_FORMAT, E_IMAGE_UNREADABLE or E_IMAGE_TYPE.
    """
    if isinstance(picture, Image.Image):
        check_size(picture.size)
        check_open(picture)
        return upright(picture)
    if isinstance(picture, np.ndarray):
        return upright(from_array(picture))
    if is_tensor(picture):
        return upright(from_tensor(picture))
    if isinstance(picture, (str, os.PathLike)):
        check_path(os.fspath(picture))
        return upright(decode(*read_file(expanded(picture))))
    if isinstance(picture, (bytes, bytearray, memoryview)):
        return upright(decode(bytes(picture), "The picture"))
    if hasattr(picture, "read"):
        return upright(decode(read_object(cast("IO[bytes]", picture)), "The picture"))
    message = f"A picture was expected and {named(picture)} came. {NO_PICTURE}"
    raise ImageError(message, "E_IMAGE_TYPE")


def read_object(file: IO[bytes]) -> bytes:
    """The bytes of an open file, from its start wherever somebody has read to."""
    if getattr(file, "closed", False):
        message = "The picture's file is closed; open it again, or give its path."
        raise ImageError(message)
    if hasattr(file, "seekable") and file.seekable():
        file.seek(0)
    try:
        data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # open for writing, or gone in the meantime
        raise ImageError(f"The picture's file cannot be read ({error}). Open it again.") from error
    if not isinstance(data, bytes):
        message = "The picture's file is open as text; open it in binary mode, as open(path, 'rb')."
        raise ImageError(message, "E_IMAGE_TYPE")
    return data


def check_open(image: Image.Image) -> None:
    """Refuse a PIL picture that was closed: its pixels are gone, and nothing of it is damaged."""
    try:
        image.load()
    except Exception as error:  # what a decoder raises is told where the picture is set upright
        file = getattr(image, "fp", None)
        if file is None or file.closed:
            message = "The picture was closed; use it before, or open its file again."
            raise ImageError(message) from error


def check_path(path: str) -> None:
    """Refuse what names no file: nothing at all, and addresses, which are not fetched."""
    if path == "":
        message = "The name of the picture is empty. Name a picture file."
        raise ImageError(message, "E_IMAGE_MISSING")
    if path == STANDARD_INPUT and not os.path.lexists(path):
        message = "- is no file. A picture on standard input is named /dev/stdin."
        raise ImageError(message, "E_IMAGE_MISSING")
    if path.startswith(DATA_ADDRESS):
        message = "A data: address is no file. Decode its base64 and give the bytes."
        raise ImageError(message, "E_IMAGE_MISSING")
    found = ADDRESS.match(path)
    if found and found["scheme"].lower() == "file":
        message = f"{path} is an address. Give the path without file://."
        raise ImageError(message, "E_IMAGE_MISSING")
    if found:
        address = f"{found['scheme']}://{found['rest']}"  # of which a Path has lost a slash
        message = f"{address} is an address; nothing is fetched. Download it, then name the file."
        raise ImageError(message, "E_IMAGE_MISSING")


def read_file(path: Path) -> tuple[bytes, str]:
    """The bytes of a picture file and its name for messages."""
    try:
        with path.open("rb") as file:  # one byte more than allowed, so that too much shows
            return file.read(MAX_BYTES + 1), path.name
    except FileNotFoundError as error:
        raise ImageError(f"There is no file {path}. Check its name.", "E_IMAGE_MISSING") from error
    except IsADirectoryError as error:
        message = f"{path} is a folder. Name the picture files in it."
        raise ImageError(message) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        name = path.name or path  # a folder such as "." or "/" has none
        raise ImageError(f"{name} cannot be read ({reason}). Name a picture file.") from error


def decode(data: bytes, name: str) -> Image.Image:
    """Decode a picture file, refusing it from its size and header where it is too large."""
    scan_file(data, name)
    image = read_header(data, name)
    with explained_damage(name):
        image.load()
    return image


def scan_file(data: bytes, name: str) -> int:
    """Refuse a file by its bytes alone; how often a decoder goes over its pixels."""
    if not data:
        raise ImageError(f"{name} is empty (0 bytes). {NO_PICTURE}", "E_IMAGE_EMPTY")
    if len(data) > MAX_BYTES:
        limit = f"{name} is larger than {MAX_BYTES // 2**20} MiB. Save it smaller and try again."
        raise ImageError(limit, "E_IMAGE_TOO_LARGE")
    return scan_container(data, name)


def read_header(data: bytes, name: str) -> Image.Image:
    """The picture of a file, its size checked and its pixels not decoded yet."""
    with explained_damage(name):
        image = _open_lazily(data, name)
        check_size(image.size, name)
        check_tiles(image, name)
    return image


@contextmanager
def explained_damage(name: str) -> Iterator[None]:
    """Whatever a decoder raises, as an ImageError; memory that is not there stays what it is."""
    try:
        yield
    except (ImageError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        message = f"{name} is not a picture that can be read. {NO_PICTURE}"
        raise ImageError(message, "E_IMAGE_FORMAT") from error
    except Image.DecompressionBombError as error:
        raise ImageError(
            f"{name} is too large. Resize it and try again.", "E_IMAGE_TOO_LARGE"
        ) from error
    except Exception as error:  # decoders raise all sorts on damaged files, SyntaxError included
        raise ImageError(f"{name} is damaged or cut short. Save it again and retry.") from error


def check_tiles(image: Image.Image, name: str) -> None:
    """Refuse a TIFF whose tiles are larger than pictures: one is decoded into memory whole."""
    tags = getattr(image, "tag_v2", {})
    if all(tag in tags for tag in TILE):
        check_size((int(tags[TILE[0]]), int(tags[TILE[1]])), name)


def _open_lazily(data: bytes, name: str) -> Image.Image:
    """The picture, its pixels not decoded yet.

    Pillow warns of sizes that `check_size` refuses right after, and of odd tags, so that nobody
    needs to hear it.
    """
    formats = [one.name for one in FORMATS]
    if is_heic(data):
        if not register_heic():
            message = f"{name} is a HEIC picture. Save it as JPEG, or have it read: {EXTRA}."
            raise ImageError(message, "E_IMAGE_FORMAT")
        formats = [HEIC.name]
    with _QUIET, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Image.open(io.BytesIO(data), formats=formats)


def upright(image: Image.Image) -> Image.Image:
    """Turned as the camera was held, on white where it is transparent, RGB, no metadata."""
    try:
        strips = upright_strips(image)
        first = next(strips)
        if first.height == upright_size(image)[1]:
            clean = first.copy() if first is image else first
        else:
            clean = Image.new("RGB", upright_size(image))
            clean.paste(first, (0, 0))
            top = first.height
            for strip in strips:
                clean.paste(strip, (0, top))
                top += strip.height
    except Exception as error:  # a lazily opened picture decodes here
        raise ImageError(DAMAGED) from error
    clean.info = {}
    clean.getexif().clear()
    return clean
