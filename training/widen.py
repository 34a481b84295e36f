"""Widen the embedded checkpoint from one artist to many: `python -m training.widen --data DIR`.

Begins with the checkpoint of `training.train`, grown to six layers and more names. Stages sketch
(the tower in small pictures), vision (in large ones) and decoder, each boxed in minutes of the
processor and resumable: state lies under --runs and is never older than a minute of it.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import PaliGemmaForConditionalGeneration

from gemma_vision.optimization.clock import Clock, TimeUp
from gemma_vision.optimization.metrics_log import running_means
from gemma_vision.optimization.precision import pick_dtype, quick_attention
from gemma_vision.optimization.stage import TrainingStage, adamw, update
from gemma_vision.optimization.training_state import StateError
from postprocess.vqvae import MaskVQVAE
from training.data.samples import Batch, to_pixels
from training.data.sampling import SceneRecipe
from training.drawings.atlas import DrawingAtlas
from training.drawings.names import KIN
from training.drawings.photographs import read_photographs
from training.drawings.scenes import DrawingScenes
from training.drawings.sets import HELD_OUT
from training.export import export
from training.gallery import write_gallery
from training.model.decoder import BATCH as DECODER_BATCH
from training.model.decoder import DECAY as DECODER_DECAY
from training.model.decoder import REFILL, DecoderStep, FeatureBank, Learner
from training.model.dense import DenseHead, dense_loss, mask_codes
from training.model.growth import grow
from training.model.language import SequenceLoss
from training.model.tiny import ModelSizes, build_model
from training.model.tokenizer import build_tokenizer
from training.run import Pace, TrainingRun, open_stage

SKETCH = ModelSizes(side=112, vision_layers=6)  # first in small pictures, which cost half
SIZES = ModelSizes(side=168, vision_layers=6)
SKETCHED_SMALLEST = 0.24  # the longest side of a thing in a small picture, at least
NUM_NAMES = 66
NUM_PIECES = 800
BATCH, PEAK, DECAY = 20, 8e-4, 0.03  # of the tower
ANSWERS_PEAK = 1.2e-3
BANK = 3000  # scenes whose features the decoder keeps
PACES = {"sketch": Pace(60.0), "vision": Pace(30.0, gain=0.6), "decoder": Pace(32.0)}


def batches(scenes: DrawingScenes, size: int) -> Iterator[Batch]:
    """Endless batches of scenes, drawn in this process."""
    while True:
        samples = [scenes.draw() for _ in range(size)]
        yield {
            key: torch.from_numpy(np.stack([sample[key] for sample in samples]))
            for key in samples[0]
        }


class TowerStep:
    """One update of tower and head."""

    def __init__(
        self,
        tower: nn.Module,
        head: DenseHead,
        vae: MaskVQVAE,
        stage: TrainingStage,
        data: Iterator[Batch],
    ) -> None:
        self.tower, self.head, self.vae, self.stage, self.data = tower, head, vae, stage, data
        self.figures: dict[str, float] = {}

    def __call__(self, progress: float) -> dict[str, float]:
        batch = next(self.data)
        with self.stage.autocast():
            features = self.tower(pixel_values=to_pixels(batch)).last_hidden_state
            loss, figures = dense_loss(self.head, features, batch, mask_codes(self.vae, batch))
        update(self.stage, [*self.tower.parameters(), *self.head.parameters()], loss)
        self.figures = running_means(self.figures, figures | {"loss": loss.item()})
        return self.figures


@dataclass(frozen=True)
class Widening:
    """What the stages share: the run, the checkpoint that it begins with, the grown one, data.

    words: the tokenizers of the small and of the large one.
    """

    run: TrainingRun
    small: PaliGemmaForConditionalGeneration
    words: tuple[Tokenizer, Tokenizer]
    learner: Learner
    atlas: DrawingAtlas
    photographs: Sequence[np.ndarray]

    @property
    def artists(self) -> tuple[str, ...]:
        """Those that are trained on."""
        return tuple(artist for artist in self.atlas.artists if artist != HELD_OUT)

    def scenes(self, offset: int, steps: int, size: int, recipe: SceneRecipe) -> Iterator[Batch]:
        """Batches of one stage, others than any before `steps`."""
        seed = (self.run.seed + offset, steps)
        drawn = DrawingScenes(self.atlas, self.photographs, self.artists, seed=seed, recipe=recipe)
        return batches(drawn, size)

    def head(self, width: int) -> DenseHead:
        """A throw-away head for features of a width."""
        return DenseHead(width, len(self.atlas.names), self.atlas.num_kinds)


def open_widening(run: TrainingRun, base: Path, folder: Path) -> Widening:
    """The checkpoint in `base`, and the drawings in `folder`."""
    atlas = DrawingAtlas.read(folder / "atlas.npz").limited(NUM_NAMES, KIN)
    small = PaliGemmaForConditionalGeneration.from_pretrained(base, dtype=torch.float32)
    old = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer = build_tokenizer(atlas.names, NUM_PIECES)
    language = SequenceLoss(tokenizer, atlas.names)
    model = build_model(SIZES, tokenizer, run.seed)
    recipe = SceneRecipe(SIZES.side, SIZES.grid, len(atlas.names))
    learner = Learner(model, read_vae(base), language, atlas.names, recipe)
    language.smooth_place_gradients(learner.embeddings)
    photographs = read_photographs(folder / "photographs")
    return Widening(run, small, (old, tokenizer), learner, atlas, photographs)


def read_vae(base: Path) -> MaskVQVAE:
    """The frozen mask VQ-VAE of a checkpoint."""
    vae = MaskVQVAE()
    with np.load(base / "mask_decoder.npz") as arrays:
        state = {name: torch.from_numpy(arrays[name].astype(np.float32)) for name in arrays.files}
    vae.load_state_dict(state)
    return vae.requires_grad_(False).eval()


def train_tower(wide: Widening, paces: Mapping[str, Pace]) -> None:
    """Stages sketch and vision: the tower learns all names of all artists, in place.

    In small pictures first, then it grows to the size that it will be used at.
    """
    old, tokenizer = wide.words
    head = wide.head(SKETCH.vision_width)
    sketch = build_model(SKETCH, tokenizer, wide.run.seed)
    grow(wide.small, sketch, old, tokenizer)
    recipe = wide.learner.recipe
    small = replace(recipe, side=SKETCH.side, grid=SKETCH.grid, smallest=SKETCHED_SMALLEST)
    _train(wide, "sketch", sketch.model.vision_tower, head, small, paces["sketch"])
    grow(sketch, wide.learner.model, tokenizer, tokenizer)
    _train(wide, "vision", wide.learner.model.model.vision_tower, head, recipe, paces["vision"])


def _train(
    wide: Widening, name: str, tower: nn.Module, head: DenseHead, recipe: SceneRecipe, pace: Pace
) -> None:
    trained = nn.ModuleDict({"tower": tower, "head": head})
    opt = adamw([([*trained.parameters()], PEAK * pace.gain)], DECAY)
    stage = open_stage(wide.run, name, pace, trained, opt)
    if stage.is_due:
        data = wide.scenes(list(PACES).index(name), stage.steps, BATCH * pace.times, recipe)
        stage.run(TowerStep(tower, head, wide.learner.vae, stage, data))


def train_answers(wide: Widening, pace: Pace) -> None:
    """Projector and decoder learn to answer from what the tower sees by now, in place."""
    learner = wide.learner
    core = learner.model.model
    head = wide.head(learner.width)
    trained = nn.ModuleDict(
        {"projector": core.multi_modal_projector, "decoder": core.language_model, "head": head}
    )
    parameters = [*learner.text_parameters, *head.parameters()]
    opt = adamw([(parameters, ANSWERS_PEAK * pace.gain)], DECODER_DECAY)
    stage = open_stage(wide.run, "decoder", pace, trained, opt)
    rng = np.random.default_rng((wide.run.seed, 1, stage.steps))
    step = DecoderStep(learner, head, stage, rng, DECODER_BATCH * pace.times, is_first=True)
    if stage.is_due:
        data = wide.scenes(2, stage.steps, REFILL * pace.times, learner.recipe)
        step.bank = FeatureBank(learner, data, BANK, stage)
        stage.run(step)


def write_checkpoint(wide: Widening, out: Path) -> None:
    """What there is so far as a checkpoint, with a drawing of each of its names."""
    export(wide.learner, wide.words[1], out)
    write_gallery(wide.atlas.images, wide.atlas.name_of, len(wide.atlas.names), out)


def parse_arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m training.widen",
        description="Widen the embedded checkpoint to many artists.",
    )
    parser.add_argument("--base", type=Path, default=Path("runs/cpu/checkpoint"))
    parser.add_argument("--data", type=Path, default=Path("runs/drawings"))
    parser.add_argument(
        "--runs", type=Path, default=Path("runs/widened"), help="the state's folder"
    )
    parser.add_argument("--out", type=Path, help="default: checkpoint, in the folder of the state")
    parser.add_argument("--stage", choices=(*PACES, "export"), help="this one alone")
    parser.add_argument("--minutes", type=float, help="stop after so many of the processor's")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Go on where an earlier run stopped, to the end or until the minutes are used."""
    args = parse_arguments(words)
    torch.set_num_threads(args.threads)
    cpu, out = torch.device("cpu"), args.out or args.runs / "checkpoint"
    for file in (args.base / "model.safetensors", args.data / "atlas.npz"):
        if not file.exists():
            sys.exit(f"{file} is not there; make train makes it, in docs/training.md stands how.")
    run = TrainingRun(
        args.runs,
        frozenset([args.stage] if args.stage else PACES),
        dtype=pick_dtype(cpu),
        clock=Clock(args.minutes, now=time.thread_time),
    )
    try:
        with quick_attention(cpu):
            wide = open_widening(run, args.base, args.data)
            train_tower(wide, PACES)
            train_answers(wide, PACES["decoder"])
        if args.stage in (None, "export"):
            write_checkpoint(wide, out)
    except TimeUp as where:
        print(f"{args.minutes:g} minutes are used: {where}. It goes on there.", file=sys.stderr)
    except StateError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
