"""Widening: the stages in which a trained checkpoint learns many artists and more names.

`sketch` (the tower in small pictures), `vision` (in large ones), `polish` (the mask decoder) and
`decoder`; see `training.widen`, the program.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import nn
from torch.utils.data import DataLoader
from transformers import PaliGemmaForConditionalGeneration

from gemma_vision.optimization.metrics_log import running_means
from gemma_vision.optimization.stage import TrainingStage, adamw, state_file, update
from gemma_vision.optimization.training_state import StateError
from postprocess.vqvae import MaskVQVAE
from training.data.masks import random_shape
from training.data.samples import Batch, to_pixels
from training.data.sampling import SceneRecipe
from training.data.streams import be_polite
from training.drawings.atlas import DrawingAtlas
from training.drawings.names import KIN, names_alike
from training.drawings.photographs import read_photographs
from training.drawings.scenes import DrawingScenes
from training.drawings.sets import HELD_OUT, WEIGHTS
from training.export import export
from training.gallery import write_gallery
from training.model.decoder import BATCH as DECODER_BATCH
from training.model.decoder import DECAY as DECODER_DECAY
from training.model.decoder import REFILL, DecoderStep, FeatureBank
from training.model.dense import DenseHead, dense_loss, mask_codes
from training.model.growth import grow
from training.model.language import SequenceLoss
from training.model.learner import Learner
from training.model.mask_vae import BATCH as MASK_BATCH
from training.model.mask_vae import POLISH_DECAY, POLISH_PEAK, PolishStep
from training.model.tiny import build_model
from training.model.tokenizer import build_tokenizer
from training.presets import WIDENING_STAGES, WideningPlan
from training.run import TrainingRun, open_stage

BATCH, PEAK, DECAY = 20, 8e-4, 0.03  # of the tower
ANSWERS_PEAK = 1.2e-3
HEAD = "module.head."  # before the names of a head's weights in the state of a stage
BANK = 3000  # scenes whose features the decoder keeps
POLISHED, SHAPES = 8000, 0.2  # masks that polish the mask decoder, and the share of random shapes


def batches(scenes: DrawingScenes, size: int, workers: int) -> Iterator[Batch]:
    """Endless batches of scenes, drawn in a process beside this one or, with no workers, in it."""
    loader = DataLoader(
        scenes,
        batch_size=size,
        num_workers=min(workers, 1),  # two would draw the same scenes
        prefetch_factor=8 if workers else None,
        worker_init_fn=be_polite,
        multiprocessing_context="spawn" if workers else None,
    )
    return iter(loader)


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

    words: the tokenizers of the small and of the large one. heads: state of an earlier run over the
    same names, whose throw-away heads need not be learned again.
    """

    run: TrainingRun
    plan: WideningPlan
    small: PaliGemmaForConditionalGeneration
    words: tuple[Tokenizer, Tokenizer]
    learner: Learner
    atlas: DrawingAtlas
    photographs: Sequence[np.ndarray]
    heads: Path | None = None

    @property
    def artists(self) -> tuple[str, ...]:
        """Those that are trained on."""
        return tuple(artist for artist in self.atlas.artists if artist != HELD_OUT)

    def scenes(self, offset: int, steps: int, size: int, recipe: SceneRecipe) -> Iterator[Batch]:
        """Batches of one stage, others than any before `steps`."""
        seed = (self.run.seed + offset, steps)
        drawn = DrawingScenes(
            self.atlas,
            self.photographs,
            self.artists,
            seed=seed,
            recipe=recipe,
            rehearsed=self.plan.rehearsed,
            weights=WEIGHTS,
        )
        return batches(drawn, size, self.run.workers)

    def masks(self, offset: int, steps: int, count: int) -> list[np.ndarray]:
        """Masks of things as scenes show them, (64, 64) uint8 each."""
        drawn: list[np.ndarray] = []
        data = self.scenes(offset, steps, 1, self.learner.recipe)
        while len(drawn) < count:
            batch = next(data)
            drawn += list(batch["masks"][batch["names"] >= 0].numpy())
        return drawn[:count]

    def head(self, width: int, stage: str) -> DenseHead:
        """A throw-away head for features of a width, of a stage."""
        head = DenseHead(width, len(self.atlas.names), self.atlas.num_kinds)
        if self.heads is not None:
            tensors = load_file(state_file(self.heads, stage))
            known = {k.removeprefix(HEAD): v for k, v in tensors.items() if k.startswith(HEAD)}
            shapes = {key: tensor.shape for key, tensor in head.state_dict().items()}
            if shapes != {key: tensor.shape for key, tensor in known.items()}:
                raise StateError(f"{self.heads} has heads of other names; give a run of these.")
            head.load_state_dict(known)
        return head


