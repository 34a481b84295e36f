"""A mask decoder file of the published layout full of seeded noise, for tests.

The reference answers in `tests/data` were computed from these very numbers, so the order of the
draws matters: for each layer its weight, then its bias, in the order of the table below.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[np.float32]]

_RESIDUAL = (
    ("0", (128, 128, 3, 3), 1.0),
    ("2", (128, 128, 3, 3), 1.0),
    ("4", (128, 128, 1, 1), 0.3),
)
_DOWN = ((16, 1), (32, 16), (64, 32), (128, 64))
_UP = ((128, 128), (128, 64), (64, 32), (32, 16))


def layers() -> Iterator[tuple[str, tuple[int, ...], int, float]]:
    """Name, weight's shape, what a weight is scaled down by (its fan-in), and a gain."""
    for index, (outputs, inputs) in enumerate(_DOWN):
        yield f"encoder.{2 * index}", (outputs, inputs, 4, 4), 16 * inputs, 1.0
    yield from _residual("encoder.8", "encoder.9")
    yield "encoder.10", (512, 128, 1, 1), 128, 1.0
    yield "_vq_vae._embedding", (128, 512), 0, 1.0
    yield "decoder.0", (128, 512, 1, 1), 512, 1.0
    yield from _residual("decoder.2", "decoder.3")
    for index, (inputs, outputs) in enumerate(_UP):  # a transposed layer has its inputs first
        yield f"decoder.{2 * index + 4}", (inputs, outputs, 4, 4), 4 * inputs, 1.0
    yield "decoder.12", (1, 16, 1, 1), 16, 1.0


def _residual(*blocks: str) -> Iterator[tuple[str, tuple[int, ...], int, float]]:
    for block in blocks:
        for layer, shape, gain in _RESIDUAL:
            yield f"{block}.net.{layer}", shape, shape[1] * shape[2] * shape[3], gain


def noise_arrays(seed: int) -> Arrays:
    """Every array that a decoder needs, by its name."""
    rng = np.random.default_rng(seed)
    arrays: Arrays = {}
    for name, shape, fan_in, gain in layers():
        weight = rng.standard_normal(shape)
        if fan_in == 0:
            arrays[name] = weight.astype(np.float32)
            continue
        outputs = shape[1] if name in _transposed() else shape[0]
        arrays[f"{name}.weight"] = (weight * gain * np.sqrt(2.0 / fan_in)).astype(np.float32)
        arrays[f"{name}.bias"] = (0.05 * rng.standard_normal(outputs)).astype(np.float32)
    return arrays


def _transposed() -> set[str]:
    return {f"decoder.{2 * index + 4}" for index in range(len(_UP))}


def write_noise(path: Path, seed: int = 0, **changes: npt.NDArray[np.generic] | None) -> Path:
    """Write such a file; a change replaces or adds an array, or leaves it out where it is None.

    Names of arrays hold dots: give them as **{"decoder.0.bias": None}.
    """
    arrays = {**noise_arrays(seed), **changes}
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path
