"""Limits: how large a picture may be, and the error of one that cannot be used."""

from __future__ import annotations

from postprocess.errors import UserError

MAX_BYTES = 50 * 2**20  # of an encoded file
MAX_SIDE = 16_384  # pixels
MAX_PIXELS = 80_000_000  # a whole picture from the largest phone cameras is under that


class ImageError(UserError):
    """A picture cannot be used; `code` is stable, the message is one sentence for a person."""

    CODE = "E_IMAGE_UNREADABLE"


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