def open_widening(
    run: TrainingRun, plan: WideningPlan, base: Path, folder: Path, heads: Path | None = None
) -> Widening:
    """The checkpoint in `base`, the drawings in `folder`, and where there are heads already."""
    atlas = DrawingAtlas.read(folder / "atlas.npz").limited(plan.num_names, KIN)
    small = PaliGemmaForConditionalGeneration.from_pretrained(base, dtype=torch.float32)
    old = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer = old if plan.num_pieces is None else build_tokenizer(atlas.names, plan.num_pieces)
    language = SequenceLoss(tokenizer, atlas.names)
    model = build_model(plan.sizes, tokenizer, run.seed)
    recipe = SceneRecipe(plan.sizes.side, plan.sizes.grid, len(atlas.names))
    learner = Learner(model, read_vae(base), language, atlas.names, recipe, names_alike())
    language.smooth_place_gradients(learner.embeddings)
    photographs = read_photographs(folder / "photographs")
    return Widening(run, plan, small, (old, tokenizer), learner, atlas, photographs, heads)


def read_vae(base: Path) -> MaskVQVAE:
    """The frozen mask VQ-VAE of a checkpoint."""
    vae = MaskVQVAE()
    with np.load(base / "mask_decoder.npz") as arrays:
        state = {name: torch.from_numpy(arrays[name].astype(np.float32)) for name in arrays.files}
    vae.load_state_dict(state)
    return vae.requires_grad_(False).eval()


def train_tower(wide: Widening) -> None:
    """Stages sketch and vision: the tower learns all names of all artists, in place.

    Where there is a sketch, in small pictures first; then it grows to the size that it has in use.
    """
    (old, tokenizer), plan, seen = wide.words, wide.plan, wide.small
    head = wide.head(plan.sizes.vision_width, "vision") if "vision" in plan.paces else None
    if plan.sketch is not None:
        sizes, smallest = plan.sketch
        sketch = build_model(sizes, tokenizer, wide.run.seed)
        grow(wide.small, sketch, old, tokenizer)
        recipe = wide.learner.recipe
        small = replace(recipe, side=sizes.side, grid=sizes.grid, smallest=smallest)
        _train(wide, "sketch", sketch.model.vision_tower, head, small)
        seen, old = sketch, tokenizer
    grow(seen, wide.learner.model, old, tokenizer)
    _train(wide, "vision", wide.learner.model.model.vision_tower, head, wide.learner.recipe)


def _train(
    wide: Widening, name: str, tower: nn.Module, head: DenseHead | None, recipe: SceneRecipe
) -> None:
    pace = wide.plan.paces.get(name)
    if pace is None or head is None:
        return
    trained = nn.ModuleDict({"tower": tower, "head": head})
    opt = adamw([([*trained.parameters()], PEAK * pace.gain)], DECAY)
    stage = open_stage(wide.run, name, pace, trained, opt)
    if stage.is_due:
        data = wide.scenes(WIDENING_STAGES.index(name), stage.steps, BATCH * pace.times, recipe)
        stage.run(TowerStep(tower, head, wide.learner.vae, stage, data))


def polish_masks(wide: Widening) -> None:
    """The mask decoder learns to draw the new things, in place; no code changes its meaning."""
    vae, pace = wide.learner.vae, wide.plan.paces.get("polish")
    if pace is None:
        return
    opt = adamw([([*vae.decoder.parameters()], POLISH_PEAK * pace.gain)], POLISH_DECAY)
    stage = open_stage(wide.run, "polish", pace, vae.decoder, opt)
    if stage.is_due:
        vae.decoder.requires_grad_(True)
        rng = np.random.default_rng((wide.run.seed, 3, stage.steps))
        shapes = [random_shape(rng) for _ in range(int(SHAPES * POLISHED))]
        masks = np.stack([*shapes, *wide.masks(3, stage.steps, POLISHED - len(shapes))])
        stage.run(PolishStep(vae, stage, masks, rng, MASK_BATCH * pace.times))
    vae.requires_grad_(False)


def train_answers(wide: Widening) -> None:
    """Projector and decoder learn to answer from what the tower sees by now, in place.

    With tasks as in use from the first step, for it answers already.
    """
    learner, pace = wide.learner, wide.plan.paces.get("decoder")
    if pace is None:
        return
    core = learner.model.model
    head = wide.head(learner.width, "decoder")
    trained = nn.ModuleDict(
        {"projector": core.multi_modal_projector, "decoder": core.language_model, "head": head}
    )
    parameters = [*learner.text_parameters, *head.parameters()]
    opt = adamw([(parameters, ANSWERS_PEAK * pace.gain)], DECODER_DECAY)
    stage = open_stage(wide.run, "decoder", pace, trained, opt)
    rng = np.random.default_rng((wide.run.seed, 1, stage.steps))
    step = DecoderStep(
        learner,
        head,
        stage,
        rng,
        DECODER_BATCH * pace.times,
        is_first=False,
        later_mix=wide.plan.mix,
    )
    if stage.is_due:
        data = wide.scenes(len(WIDENING_STAGES), stage.steps, REFILL * pace.times, learner.recipe)
        step.bank = FeatureBank(learner, data, BANK, stage)
        stage.run(step)


def write_checkpoint(wide: Widening, out: Path) -> None:
    """What there is so far as a checkpoint, with a drawing of each of its names."""
    export(wide.learner, wide.words[1], out)
    write_gallery(wide.atlas.images, wide.atlas.name_of, len(wide.atlas.names), out)
