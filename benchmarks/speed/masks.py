"""Masks: codes to 64 x 64 pixels, ours against JAX compiling the same network.

    python -m benchmarks masks [--rounds 15] [--json FILE]

JAX takes part where it is installed (`pip install ".[bench]"`). Both sides start from codes in
NumPy and end with numbers in NumPy, on one thread, in turns; what JAX takes to compile is told
apart. The weights are those of the embedded decoder, and both sides' masks have to be the same.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.latency import interleave
from gemma_vision.checkpoints.mask_decoder_files import open_decoder

ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
SEED = 4
COUNTS = (1, 10, 100)
BARS: Mapping[int, float] = {100: 2.2}  # times as fast as JAX
NEAR = 1e-3  # of logits, float32 on both sides
Array = npt.NDArray[np.float32]
Decode = Callable[[npt.NDArray[np.int64]], Array]


def compile_with_jax(weights: Mapping[str, torch.Tensor]) -> Decode:
    """The decoder as JAX runs it: channels last, as the published one is."""
    import jax
    import jax.numpy as jnp
    from jax import lax

    known = {name: jnp.asarray(value.numpy()) for name, value in weights.items()}
    layout = ("NHWC", "HWIO", "NHWC")

    def convolve(x: Any, name: str, size: int) -> Any:
        kernel = known[f"{name}.weight"].transpose(2, 3, 1, 0)
        padding = [(size // 2, size // 2)] * 2
        found = lax.conv_general_dilated(x, kernel, (1, 1), padding, dimension_numbers=layout)
        return found + known[f"{name}.bias"]

    def double(x: Any, name: str) -> Any:
        """A transposed convolution of stride 2: twice as high and wide."""
        kernel = known[f"{name}.weight"].transpose(2, 3, 0, 1)[::-1, ::-1]
        padding = [(2, 2)] * 2
        found = lax.conv_general_dilated(
            x, kernel, (1, 1), padding, lhs_dilation=(2, 2), dimension_numbers=layout
        )
        return found + known[f"{name}.bias"]

    def decode(codes: Any) -> Any:
        x = known["_vq_vae._embedding"][codes].reshape(-1, 4, 4, 512)
        x = jax.nn.relu(convolve(x, "decoder.0", 1))
        for block in ("decoder.2.net", "decoder.3.net"):
            change = jax.nn.relu(convolve(x, f"{block}.0", 3))
            change = jax.nn.relu(convolve(change, f"{block}.2", 3))
            x = x + convolve(change, f"{block}.4", 1)
        for layer in (4, 6, 8, 10):
            x = jax.nn.relu(double(x, f"decoder.{layer}"))
        return convolve(x, "decoder.12", 1)[..., 0]

    compiled = jax.jit(decode)
    return lambda codes: np.asarray(compiled(codes))


def measure(ours: Decode, theirs: Decode, count: int, rounds: int) -> dict[str, Any]:
    """Medians of processor time in milliseconds, and the ratio."""
    codes = np.random.default_rng(SEED).integers(0, 128, (count, 16))
    started = time.perf_counter()
    found = theirs(codes)
    compiling = time.perf_counter() - started
    difference = float(np.abs(ours(codes) - found).max())
    times = interleave(lambda: ours(codes), lambda: theirs(codes), rounds)
    ratios = sorted(their.cpu / our.cpu for our, their in times)
    return {
        "row": f"mask.{count}",
        "ours_ms": round(1e3 * statistics.median(our.cpu for our, _ in times), 2),
        "theirs_ms": round(1e3 * statistics.median(their.cpu for _, their in times), 2),
        "ratio": round(statistics.median(ratios), 2),
        "lowest": round(ratios[0], 2),
        "highest": round(ratios[-1], 2),
        "compiling_s": round(compiling, 2),
        "difference": difference,
        "same": difference < NEAR,
        "bar": BARS.get(count),
    }


def main() -> None:
    """Print the rows, and write them as JSON where asked."""
    parser = argparse.ArgumentParser("python -m benchmarks masks")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    os.environ.setdefault("XLA_FLAGS", ONE_THREAD)  # read when JAX is imported
    try:
        import jax
    except ImportError:
        print('JAX is not installed: `pip install ".[bench]"`, and masks are timed against it.')
        return
    torch.set_num_threads(1)
    decoder = open_decoder("embedded")
    assert decoder is not None
    theirs = compile_with_jax(decoder._model.state_dict())

    def ours(codes: npt.NDArray[np.int64]) -> Array:
        return decoder.decode(codes.tolist(), logits=True)

    rows = [measure(ours, theirs, count, options.rounds) for count in COUNTS]
    for row in rows:
        print(as_text(row))
    if options.json:
        options.json.write_text(json.dumps({"jax": jax.__version__, "rows": rows}, indent=1))


def as_text(row: Mapping[str, Any]) -> str:
    verdict = "met" if row["ratio"] >= (row["bar"] or 0) and row["same"] else "missed"
    bar = f"bar {row['bar']}: {verdict}" if row["bar"] else "no bar"
    return (
        "{row}: ours {ours_ms} ms, JAX {theirs_ms} (compiled in {compiling_s} s), {ratio} times "
        "({lowest} - {highest}), masks {difference:.0e} apart, ".format(**row)
        + bar
    )


if __name__ == "__main__":
    main()
