"""Widen the embedded checkpoint from one hand to many: `python -m training.widen --data DIR`.

Begins with the checkpoint of `training.train`, grown to 168 pixels, six layers and all names.
Stages vision, decoder and joint, then export; each is boxed in minutes of the processor, resumable
and never older than a minute.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import PaliGemmaForConditionalGeneration

from gemma_vision.optimization.clock import Clock
from gemma_vision.optimization.metrics_log import running_means
from gemma_vision.optimization.precision import pick_dtype, quick_attention
from gemma_vision.optimization.stage import TrainingStage, adamw, update
from postprocess.vqvae import MaskVQVAE
from training.data.samples import Batch, to_pixels
from training.data.sampling import SceneRecipe
from training.export import export
from training.hands.atlas import HandAtlas
from training.hands.scenes import HandScenes, open_scenes
from training.hands.sets import HELD_OUT
from training.model.decoder import BATCH as DECODER_BATCH
from training.model.decoder import DECAY as DECODER_DECAY
from training.model.decoder import REFILL, DecoderStep, FeatureBank, Learner
from training.model.dense import DenseHead, dense_loss, mask_codes
from training.model.growth import grow
from training.model.language import SequenceLoss
from training.model.tiny import ModelSizes, build_model
from training.model.tokenizer import build_tokenizer
from training.run import Pace, TrainingRun, open_stage

SIZES = ModelSizes(side=168, vision_layers=6)
NUM_PIECES = 800
BATCH, PEAK, DECAY = 20, 8e-4, 0.03  # of the tower
ANSWERS_PEAK = 1.2e-3
BANK = 3000  # scenes whose features the decoder keeps


def batches(scenes: HandScenes, size: int) -> Iterator[Batch]:
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
    """What the stages share: the run, the grown model, its scenes."""

    run: TrainingRun
    learner: Learner
    tokenizer: Tokenizer
    folder: Path
    num_kinds: int
    hands: tuple[str, ...]

    def scenes(self, offset: int, steps: int, size: int) -> Iterator[Batch]:
        """Batches of one stage, others than any before `steps`."""
        seed = (self.run.seed + offset, steps)
        return batches(
            open_scenes(self.folder, self.hands, seed=seed, recipe=self.learner.recipe), size
        )


def open_widening(run: TrainingRun, base: Path, folder: Path) -> Widening:
    """The checkpoint in `base`, grown, and the drawings in `folder`."""
    atlas = HandAtlas.read(folder / "atlas.npz")
    small = PaliGemmaForConditionalGeneration.from_pretrained(base, dtype=torch.float32)
    tokenizer = build_tokenizer(atlas.names, NUM_PIECES)
    model = build_model(SIZES, tokenizer, run.seed)
    grow(small, model, Tokenizer.from_file(str(base / "tokenizer.json")), tokenizer)
    language = SequenceLoss(tokenizer, atlas.names)
    recipe = SceneRecipe(SIZES.side, SIZES.grid, len(atlas.names))
    learner = Learner(model, read_vae(base), language, atlas.names, recipe)
    language.smooth_place_gradients(learner.embeddings)
    hands = tuple(hand for hand in atlas.hands if hand != HELD_OUT)
    return Widening(run, learner, tokenizer, folder, atlas.num_kinds, hands)


def read_vae(base: Path) -> MaskVQVAE:
    """The frozen mask VQ-VAE of a checkpoint."""
    vae = MaskVQVAE()
    with np.load(base / "mask_decoder.npz") as arrays:
        state = {name: torch.from_numpy(arrays[name].astype(np.float32)) for name in arrays.files}
    vae.load_state_dict(state)
    return vae.requires_grad_(False).eval()


def train_tower(wide: Widening, pace: Pace) -> DenseHead:
    """The tower learns all names of all hands, in place -> the head, for stage joint."""
    learner = wide.learner
    tower = learner.model.model.vision_tower
    head = DenseHead(SIZES.vision_width, len(learner.names), wide.num_kinds)
    trained = nn.ModuleDict({"tower": tower, "head": head})
    opt = adamw([([*trained.parameters()], PEAK * pace.gain)], DECAY)
    stage = open_stage(wide.run, "vision", pace, trained, opt)
    if stage.is_due:
        data = wide.scenes(0, stage.steps, BATCH)
        stage.run(TowerStep(tower, head, learner.vae, stage, data))
    return head


def train_answers(wide: Widening, pace: Pace) -> None:
    """Projector and decoder learn to answer from what the tower sees by now, in place."""
    learner = wide.learner
    core = learner.model.model
    head = DenseHead(learner.width, len(learner.names), wide.num_kinds)
    trained = nn.ModuleDict(
        {"projector": core.multi_modal_projector, "decoder": core.language_model, "head": head}
    )
    parameters = [*learner.text_parameters, *head.parameters()]
    opt = adamw([(parameters, ANSWERS_PEAK * pace.gain)], DECODER_DECAY)
    stage = open_stage(wide.run, "decoder", pace, trained, opt)
    rng = np.random.default_rng((wide.run.seed, 1, stage.steps))
    step = DecoderStep(learner, head, stage, rng, DECODER_BATCH * pace.times, is_first=True)
    if stage.is_due:
        data = wide.scenes(1, stage.steps, REFILL * pace.times)
        step.bank = FeatureBank(learner, data, BANK, stage)
        stage.run(step)


PACES = {"vision": Pace(50.0), "decoder": Pace(32.0)}


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Widen the embedded checkpoint to many hands.")
    parser.add_argument("--base", type=Path, required=True, help="the checkpoint to begin with")
    parser.add_argument("--data", type=Path, required=True, help="atlas.npz and photographs/")
    parser.add_argument("--runs", type=Path, default=Path("runs/hands"))
    parser.add_argument("--out", type=Path, help="write what there is as a checkpoint")
    parser.add_argument("--stage", choices=PACES, help="train this one; none: only load")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args(words)
    torch.set_num_threads(args.threads)
    cpu = torch.device("cpu")
    run = TrainingRun(
        args.runs,
        frozenset([args.stage] if args.stage else []),
        dtype=pick_dtype(cpu),
        clock=Clock(now=time.thread_time),
    )
    with quick_attention(cpu):
        wide = open_widening(run, args.base, args.data)
        train_tower(wide, PACES["vision"])
        train_answers(wide, PACES["decoder"])
        if args.out is not None:
            export(wide.learner, wide.tokenizer, args.out)


if __name__ == "__main__":
    main()
