"""Stages decoder and joint: the language model learns to answer from what the tower sees.

First alone, on kept features of a rolling bank of scenes, several times quicker than learning
through the tower; then both together, the tower slowly so that it keeps what it knows.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from gemma_vision.optimization.metrics_log import running_means
from gemma_vision.optimization.stage import TrainingStage, adamw, update
from gemma_vision.synthetic.prompts import TargetObject
from training.data.samples import Batch, to_pixels
from training.data.streams import scene_batches
from training.model.dense import DenseHead, dense_loss, mask_codes, patch_kinds
from training.model.learner import Learner, Mix
from training.run import Pace, TrainingRun, open_stage

BANK = 4000  # scenes whose features are kept
REFILL = 6  # fresh scenes per step
BATCH = 24
PEAK, DECAY = 1.5e-3, 0.02
ALIGNMENT_WEIGHT = 0.3
SINGLES, SINGLES_UNTIL = 0.8, 0.3  # share of scenes with one thing at first; gone by then

JOINT_BATCH = 12  # scenes
JOINT_PROMPTS = 2  # of each
JOINT_VISION, JOINT_TEXT = 2e-4, 6e-4
DENSE_WEIGHT = 0.3


MASKS_MIX: Mix = (0.20, 0.72, 0.03, 0.05)


def task_mix(progress: float) -> Mix:
    """Shares of detect, segment, caption, ask; masks get more once boxes are learned."""
    segment = 0.3 + 0.2 * min(1.0, progress / 0.6)
    return (0.84 - segment, segment, 0.06, 0.10)


class FeatureBank:
    """A ring of scenes: features (S, N, D) in the stage's precision, labels, things."""

    def __init__(
        self, learner: Learner, data: Iterator[Batch], size: int, stage: TrainingStage
    ) -> None:
        self.learner, self.data, self.size, self.stage = learner, data, size, stage
        self.features: Tensor = torch.empty(0)
        self.labels: Batch = {}
        self.scenes: list[list[TargetObject]] = []
        self.next = 0
        while len(self.scenes) < size:
            self.refill()

    @torch.no_grad()
    def refill(self) -> None:
        """Replace the oldest scenes by one fresh batch."""
        batch = next(self.data)
        with self.stage.autocast():
            tower = self.learner.model.model.vision_tower
            features = tower(pixel_values=to_pixels(batch)).last_hidden_state.to(self.stage.dtype)
        labels = {key: value for key, value in batch.items() if key != "pixels"}
        labels["codes"] = mask_codes(self.learner.vae, batch)
        if len(self.features) == 0:
            self.features = features.new_empty(self.size, *features.shape[1:])
            self.labels = {k: v.new_empty(self.size, *v.shape[1:]) for k, v in labels.items()}
        places = (torch.arange(len(features), device=features.device) + self.next) % self.size
        self.features[places] = features
        for key, value in labels.items():
            self.labels[key][places] = value
        for place, scene in zip(places.tolist(), self.learner.targets(labels), strict=True):
            if place < len(self.scenes):
                self.scenes[place] = scene
            else:
                self.scenes.append(scene)
        self.next = (self.next + len(features)) % self.size

    def draw(self, rng: np.random.Generator, count: int, singles: float) -> list[int]:
        """Indices of scenes, `singles` of them with exactly one thing."""
        picks: list[int] = []
        while len(picks) < count:
            index = int(rng.integers(len(self.scenes)))
            if len(self.scenes[index]) == 1 or rng.random() >= singles:
                picks.append(index)
        return picks


class DecoderStep:
    """One update of projector and decoder on kept features.

    A dense head asks the projected image tokens what it asked the tower, so that the projector
    lets pass what masks are read from. is_first: it begins with one thing; later_mix: else.
    """

    def __init__(
        self,
        learner: Learner,
        head: DenseHead,
        stage: TrainingStage,
        rng: np.random.Generator,
        size: int,
        *,
        is_first: bool,
        later_mix: Mix = MASKS_MIX,
    ) -> None:
        self.learner, self.head, self.stage, self.rng = learner, head, stage, rng
        self.is_first, self.size, self.later_mix = is_first, size, later_mix
        self.figures: dict[str, float] = {}
        self.bank: FeatureBank | None = None

    def __call__(self, progress: float) -> dict[str, float]:
        learner, bank = self.learner, self.bank
        assert bank is not None, "the bank is filled before the first step"
        bank.refill()
        singles = SINGLES * max(0.0, 1 - progress / SINGLES_UNTIL) if self.is_first else 0.0
        picks = bank.draw(self.rng, self.size, singles)
        mix = task_mix(progress) if self.is_first else self.later_mix
        texts = learner.texts(self.rng, [bank.scenes[i] for i in picks], mix)
        labels = {key: value[picks] for key, value in bank.labels.items()}
        kinds = patch_kinds(labels, len(learner.names))
        with self.stage.autocast():
            soft = learner.model.model.multi_modal_projector(bank.features[picks])
            loss, figures = learner.language.loss(learner.model, soft, texts, learner.drawing)
            align = learner.language.alignment_loss(learner.embeddings, soft, kinds)
            dense, dense_figures = dense_loss(self.head, soft, labels, labels["codes"])
        parameters = [*learner.text_parameters, *self.head.parameters()]
        update(self.stage, parameters, loss + ALIGNMENT_WEIGHT * align + DENSE_WEIGHT * dense)
        figures |= {"loss": loss.item(), "align": align.item()}
        figures |= {f"soft_{key}": value for key, value in dense_figures.items()}
        self.figures = running_means(self.figures, figures)
        return self.figures


