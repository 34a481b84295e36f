"""Averaging: the mean of a checkpoint's weights at two moments of one training.

    python -m training.averaging EARLIER LATER --out DIR [--share 0.67]

What was learned between the two costs generality where drawings of new artists are concerned; the
mean of both keeps most of either. Everything beside the weights is the later one's.
"""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

from safetensors.torch import load_file, save_file

from gemma_vision.checkpoints.file_names import SINGLE


def average(earlier: Path, later: Path, out: Path, share: float = 0.5) -> None:
    """Write the mean of two checkpoints of one shape, in the number types of the later one.

    share: how much the later one counts, 0 to 1.

    Raises ValueError where tensors differ in name or shape: they are not of one training.
    """
    first, second = (load_file(folder / SINGLE) for folder in (earlier, later))
    if {k: v.shape for k, v in first.items()} != {k: v.shape for k, v in second.items()}:
        raise ValueError(f"{earlier} and {later} have other tensors; give two of one training.")
    mean = {
        name: first[name].float().lerp(tensor.float(), share).to(tensor.dtype).contiguous()
        for name, tensor in second.items()
    }
    shutil.copytree(later, out, dirs_exist_ok=True)
    save_file(mean, out / SINGLE, metadata={"format": "pt"})
    (out / SINGLE).chmod(0o644)  # the library writes for the owner alone


def main(words: Sequence[str] | None = None) -> None:
    """Average two folders into a third."""
    parser = argparse.ArgumentParser(prog="python -m training.averaging")
    parser.add_argument("earlier", type=Path)
    parser.add_argument("later", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--share", type=float, default=0.5, help="how much the later one counts")
    options = parser.parse_args(words)
    if not 0 <= options.share <= 1:
        parser.error(f"--share is {options.share:g}; it has to be from 0 to 1.")
    average(options.earlier, options.later, options.out, options.share)


if __name__ == "__main__":
    main()
