"""Mask decoder: 16 codes <-> a 64 x 64 mask, with the VQ-VAE of a `.npz` file. K masks at once.

Numpy in and out; torch is imported when a file is loaded. Codes mean something only with the file
that they were trained with: the published one for Google's checkpoints, its own for the embedded.
"""

import io
import math
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from postprocess.archives import Archive, ArchiveError, open_archive
from postprocess.argument_kinds import check_kind
from postprocess.errors import UserError
from postprocess.forks import compute_alone_in_forks
from postprocess.tokens import CODES_PER_MASK, MASK_SIDE, NUM_CODES, UNKNOWN_CODE
from postprocess.user_paths import expanded

if TYPE_CHECKING:
    from postprocess.vqvae import MaskVQVAE

Array = npt.NDArray[Any]

_BATCH = 64  # masks decoded at once: about 100 MB of activations
_MEMBER = ".npy"  # how the arrays of an archive end
_SINGLE = b"\x93NUMPY"  # how a file of one array begins
_HEADER = 2**16  # bytes before an array's numbers, at most
_WIDEST = 8  # bytes of a number
_NAMED, _LONGEST = 8, 100  # names, and characters of one, that a message holds
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
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
        check_kind(path, (str, PathLike), "the path of an .npz file", MaskDecoderError)
        import torch

        from postprocess.vqvae import MaskVQVAE

        with torch.device("meta"):
            model = MaskVQVAE()
        shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
        arrays = _read(expanded(path), shapes)
        state = {name: torch.from_numpy(array) for name, array in arrays.items()}
        model.load_state_dict(state, assign=True)
        return cls(model)

    @property
    def code_vectors(self) -> npt.NDArray[np.float32]:
        """(128, 512): what each code stands for. Codes of near vectors draw like masks."""
        vectors: npt.NDArray[np.float32] = self._model.codebook.vectors.detach().float().numpy()
        return vectors

    def decode(self, codes: npt.ArrayLike, logits: bool = False) -> npt.NDArray[np.float32]:
        """(K, 16) int codes -> (K, 64, 64) probabilities 0..1, or raw logits (mask above 0).

        The mean code vector stands in for a code of -1, one that is not known yet.
        Raises MaskDecoderError for any other code outside 0..127.
        """
        import torch

        compute_alone_in_forks(torch.set_num_threads)
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

        compute_alone_in_forks(torch.set_num_threads)
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
        with path.open("rb") as file:
            if file.read(len(_SINGLE)) == _SINGLE:
                message = f"{path.name} is a single array; wanted is an .npz archive."
                raise MaskDecoderError(message)
            with open_archive(file, path.name) as archive:
                names = {name.removesuffix(_MEMBER) for name in archive.names}
                _check_names(path.name, names, set(shapes))
                return {key: _take(archive, path.name, key, shapes[key]) for key in shapes}
    except (OSError, ArchiveError) as error:
        reason = "is not there" if isinstance(error, FileNotFoundError) else "cannot be read"
        raise MaskDecoderError(
            f"The mask decoder file {path} {reason}; wanted is an .npz file like vae-oid.npz."
        ) from error


def _check_names(file: str, found: set[str], wanted: set[str]) -> None:
    missing = sorted(wanted - found)
    surplus = sorted(name for name in found - wanted if not name.startswith(_CODEBOOK))
    if missing or surplus:
        said = [f"lacks {_listed(missing)}"] if missing else []
        said += [f"has the unknown {_listed(surplus)}"] if surplus else []
        raise MaskDecoderError(
            f"{file} {' and '.join(said)}. Take a file with the layout of vae-oid.npz."
        )


def _listed(names: list[str]) -> str:
    """Some names, those of a whole other model cut short."""
    more = len(names) - _NAMED
    return ", ".join(name[:_LONGEST] for name in names[:_NAMED]) + f" and {more} more" * (more > 0)


def _take(
    archive: Archive, file: str, name: str, shape: tuple[int, ...]
) -> npt.NDArray[np.float32]:
    """An array of this shape; its bytes are counted and its header is read before its numbers."""
    what = f"{name} in {file}"
    most = _HEADER + _WIDEST * math.prod(shape)
    try:
        data = archive.read(f"{name}{_MEMBER}", most)
        found, kind = _read_header(data)
        if found == shape and kind.kind == "f" and len(data) <= most:
            array: Array = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    except (ArchiveError, EOFError, ValueError, SyntaxError, MemoryError, RecursionError) as error:
        message = f"{what} cannot be read ({_excerpt(error)}). Get the file again."
        raise MaskDecoderError(message) from error
    if found != shape or kind.kind != "f" or len(data) > most:
        raise MaskDecoderError(
            f"{what} is {kind} of shape {_excerpt(found)}; wanted is float of shape {shape}. "
            "Take a file with the layout of vae-oid.npz."
        )
    if not np.isfinite(array).all():
        raise MaskDecoderError(f"{what} holds values that are not finite. Get the file again.")
    return array.astype(np.float32)


def _read_header(data: bytes) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of an array's file."""
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    read = _HEADERS.get(version)
    if read is None:
        raise ValueError(f"version {version} of .npy is not known")
    shape, _, kind = read(stream)
    return shape, kind


def _excerpt(value: object) -> str:
    """What came, for a message: on one line and not longer than one."""
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
