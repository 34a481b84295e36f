"""Opening: images opened with care, set upright, turned into pixels. Knows nothing of models.

Whatever comes in (path, bytes, file, PIL picture, array) leaves as an upright RGB picture in
memory without metadata; boxes and masks are always in pixels of that picture.
"""

from __future__ import annotations

import io
import os
import threading
import warnings
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from postprocess.errors import UserError

Picture: TypeAlias = "Image.Image | np.ndarray | bytes | str | os.PathLike[str] | IO[bytes]"

MAX_BYTES = 50 * 2**20  # of an encoded file
MAX_SIDE = 16_384  # pixels
MAX_PIXELS = 80_000_000  # a whole picture from the largest phone cameras is under that
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
NO_PICTURE = "Give a PNG, JPEG, WEBP, BMP or GIF picture."
_QUIET = threading.Lock()  # Python's filters of warnings are those of all threads


class ImageError(UserError):
    """A picture cannot be used; `code` is stable, the message is one sentence for a person."""

    CODE = "E_IMAGE_UNREADABLE"


def open_image(picture: Picture) -> Image.Image:
    """Open anything that shows something, as an upright RGB picture.

    Files are checked by their size and header before they are decoded: PNG, JPEG, WEBP, BMP and
    the first frame of a GIF, up to 50 MiB, 16384 pixels a side and 80 million pixels in all.
    Raises ImageError with code E_IMAGE_MISSING, E_IMAGE_EMPTY, E_IMAGE_TOO_LARGE,
    E_IMAGE_FORMAT, E_IMAGE_UNREADABLE or E_IMAGE_TYPE.
    """
    if isinstance(picture, Image.Image):
        check_size(picture.size)
        return upright(picture)
    if isinstance(picture, np.ndarray):
        return upright(from_array(picture))
    if isinstance(picture, (str, os.PathLike)):
        if picture == "":
            message = "The name of the picture is empty. Name a picture file."
            raise ImageError(message, "E_IMAGE_MISSING")
        return upright(decode(*read_file(Path(picture))))
    if isinstance(picture, (bytes, bytearray, memoryview)):
        return upright(decode(bytes(picture), "The picture"))
    if hasattr(picture, "read"):
        return upright(decode(picture.read(MAX_BYTES + 1), "The picture"))
    raise ImageError(f"A {type(picture).__name__} is no picture. {NO_PICTURE}", "E_IMAGE_TYPE")


def read_file(path: Path) -> tuple[bytes, str]:
    """The bytes of a picture file and its name for messages."""
    try:
        with path.open("rb") as file:  # one byte more than allowed, so that too much shows
            return file.read(MAX_BYTES + 1), path.name
    except FileNotFoundError as error:
        raise ImageError(f"There is no file {path}. Check its name.", "E_IMAGE_MISSING") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        name = path.name or path  # a folder such as "." or "/" has none
        raise ImageError(f"{name} cannot be read ({reason}). Name a picture file.") from error


def decode(data: bytes, name: str) -> Image.Image:
    """Decode a picture file, refusing it from its size and header where it is too large."""
    if not data:
        raise ImageError(f"{name} is empty (0 bytes). {NO_PICTURE}", "E_IMAGE_EMPTY")
    if len(data) > MAX_BYTES:
        limit = f"{name} is larger than {MAX_BYTES // 2**20} MiB. Save it smaller and try again."
        raise ImageError(limit, "E_IMAGE_TOO_LARGE")
    try:
        image = _read_header(data)
        check_size(image.size, name)
        image.load()
    except ImageError:
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
    return image


def _read_header(data: bytes) -> Image.Image:
    """The picture, its pixels not decoded yet.

    Pillow warns of sizes that `check_size` refuses right after, so that nobody needs to hear it.
    """
    with _QUIET, warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(io.BytesIO(data), formats=FORMATS)


def check_size(size: tuple[int, int], name: str = "The picture") -> None:
    """Refuse pictures without pixels or with too many; size is (width, height)."""
    width, height = size
    if width < 1 or height < 1:
        message = f"{name} is {width} x {height} pixels; it needs at least 1 x 1."
        raise ImageError(message, "E_IMAGE_EMPTY")
    if max(size) > MAX_SIDE or width * height > MAX_PIXELS:
        raise ImageError(
            f"{name} is {width} x {height}; the limit is {MAX_SIDE} a side and "
            f"{MAX_PIXELS // 1_000_000} million pixels. Resize it and try again.",
            "E_IMAGE_TOO_LARGE",
        )


def from_array(array: NDArray[np.generic]) -> Image.Image:
    """(H, W) or (H, W, 1, 3 or 4): uint8 0..255, uint16 0..65535, bool, or float 0..1."""
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        message = f"An array of shape {array.shape} is no picture; (H, W) or (H, W, 3) is wanted."
        raise ImageError(message, "E_IMAGE_TYPE")
    if array.dtype.kind not in "buif":
        message = f"An array of {array.dtype} is no picture; numbers are wanted."
        raise ImageError(message, "E_IMAGE_TYPE")
    check_size((array.shape[1], array.shape[0]))
    return Image.fromarray(_to_bytes(array))


def upright(image: Image.Image) -> Image.Image:
    """Turned as the camera was held, on white where it is transparent, RGB, no metadata."""
    try:
        flat = _to_rgb(ImageOps.exif_transpose(image))
    except Exception as error:  # a lazily opened picture decodes here
        raise ImageError("The picture is damaged or cut short. Save it again and retry.") from error
    clean = flat.copy() if flat is image else flat
    clean.info = {}
    clean.getexif().clear()
    return clean


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I;16", "I;16L", "I;16B", "I;16N", "I", "F"):
        return Image.fromarray(_to_bytes(np.asarray(image))).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        see_through = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, see_through).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _to_bytes(array: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Grey levels of any kind as 0..255.

    uint16 is 0..65535, bool 0..1; floats and wider integers are 0..1, 0..255 or 0..65535, the
    narrowest range that holds them.
    """
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array).astype(np.uint8, copy=False)
    values = np.nan_to_num(array.astype(np.float64))
    top = values.max()
    if array.dtype.kind == "u" and array.dtype.itemsize == 2:
        factor = 1 / 257  # 65535 -> 255
    elif array.dtype.kind in "bf" and top <= 1:
        factor = 255.0
    else:
        factor = 1.0 if top <= 255 else 1 / 257
    # halves go up, so that 0.5 is 128
    return np.clip(np.floor(values * factor + 0.5), 0, 255).astype(np.uint8)