class JointStep:
    """One update of everything, the dense labels kept so that the tower does not drift."""

    def __init__(
        self, learner: Learner, head: DenseHead, stage: TrainingStage, rng: np.random.Generator
    ) -> None:
        self.learner, self.head, self.stage, self.rng = learner, head, stage, rng
        self.figures: dict[str, float] = {}
        self.data: Iterator[Batch] = iter(())

    def __call__(self, progress: float) -> dict[str, float]:
        learner, core = self.learner, self.learner.model.model
        batch = next(self.data)
        batch["codes"] = mask_codes(learner.vae, batch)
        scenes = [scene for scene in learner.targets(batch) for _ in range(JOINT_PROMPTS)]
        texts = learner.texts(self.rng, scenes, task_mix(1.0))
        kinds = patch_kinds(batch, len(learner.names))
        with self.stage.autocast():
            features = core.vision_tower(pixel_values=to_pixels(batch)).last_hidden_state
            dense, dense_figures = dense_loss(self.head, features, batch, batch["codes"])
            soft = core.multi_modal_projector(features)
            align = learner.language.alignment_loss(learner.embeddings, soft, kinds)
            repeated = soft.repeat_interleave(JOINT_PROMPTS, 0)
            loss, figures = learner.language.loss(learner.model, repeated, texts, learner.drawing)
        parameters = [*learner.model.parameters(), *self.head.parameters()]
        update(self.stage, parameters, loss + ALIGNMENT_WEIGHT * align + DENSE_WEIGHT * dense)
        figures |= {"loss": loss.item(), "align": align.item()} | dense_figures
        self.figures = running_means(self.figures, figures)
        return self.figures


def train_decoder(
    run: TrainingRun, learner: Learner, pace: Pace, *, bank: int = BANK, is_first: bool = True
) -> None:
    """Train projector and decoder in place, the tower frozen (or go on where the run stopped).

    The first round is stage decoder; a second, stage masks, asks for masks most of the time.
    """
    core = learner.model.model
    head = DenseHead(learner.width, len(learner.names)).to(run.device)
    trained = nn.ModuleDict(
        {"projector": core.multi_modal_projector, "decoder": core.language_model, "head": head}
    )
    offset = 1 if is_first else 3
    parameters = [*learner.text_parameters, *head.parameters()]
    opt = adamw([(parameters, PEAK * pace.gain)], DECAY)
    stage = open_stage(run, "decoder" if is_first else "masks", pace, trained, opt)
    rng = np.random.default_rng((run.seed, offset, stage.steps))
    step = DecoderStep(learner, head, stage, rng, BATCH * pace.times, is_first=is_first)
    if stage.is_due:
        size, seed = REFILL * pace.times, run.seed + offset
        data = scene_batches(run, learner.recipe, size, seed=seed, start=stage.steps)
        step.bank = FeatureBank(learner, data, bank, stage)
        stage.run(step)


def train_joint(run: TrainingRun, learner: Learner, head: DenseHead, pace: Pace) -> None:
    """Train the whole model and the dense head in place (or go on where the run stopped)."""
    trained = nn.ModuleDict({"model": learner.model, "head": head})
    slow = [*learner.model.model.vision_tower.parameters(), *head.parameters()]
    rates = [(slow, JOINT_VISION * pace.gain), (learner.text_parameters, JOINT_TEXT * pace.gain)]
    stage = open_stage(run, "joint", pace, trained, adamw(rates, DECAY))
    step = JointStep(learner, head, stage, np.random.default_rng((run.seed, 2, stage.steps)))
    if stage.is_due:
        size, seed = JOINT_BATCH * pace.times, run.seed + 2
        step.data = scene_batches(run, learner.recipe, size, seed=seed, start=stage.steps)
        stage.run(step)
