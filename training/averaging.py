"""Averaging: the mean of a checkpoint's weights at two moments of one training.

    python -m training.averaging EARLIER LATER --out DIR [--share 0.67] [--end 0.98]

What was learned between the two costs generality where drawings of new artists are concerned; the
mean of both keeps most of either. Everything beside the weights is the later one's.

Means are more silent than what they are made of. The vector of the token that ends an answer says
how readily one is ended; shorter by a fiftieth it gives some of the silence back for things found.
"""

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from safetensors.torch import load_file, save_file

from gemma_vision.checkpoints.file_names import SINGLE

GENERATION = "generation_config.json"
WORDS = "embed_tokens.weight"  # how the table of words' vectors ends; logits are read from it too


def average(earlier: Path, later: Path, out: Path, share: float = 0.5, *, end: float = 1.0) -> None:
    """Write the mean of two checkpoints of one shape, in the number types of the later one.

    share: how much the later one counts, 0 to 1. end: how long the vector of the token that ends
    an answer is, of what it was.

    Raises ValueError where tensors differ in name or shape: they are not of one training.
    """
    first, second = (load_file(folder / SINGLE) for folder in (earlier, later))
    if {k: v.shape for k, v in first.items()} != {k: v.shape for k, v in second.items()}:
        raise ValueError(f"{earlier} and {later} have other tensors; give two of one training.")
    mean = {name: first[name].float().lerp(of.float(), share) for name, of in second.items()}
    if end != 1:
        token = json.loads((later / GENERATION).read_text("utf-8"))["eos_token_id"]
        (words,) = (name for name in mean if name.endswith(WORDS))
        mean[words][token] *= end
    mean = {name: of.to(second[name].dtype).contiguous() for name, of in mean.items()}
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
    parser.add_argument(
        "--end",
        type=float,
        default=1.0,
        help="length of the vector that ends an answer, of its own",
    )
    options = parser.parse_args(words)
    if not 0 <= options.share <= 1:
        parser.error(f"--share is {options.share:g}; it has to be from 0 to 1.")
    if not 0.5 <= options.end <= 2:
        parser.error(f"--end is {options.end:g}; it has to be from 0.5 to 2.")
    average(options.earlier, options.later, options.out, options.share, end=options.end)


if __name__ == "__main__":
    main()
