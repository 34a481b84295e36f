"""Arrays: pictures as numbers, NumPy's or torch's, as Pillow's. H height, W width, C channels.

Torch is never imported here: whoever holds a tensor has imported it.
"""

from __future__ import annotations

import sys
from typing import Any, Protocol, TypeGuard

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gemma_vision.images.limits import ImageError, check_size

CHANNELS = (1, 3, 4)  # grey, RGB, RGBA
RGB = 3
BELOW = -0.5  # no float picture goes so far below 0 by interpolation; what is normalised does,
NORMALISED = 4.0  # and stays below this
BEYOND = 1.5  # times white: as far as interpolation (bicubic, Lanczos) overshoots it in floats
WANTED = "(H, W), (H, W, 3) or (3, H, W) is wanted"


class TensorLike(Protocol):
    """What is needed of torch's tensors: the numbers without their gradients."""

    def detach(self) -> Any:
        """A tensor of the same numbers."""


def is_tensor(picture: object) -> TypeGuard[TensorLike]:
    """Whether it is one of torch's tensors."""
    tensor = getattr(sys.modules.get("torch"), "Tensor", None)
    return tensor is not None and isinstance(picture, tensor)


def from_tensor(tensor: TensorLike) -> Image.Image:
    """A tensor on any device, as `from_array`. ImageError for one without a number at each pixel,
    as the sparse and those of the device meta are.
    """
    try:
        here = tensor.detach().cpu()
        array = (here.float() if here.is_floating_point() else here).numpy()
    except (TypeError, RuntimeError) as error:  # NotImplementedError is one of the latter
        message = "The tensor has no pixels that can be read; give a dense one with its numbers."
        raise ImageError(message, "E_IMAGE_TYPE") from error
    return from_array(array)


def from_array(array: NDArray[Any]) -> Image.Image:
    """(H, W), (H, W, C) or (C, H, W): uint8 0..255, uint16 0..65535, bool, or float 0..1.

    Raises ImageError (E_IMAGE_TYPE) for other shapes, for one that can be read either way, such as
    (3, 640, 3), for what is no number, and for floats that were normalised for a model.
    """
    array = channels_last(array)
    if array.dtype.kind not in "buif":
        message = f"An array of {array.dtype} is no picture; numbers are wanted."
        raise ImageError(message, "E_IMAGE_TYPE")
    check_size((array.shape[1], array.shape[0]))
    check_not_normalised(array)
    return Image.fromarray(to_bytes(array))


def check_not_normalised(array: NDArray[Any]) -> None:
    """Refuse what a model takes as pixels, -1..1 or so: half of the picture would be black."""
    known = array[np.isfinite(array)] if array.dtype.kind == "f" else array[:0]
    if not known.size:
        return
    least, most = float(known.min()), float(known.max())
    if least < BELOW and most < NORMALISED:
        message = f"An array from {least:.2f} to {most:.2f} was normalised for a model"
        raise ImageError(f"{message}; give the picture itself, 0..1 or 0..255.", "E_IMAGE_TYPE")


def channels_last(array: NDArray[Any]) -> NDArray[Any]:
    """(H, W), (H, W, C) or (C, H, W) -> (H, W), (H, W, 3) or (H, W, 4).

    Where both ends could be channels, the last is, unless three come first: nobody can tell three
    rows from three channels.
    """
    shape = array.shape
    if len(shape) == 2:
        return array
    if len(shape) == 4:
        message = f"An array of shape {shape} is several pictures; give them one by one, array[0]."
        raise ImageError(message, "E_IMAGE_TYPE")
    is_last = len(shape) == 3 and shape[2] in CHANNELS
    is_first = len(shape) == 3 and shape[0] in CHANNELS and shape[2] > max(CHANNELS)
    if is_last and shape[0] == RGB:
        message = (
            f"An array of shape {shape} is a picture of 3 rows or of 3 channels; "
            "give a PIL picture, Image.fromarray of (H, W, 3), to say which."
        )
        raise ImageError(message, "E_IMAGE_TYPE")
    if not is_last and not is_first:
        message = f"An array of shape {shape} is no picture; {WANTED}."
        raise ImageError(message, "E_IMAGE_TYPE")
    pixels = array if is_last else array.transpose(1, 2, 0)  # (C, H, W) -> (H, W, C)
    return pixels[:, :, 0] if pixels.shape[2] == 1 else pixels


def to_bytes(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Grey levels of any kind as 0..255.

    uint16 is 0..65535, bool 0..1; floats and wider integers are 0..1, 0..255 or 0..65535, the
    narrowest range that holds them. Floats may lie somewhat beyond it, as resizing leaves them.
    """
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array).astype(np.uint8, copy=False)
    is_sixteen = array.dtype.kind == "u" and array.dtype.itemsize == 2
    return scale(array, factor_of(array.dtype, 0.0 if is_sixteen else peak(array)))


def peak(array: NDArray[Any]) -> float:
    """The largest grey level, 0 at least; what is not finite says nothing of the others."""
    values = array.astype(np.float64)
    return float(np.max(values, initial=0.0, where=np.isfinite(values)))


def factor_of(kind: np.dtype[Any], top: float) -> float:
    """What grey levels of a type, of which `top` is the largest, are multiplied by."""
    if kind.kind == "u" and kind.itemsize == 2:
        return 1 / 257  # 65535 -> 255
    white = BEYOND if kind.kind == "f" else 1.0
    if kind.kind in "bf" and top <= white:
        return 255.0
    return 1.0 if top <= 255 * white else 1 / 257


def scale(array: NDArray[Any], factor: float) -> NDArray[np.uint8]:
    """Grey levels times a factor, 0..255. Halves go up, so that 0.5 is 128."""
    if array.dtype.kind == "u" and array.dtype.itemsize == 2:
        return ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)  # the same, in integers
    values = np.nan_to_num(array.astype(np.float64), posinf=np.inf, neginf=-np.inf)
    return np.clip(np.floor(values * factor + 0.5), 0, 255).astype(np.uint8)
