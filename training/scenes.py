"""Scenes: pictures of one to four drawn things, with exact boxes, masks and names.

`python -m training.scenes --seed N --count K --out DIR` writes a data set: pictures and COCO
annotations.json. Boxes and masks are of what is visible.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from gemma_vision.images.opening import MAX_SIDE
from gemma_vision.synthetic.atlas import load_atlas
from gemma_vision.synthetic.poses import NUM_NAMES
from gemma_vision.synthetic.scene_dataset import write_dataset
from postprocess.errors import UserError

MAX_SEED = 2**63 - 1
MAX_COUNT = 1_000_000  # files are named with six digits


class ScenesError(UserError):
    """A data set that cannot be made; the message says why."""

    CODE = "E_SCENES"


def indices(words: str) -> list[int]:
    """Where names stand in the atlas.   "guitar ; clock"  ->  [16, 18]"""
    known = list(load_atlas().names)
    wanted = [word.strip() for word in words.split(";") if word.strip()]
    if unknown := [word for word in wanted if word not in known]:
        raise ScenesError(f"Nobody drew {', '.join(unknown)}; there are {', '.join(known)}.")
    return [known.index(word) for word in wanted]


def check_options(options: argparse.Namespace) -> None:
    """ScenesError unless every number is in its range."""
    ranges = {
        "seed": (0, MAX_SEED),
        "count": (1, MAX_COUNT),
        "side": (1, MAX_SIDE),
        "names": (1, len(load_atlas().names)),
    }
    for name, (low, high) in ranges.items():
        value = getattr(options, name)
        if not low <= value <= high:
            raise ScenesError(f"--{name} is {value}; it has to be from {low} to {high}.")


def main(words: Sequence[str] | None = None) -> int:
    """Run the program -> its exit code: 2 where something cannot work, with one sentence."""
    parser = argparse.ArgumentParser(
        prog="python -m training.scenes", description="Write a data set of synthetic scenes."
    )
    parser.add_argument("--seed", type=int, required=True, help="900000 and above: evaluation")
    parser.add_argument("--count", type=int, required=True, help="number of pictures")
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    parser.add_argument("--side", type=int, default=224, help="width and height in pixels")
    parser.add_argument("--names", type=int, default=NUM_NAMES, help="how many of the names")
    parser.add_argument("--only", default="", help='other names: "guitar ; clock"')
    options = parser.parse_args(words)
    try:
        check_options(options)
        sizes = {"side": options.side, "names": options.names, "only": indices(options.only)}
        write_dataset(options.seed, options.count, options.out, **sizes)
    except ScenesError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{options.out} cannot be written ({error.strerror}).", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
