"""Scenes: pictures of one to four drawn things, with exact boxes, masks and names.

`python -m training.scenes --seed N --count K --out DIR` writes a data set: pictures and COCO
annotations.json. Boxes and masks are of what is visible.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask

from gemma_vision.images.opening import MAX_SIDE
from postprocess.errors import UserError
from training.compositor import Picture, Thing, compose
from training.poses import NUM_NAMES, sample_scene
from training.sprites import load_atlas

MAX_SEED = 2**63 - 1
MAX_COUNT = 1_000_000  # files are named with six digits


class ScenesError(UserError):
    """A data set that cannot be made; the message says why."""

    CODE = "E_SCENES"


def to_coco(
    pictures: Sequence[Picture],
    files: Sequence[str],
    *,
    names: int,
    seed: int,
    only: Sequence[int] = (),
) -> dict:
    """COCO annotations with run-length masks; `info.seed` lets the evaluation draw absent names.

    The categories are the first `names` of the atlas, or those with the indices in `only`.
    """
    annotations = []
    for image_id, picture in enumerate(pictures, 1):
        for thing in picture.things:
            annotations.append(_annotation(thing, len(annotations) + 1, image_id))
    listed = only or range(min(names, len(load_atlas().names)))
    categories = [{"id": i + 1, "name": load_atlas().names[i]} for i in listed]
    images = [
        {"id": i, "file_name": f, "width": p.pixels.shape[1], "height": p.pixels.shape[0]}
        for i, (p, f) in enumerate(zip(pictures, files, strict=True), 1)
    ]
    info = {"description": "Gemma Vision synthetic scenes", "seed": seed}
    return {
        "info": info,
        "images": images,
        "categories": categories,
        "annotations": annotations,
    }


def _annotation(thing: Thing, annotation_id: int, image_id: int) -> dict:
    x0, y0, x1, y1 = thing.box
    runs = coco_mask.encode(np.asfortranarray(thing.mask, np.uint8))
    return {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": thing.name + 1,
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "area": int(np.count_nonzero(thing.mask)),
        "segmentation": {"size": list(runs["size"]), "counts": runs["counts"].decode("ascii")},
        "iscrowd": 0,
    }


def write_dataset(
    seed: int, count: int, out: Path, *, side: int, names: int, only: Sequence[int] = ()
) -> None:
    """Write `count` pictures and their annotations.json into a folder."""
    rng = np.random.default_rng(seed)
    out.mkdir(parents=True, exist_ok=True)
    files = [f"{index:06d}.png" for index in range(count)]
    pictures = []
    for file in files:
        scene = sample_scene(rng, size=(side, side), num_names=names, only=only)
        pictures.append(compose(scene))
        Image.fromarray(pictures[-1].pixels).save(out / file)
    coco = to_coco(pictures, files, names=names, seed=seed, only=only)
    (out / "annotations.json").write_text(json.dumps(coco))


def indices(words: str) -> list[int]:
    """Where names stand in the atlas.   "guitar ; clock"  ->  [16, 18]"""
    known = list(load_atlas().names)
    wanted = [word.strip() for word in words.split(";") if word.strip()]
    if unknown := [word for word in wanted if word not in known]:
        raise ScenesError(f"Nobody drew {', '.join(unknown)}; there are {', '.join(known)}.")
    return [known.index(word) for word in wanted]


def check(args: argparse.Namespace) -> None:
    """ScenesError unless every number is in its range."""
    ranges = {
        "seed": (0, MAX_SEED),
        "count": (1, MAX_COUNT),
        "side": (1, MAX_SIDE),
        "names": (1, len(load_atlas().names)),
    }
    for name, (low, high) in ranges.items():
        value = getattr(args, name)
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
    parser.add_argument("--names", type=int, default=NUM_NAMES, help="how many of the forty names")
    parser.add_argument("--only", default="", help='other names: "guitar ; clock"')
    args = parser.parse_args(words)
    try:
        check(args)
        sizes = {"side": args.side, "names": args.names, "only": indices(args.only)}
        write_dataset(args.seed, args.count, args.out, **sizes)
    except ScenesError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{args.out} cannot be written ({error.strerror}).", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
