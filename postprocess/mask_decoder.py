"""Mask decoder: 16 codes <-> a 64 x 64 mask, with the VQ-VAE of a `.npz` file. K masks at once.

Numpy in and out; torch is imported when a file is loaded. Codes mean something only with the file
that they were trained with: the published one for Google's checkpoints, its own for the embedded.
"""

import zipfile
import zlib
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from postprocess.errors import UserError
from postprocess.tokens import CODES_PER_MASK, MASK_SIDE, NUM_CODES, UNKNOWN_CODE

if TYPE_CHECKING:
    from postprocess.vqvae import MaskVQVAE

Array = npt.NDArray[Any]

_BATCH = 64  # masks decoded at once: about 100 MB of activations
_CODEBOOK = "_vq_vae."  # the file also holds the codebook's training state under this prefix


class MaskDecoderError(UserError):
    """A mask decoder file, codes or masks that cannot be used."""

    CODE = "E_MASK_DECODER"


class MaskDecoder:
    """Draws masks from codes, and finds the codes of masks. `MaskDecoder.load(path)` makes one."""

    def __init__(self, model: "MaskVQVAE") -> None:
        self._model = model.eval()

    @classmethod
    def load(cls, path: str | PathLike[str]) -> "MaskDecoder":
        """Read a file of the layout of the published `vae-oid.npz`, in float32 or float16.

        Raises MaskDecoderError for a file that is not there, is no such archive, or in which an
        array is missing, unknown, of another shape or not finite; the array is named.
        """
        import torch

        from postprocess.vqvae import MaskVQVAE

        with torch.device("meta"):
            model = MaskVQVAE()
        shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
        arrays = _read(Path(path), shapes)
        state = {name: torch.from_numpy(array) for name, array in arrays.items()}
        model.load_state_dict(state, assign=True)
        return cls(model)

    def decode(self, codes: npt.ArrayLike, logits: bool = False) -> npt.NDArray[np.float32]:
        """(K, 16) int codes -> (K, 64, 64) probabilities 0..1, or raw logits (mask above 0).

        The mean code vector stands in for a code of -1, one that is not known yet.
        Raises MaskDecoderError for any other code outside 0..127.
        """
        import torch

        checked = _check_codes(codes)
        decoded = np.empty((len(checked), MASK_SIDE, MASK_SIDE), np.float32)
        with torch.inference_mode():
            for start in range(0, len(checked), _BATCH):
                batch = torch.from_numpy(checked[start : start + _BATCH])
                decoded[start : start + _BATCH] = self._model.decode(batch)[:, 0].numpy()
        return decoded if logits else to_probability(decoded)

    def encode(self, masks: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """(K, 64, 64) masks, bool or 0..1 -> (K, 16) int64 codes 0..127."""
        import torch

        images = 2 * _check_masks(masks) - 1
        codes = np.empty((len(images), CODES_PER_MASK), np.int64)
        with torch.inference_mode():
            for start in range(0, len(images), _BATCH):
                batch = torch.from_numpy(images[start : start + _BATCH, None])  # (K, 1, 64, 64)
                codes[start : start + _BATCH] = self._model.encode(batch).numpy()
        return codes


def to_probability(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Logits, trained to be -1 outside and 1 inside -> probabilities clip(logit / 2 + 1 / 2, 0, 1).

    The published decoder's own rule.
    """
    probability: npt.NDArray[np.float32] = np.clip(logits / 2 + np.float32(0.5), 0, 1)
    return probability


def _check_codes(codes: npt.ArrayLike) -> npt.NDArray[np.int64]:
    array = np.asarray(codes)
    if array.size == 0:
        return np.empty((0, CODES_PER_MASK), np.int64)
    if array.ndim != 2 or array.shape[1] != CODES_PER_MASK or array.dtype.kind not in "iu":
        raise MaskDecoderError(
            f"Mask codes came as {array.dtype} of shape {array.shape}; wanted are whole numbers of "
            f"shape (K, {CODES_PER_MASK}), one row for each mask."
        )
    if array.min() < UNKNOWN_CODE or array.max() >= NUM_CODES:
        raise MaskDecoderError(
            f"Mask codes run from {array.min()} to {array.max()}; they must lie in "
            f"0..{NUM_CODES - 1} ({UNKNOWN_CODE} for one not known yet)."
        )
    return array.astype(np.int64)


def _check_masks(masks: npt.ArrayLike) -> npt.NDArray[np.float32]:
    array = np.asarray(masks)
    if array.size == 0:
        return np.empty((0, MASK_SIDE, MASK_SIDE), np.float32)
    if array.ndim != 3 or array.shape[1:] != (MASK_SIDE, MASK_SIDE) or array.dtype.kind not in "bf":
        raise MaskDecoderError(
            f"Masks came as {array.dtype} of shape {array.shape}; wanted are bool or float masks "
            f"of shape (K, {MASK_SIDE}, {MASK_SIDE}). Crop and resize them first."
        )
    if not (array.min() >= 0 and array.max() <= 1):  # also refuses not-a-number
        raise MaskDecoderError("A mask holds values outside 0..1. Divide it by its largest value.")
    return array.astype(np.float32)


def _read(path: Path, shapes: dict[str, tuple[int, ...]]) -> dict[str, npt.NDArray[np.float32]]:
    """The arrays of these names from the file, each checked."""
    try:
        with path.open("rb") as raw:
            return _read_archive(np.load(raw, allow_pickle=False), path.name, shapes)
    except MaskDecoderError:
        raise
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        reason = "is not there" if isinstance(error, FileNotFoundError) else "cannot be read"
        raise MaskDecoderError(
            f"The mask decoder file {path} {reason}; wanted is an .npz file like vae-oid.npz."
        ) from error


def _read_archive(
    file: Any, name: str, shapes: dict[str, tuple[int, ...]]
) -> dict[str, npt.NDArray[np.float32]]:
    if not isinstance(file, np.lib.npyio.NpzFile):
        raise MaskDecoderError(f"{name} is a single array; wanted is an .npz archive.")
    with file:
        _check_names(name, set(file.files), set(shapes))
        return {key: _take(file, f"{key} in {name}", key, shapes[key]) for key in shapes}


def _check_names(file: str, found: set[str], wanted: set[str]) -> None:
    missing = sorted(wanted - found)
    surplus = sorted(name for name in found - wanted if not name.startswith(_CODEBOOK))
    if missing or surplus:
        said = [f"lacks {', '.join(missing)}"] if missing else []
        said += [f"has the unknown {', '.join(surplus)}"] if surplus else []
        raise MaskDecoderError(
            f"{file} {' and '.join(said)}. Take a file with the layout of vae-oid.npz."
        )


def _take(
    file: Mapping[str, Array], what: str, name: str, shape: tuple[int, ...]
) -> npt.NDArray[np.float32]:
    try:
        array = file[name]
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise MaskDecoderError(f"{what} cannot be read ({error}). Get the file again.") from error
    if array.shape != shape or array.dtype.kind != "f":
        raise MaskDecoderError(
            f"{what} is {array.dtype} of shape {array.shape}; wanted is float of shape {shape}. "
            "Take a file with the layout of vae-oid.npz."
        )
    if not np.isfinite(array).all():
        raise MaskDecoderError(f"{what} holds values that are not finite. Get the file again.")
    return array.astype(np.float32)
