"""Stages decoder and joint: the language model learns to answer from what the tower sees.

First alone, on kept features of a rolling bank of scenes, several times quicker than learning
through the tower; then both together, the tower slowly so that it keeps what it knows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PaliGemmaForConditionalGeneration

from postprocess.vqvae import MaskVQVAE
from training.language import Language
from training.prompts import Seen, draw_prompt
from training.samples import Batch, Recipe, SceneStream, batches, to_pixels
from training.stage import Stage, adamw, update
from training.vision import DenseHead, average, dense_loss, mask_codes, patch_kinds

BANK = 4000  # scenes whose features are kept
REFILL = 6  # fresh scenes per step
BATCH = 24
PEAK, MASKS_PEAK, DECAY = 1.5e-3, 8e-4, 0.02
ALIGNMENT_WEIGHT = 0.3
SINGLES, SINGLES_UNTIL = 0.8, 0.3  # share of scenes with one thing at first; gone by then

JOINT_BATCH = 12  # scenes
JOINT_PROMPTS = 2  # of each
JOINT_VISION, JOINT_TEXT = 2e-4, 6e-4
DENSE_WEIGHT = 0.3


@dataclass(frozen=True)
class Learner:
    """The parts that stay the same over the stages."""

    model: PaliGemmaForConditionalGeneration
    vae: MaskVQVAE
    language: Language
    names: tuple[str, ...]
    recipe: Recipe

    @property
    def text_parameters(self) -> list[nn.Parameter]:
        core = self.model.model
        modules = (core.multi_modal_projector, core.language_model)
        return [parameter for module in modules for parameter in module.parameters()]

    def seen(self, batch: Batch) -> list[list[Seen]]:
        """What each picture of a batch shows, with the codes of its masks."""
        codes = mask_codes(self.vae, batch).tolist()
        boxes, owners = batch["boxes"].tolist(), batch["names"].tolist()
        return [
            [
                Seen(self.names[name], tuple(box), tuple(code))
                for name, box, code in zip(*row, strict=True)
                if name >= 0
            ]
            for row in zip(owners, boxes, codes, strict=True)
        ]

    def texts(
        self, rng: np.random.Generator, scenes: Sequence[list[Seen]], mix: Sequence[float]
    ) -> list[tuple[list[int], list[int]]]:
        prompts = (draw_prompt(rng, things, self.names, mix) for things in scenes)
        return [self.language.encode(prompt, answer) for prompt, answer in prompts]


Mix = tuple[float, float, float, float]
MASKS_MIX: Mix = (0.29, 0.60, 0.04, 0.07)


def task_mix(progress: float) -> Mix:
    """Shares of detect, segment, caption, ask; masks get more once boxes are learned."""
    segment = 0.3 + 0.2 * min(1.0, progress / 0.6)
    return (0.84 - segment, segment, 0.06, 0.10)


class Bank:
    """A ring of scenes: features (S, N, D) in bfloat16, kinds of patches, things."""

    def __init__(self, learner: Learner, data: Iterator[Batch], size: int) -> None:
        self.learner, self.data, self.size = learner, data, size
        self.features: Tensor = torch.empty(0)
        self.kinds: Tensor = torch.empty(0, dtype=torch.int64)
        self.scenes: list[list[Seen]] = []
        self.next = 0
        while len(self.scenes) < size:
            self.refill()

    @torch.no_grad()
    def refill(self) -> None:
        """Replace the oldest scenes by one fresh batch."""
        batch = next(self.data)
        with torch.autocast("cpu", torch.bfloat16):
            tower = self.learner.model.model.vision_tower
            features = tower(pixel_values=to_pixels(batch)).last_hidden_state.bfloat16()
        kinds = patch_kinds(batch, len(self.learner.names))
        if len(self.features) == 0:
            self.features = torch.empty(self.size, *features.shape[1:], dtype=torch.bfloat16)
            self.kinds = torch.empty(self.size, kinds.shape[1], dtype=torch.int64)
        places = (torch.arange(len(features)) + self.next) % self.size
        self.features[places], self.kinds[places] = features, kinds
        for place, scene in zip(places.tolist(), self.learner.seen(batch), strict=True):
            if place < len(self.scenes):
                self.scenes[place] = scene
            else:
                self.scenes.append(scene)
        self.next = (self.next + len(features)) % self.size

    def draw(self, rng: np.random.Generator, count: int, singles: float) -> list[int]:
        """Indices of scenes, `singles` of them with exactly one thing."""
        picks = []
        while len(picks) < count:
            index = int(rng.integers(len(self.scenes)))
            if len(self.scenes[index]) == 1 or rng.random() >= singles:
                picks.append(index)
        return picks


class DecoderStep:
    """One update of projector and decoder on kept features."""

    def __init__(
        self, learner: Learner, stage: Stage, rng: np.random.Generator, *, is_first: bool
    ) -> None:
        self.learner, self.stage, self.rng, self.is_first = learner, stage, rng, is_first
        self.figures: dict[str, float] = {}
        self.bank: Bank | None = None

    def __call__(self, progress: float) -> dict[str, float]:
        learner, bank = self.learner, self.bank
        assert bank is not None, "the bank is filled before the first step"
        bank.refill()
        singles = SINGLES * max(0.0, 1 - progress / SINGLES_UNTIL) if self.is_first else 0.0
        picks = bank.draw(self.rng, BATCH, singles)
        mix = task_mix(progress) if self.is_first else MASKS_MIX
        texts = learner.texts(self.rng, [bank.scenes[i] for i in picks], mix)
        with torch.autocast("cpu", torch.bfloat16):
            soft = learner.model.model.multi_modal_projector(bank.features[picks])
            loss, figures = learner.language.loss(learner.model, soft, texts)
            align = learner.language.alignment_loss(learner.model, soft, bank.kinds[picks])
        update(self.stage, learner.text_parameters, loss + ALIGNMENT_WEIGHT * align)
        figures |= {"loss": loss.item(), "align": align.item()}
        self.figures = average(self.figures, figures)
        return self.figures


class JointStep:
    """One update of everything, the dense labels kept so that the tower does not drift."""

    def __init__(
        self, learner: Learner, head: DenseHead, stage: Stage, rng: np.random.Generator
    ) -> None:
        self.learner, self.head, self.stage, self.rng = learner, head, stage, rng
        self.figures: dict[str, float] = {}
        self.data: Iterator[Batch] = iter(())

    def __call__(self, progress: float) -> dict[str, float]:
        learner, core = self.learner, self.learner.model.model
        batch = next(self.data)
        scenes = [scene for scene in learner.seen(batch) for _ in range(JOINT_PROMPTS)]
        texts = learner.texts(self.rng, scenes, task_mix(1.0))
        kinds = patch_kinds(batch, len(learner.names))
        with torch.autocast("cpu", torch.bfloat16):
            features = core.vision_tower(pixel_values=to_pixels(batch)).last_hidden_state
            dense, seen = dense_loss(self.head, features, batch, mask_codes(learner.vae, batch))
            soft = core.multi_modal_projector(features)
            align = learner.language.alignment_loss(learner.model, soft, kinds)
            repeated = soft.repeat_interleave(JOINT_PROMPTS, 0)
            loss, figures = learner.language.loss(learner.model, repeated, texts)
        parameters = [*learner.model.parameters(), *self.head.parameters()]
        update(self.stage, parameters, loss + ALIGNMENT_WEIGHT * align + DENSE_WEIGHT * dense)
        figures |= {"loss": loss.item(), "align": align.item()} | seen
        self.figures = average(self.figures, figures)
        return self.figures


def train_decoder(
    folder: Path,
    learner: Learner,
    *,
    minutes: float,
    seed: int,
    bank: int = BANK,
    workers: int = 1,
    is_first: bool = True,
) -> None:
    """Train projector and decoder in place, the tower frozen (or go on where the folder says).

    The first round is stage decoder; a second, stage masks, asks for masks most of the time, at
    half the rate.
    """
    trained = nn.ModuleDict(
        {
            "projector": learner.model.model.multi_modal_projector,
            "decoder": learner.model.model.language_model,
        }
    )
    opt = adamw([(learner.text_parameters, PEAK if is_first else MASKS_PEAK)], DECAY)
    stage = Stage(folder, "decoder" if is_first else "masks", minutes, trained, opt)
    rng = np.random.default_rng((seed, 1 if is_first else 3, stage.steps))
    step = DecoderStep(learner, stage, rng, is_first=is_first)
    if stage.progress < 1:
        stream = SceneStream(learner.recipe, seed + (1 if is_first else 3), start=stage.steps)
        step.bank = Bank(learner, batches(stream, REFILL, workers=workers), bank)
        stage.run(step)


def train_joint(
    folder: Path,
    learner: Learner,
    head: DenseHead,
    *,
    minutes: float,
    seed: int,
    workers: int = 1,
) -> None:
    """Train the whole model and the dense head in place (or go on where the folder says)."""
    trained = nn.ModuleDict({"model": learner.model, "head": head})
    slow = [*learner.model.model.vision_tower.parameters(), *head.parameters()]
    opt = adamw([(slow, JOINT_VISION), (learner.text_parameters, JOINT_TEXT)], DECAY)
    stage = Stage(folder, "joint", minutes, trained, opt)
    step = JointStep(learner, head, stage, np.random.default_rng((seed, 2, stage.steps)))
    if stage.progress < 1:
        stream = SceneStream(learner.recipe, seed + 2, start=stage.steps)
        step.data = batches(stream, JOINT_BATCH, workers=workers)
        stage.run(step)
