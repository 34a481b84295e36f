"""The table: what a checkpoint reaches, artist by artist: `python -m training.table CHECKPOINT`.

Prints a row as soon as it is known, as JSON, and writes all of them to --out. Greedy, float32,
seeds of 900,000 and above.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from PIL import Image

from gemma_vision import load
from gemma_vision.evaluate import evaluate, read_dataset
from gemma_vision.optimization.atomic_write import write_atomically
from gemma_vision.pipeline import Pipeline
from gemma_vision.synthetic.poses import EVALUATION_SEEDS, NUM_NAMES
from gemma_vision.synthetic.scene_dataset import write_dataset
from postprocess.metrics import box_iou
from training.drawings.atlas import DrawingAtlas
from training.drawings.cutouts import ARTIST as CUT_OUT
from training.drawings.cutouts import FETCHED, fetch_cutouts, read_cutouts
from training.drawings.examination import SIDE, Examiner
from training.drawings.names import KIN
from training.drawings.photographs import read_photographs
from training.drawings.sets import HELD_OUT, INKS
from training.mask_shapes import shape_figures
from training.widening import read_vae

SEED = EVALUATION_SEEDS + 123
FIGURES = (
    "n_images",
    "recall50",
    "recall75",
    "ap50",
    "miou",
    "mask_in_box",
    "mask_in_box_mean_shape",
    "absent_empty",
    "count_accuracy",
)
ASKED = 16  # names that every photograph is asked for
TIMED = 30  # runs, of which the middle one counts

Row = dict[str, Any]


class Table:
    """All rows of one checkpoint. size: about how many pictures each row is of."""

    def __init__(self, checkpoint: Path, data: Path, *, size: int, seed: int = SEED) -> None:
        self.checkpoint, self.data, self.size, self.seed = checkpoint, data, size, seed
        self.pipeline: Pipeline = load(str(checkpoint), device="cpu", dtype="float32")
        known, atlas = set(self.pipeline.names), DrawingAtlas.read(data / "atlas.npz")
        self.names = tuple(name for name in atlas.names if name in known)
        self.atlas = atlas.limited(len(self.names), KIN)  # names are learned from the first on

    def rows(self) -> Iterator[Row]:
        """Row by row, each with its `claim`."""
        bytes_ = (self.checkpoint / "model.safetensors").stat().st_size
        yield {"claim": "names", "count": len(self.pipeline.names), "bytes": bytes_}
        yield self.contract()
        yield self.all_names()
        for artist in self.atlas.artists:
            yield self.artist(self.atlas, artist)
        yield self.artist(read_cutouts(self.atlas.names), CUT_OUT)
        yield self.artist(fetch_cutouts(self.atlas.names, self.data / "packages"), FETCHED)
        yield self.any_order()
        yield self.shapes()
        if (self.data / "silent").is_dir():
            yield self.photographs(self.data / "silent")
        yield self.speed()

    def contract(self) -> Row:
        """The contract's scenes of sixteen names, by `eval`."""
        with TemporaryDirectory() as folder:
            scenes = Path(folder) / "scenes"
            write_dataset(self.seed, self.size, scenes, side=SIDE, names=NUM_NAMES)
            return {"claim": "the contract's scenes", **self._scores(scenes)}

    def all_names(self) -> Row:
        """Scenes of all names by all artists that were trained on, without those in ink."""
        artists = [a for a in self.atlas.artists if a not in (HELD_OUT, *INKS)]
        with TemporaryDirectory() as folder:
            scenes = Path(folder) / "scenes"
            Examiner(self.atlas, artists, self.seed).write_dataset(self.size, scenes)
            return {"claim": "all names", **self._scores(scenes)}

    def _scores(self, scenes: Path) -> Row:
        scores = evaluate(self.pipeline, read_dataset(scenes))
        return {key: scores[key] for key in FIGURES}

    def artist(self, atlas: DrawingAtlas, artist: str) -> Row:
        """One thing a picture by one artist: found by its name, and silence for another."""
        examiner = Examiner(atlas, [artist], self.seed)
        places = max(1, self.size // 100)
        found, silent = [], []
        for one in examiner.singles(places, self.names):
            image = Image.fromarray(one.pixels)
            answer = self.pipeline.detect(image, one.name)
            ious = [box_iou(one.box, thing.box) for thing in answer.instances]
            found.append(max(ious, default=0.0) >= 0.5)
            if one.other in self.names:
                silent.append(not self.pipeline.detect(image, one.other).instances)
        claim = f"{artist}, never seen" if artist == HELD_OUT else artist
        return {"claim": claim, "n": len(found), "recall50": share(found), "empty": share(silent)}

    def any_order(self) -> Row:
        """Scenes of sixteen names, asked in any order with two that are not there among them."""
        rng = np.random.default_rng(self.seed)
        found = []
        with TemporaryDirectory() as folder:
            scenes = Path(folder) / "scenes"
            write_dataset(self.seed + 1, self.size, scenes, side=SIDE, names=NUM_NAMES)
            dataset = read_dataset(scenes)
            for scene in dataset.scenes:
                names = rng.permutation([*scene.names, *dataset.absent[scene.id]])
                answer = self.pipeline.detect(Image.open(scene.path), " ; ".join(names))
                for thing in scene.objects:
                    own = (one for one in answer.instances if one.label == thing.name)
                    ious = (box_iou(thing.box, one.box) for one in own)
                    found.append(max(ious, default=0.0) >= 0.5)
        return {"claim": "any order, two absent", "n": len(found), "recall50": share(found)}

    def shapes(self) -> Row:
        """Masks after the true box, of the same artists as in `all_names`."""
        artists = [a for a in self.atlas.artists if a not in (HELD_OUT, *INKS)]
        examiner = Examiner(self.atlas, artists, self.seed)
        pictures = list(examiner.singles(max(4, self.size // 50), self.names))
        figures = shape_figures(self.checkpoint, read_vae(self.checkpoint), pictures)
        return {"claim": "masks in the true box", "n": len(pictures), **figures}

    def photographs(self, folder: Path) -> Row:
        """Whole photographs without a named thing, each asked for sixteen names one at a time."""
        rng = np.random.default_rng(self.seed)
        silent = []
        for pixels in read_photographs(folder):
            for name in rng.choice(self.names, ASKED, replace=False):
                answer = self.pipeline.detect(Image.fromarray(pixels), str(name))
                silent.append(not answer.instances)
        return {"claim": "photographs", "n": len(silent), "silent": share(silent)}

    def speed(self) -> Row:
        """Milliseconds of `detect` for one thing that is there, on one thread."""
        one = next(Examiner(self.atlas, self.atlas.artists[:1], self.seed).singles(1))
        image = Image.fromarray(one.pixels)
        return {
            "claim": "speed",
            "detect_ms": 1e3 * middle(lambda: self.pipeline.detect(image, one.name), TIMED),
        }


def share(values: Sequence[bool]) -> float | None:
    """How many of them are true, of all; None of nothing."""
    return round(sum(values) / len(values), 4) if values else None


def middle(run: Callable[[], object], times: int) -> float:
    """The median of the processor's seconds that a call takes."""
    seconds = []
    for _ in range(times):
        began = time.process_time()
        run()
        seconds.append(time.process_time() - began)
    return sorted(seconds)[times // 2]


def main(words: Sequence[str] | None = None) -> int:
    """Print the table -> exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.table")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--data", type=Path, default=Path("runs/drawings"))
    parser.add_argument("--size", type=int, default=300, help="pictures of a row, about")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, help="a file for all rows")
    options = parser.parse_args(words)
    torch.set_num_threads(1)
    table = Table(options.checkpoint, options.data, size=options.size, seed=options.seed)
    rows = []
    for row in table.rows():
        print(json.dumps(row), flush=True)
        rows.append(row)
    if options.out:
        write_atomically(options.out, f"{json.dumps(rows, indent=2)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
