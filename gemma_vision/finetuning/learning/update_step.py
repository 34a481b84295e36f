"""Loop: images, prompts and answers become updates of a trainee."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator
from PIL import Image
from torch import Tensor, nn

from gemma_vision.finetuning.data.data_mix import MixComponent
from gemma_vision.finetuning.data.image_set import LabelledImage
from gemma_vision.finetuning.data.prompt_sampler import patch_kinds
from gemma_vision.finetuning.learning.sequences import (
    EncodedText,
    answer_logits,
    collate,
    image_features,
    plain_loss,
    with_handicap,
)
from gemma_vision.finetuning.learning.trainee import Trainee, rates
from gemma_vision.images.resizing import to_pixels
from gemma_vision.optimization.answer_loss import AnswerLoss
from gemma_vision.optimization.metrics_log import running_means
from gemma_vision.optimization.precision import autocast, pick_dtype, quick_attention
from gemma_vision.optimization.stage import TrainingStage, adamw, update

DECAY = 0.02
MAX_ANSWER_TOKENS = 256  # tokens; what follows is not learned, and neither is that it ends there
ALIGNMENT_WEIGHT = 0.3
HANDICAP = 2.0  # a position is spread over some e^2 = 7 bins where it is well known


class FinetuneStep:
    """One update on a batch of every component."""

    def __init__(
        self,
        trainee: Trainee,
        components: Sequence[MixComponent],
        stage: TrainingStage,
        rng: Generator,
        *,
        prompts_each: int = 1,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.trainee, self.components, self.stage, self.rng = trainee, components, stage, rng
        self.prompts_each, self.dtype = prompts_each, dtype
        names = dict.fromkeys(name for component in components for name in component.sampler.names)
        self.names = list(names)
        self.answer_loss = AnswerLoss(trainee.tokenizer, self.names)
        self.parameters = list(trainee.trained.values())
        self.figures: dict[str, float] = {}
        if trainee.is_young:
            self.answer_loss.smooth_place_gradients(trainee.embeddings)

    def __call__(self, progress: float) -> dict[str, float]:
        images, texts = self.draw()
        with autocast(self.trainee.device, self.dtype):
            loss, figures = self.loss(images, texts)
        update(self.stage, self.parameters, loss)
        self.figures = running_means(self.figures, figures | {"loss": loss.item()})
        return self.figures

    def draw(self) -> tuple[list[LabelledImage], list[EncodedText]]:
        """Images, and `prompts_each` encoded prompts with answers for each."""
        images, texts = [], []
        for component in self.components:
            for one in component.draw(self.rng):
                images.append(one)
                pairs = (component.sampler.draw(self.rng, one) for _ in range(self.prompts_each))
                texts += [self.encode(prompt, answer) for prompt, answer in pairs]
        return images, texts

    def encode(self, prompt: str, answer: str) -> EncodedText:
        """The ids of both; of a long answer only the beginning."""
        prefix, suffix = self.answer_loss.encode(prompt, answer)
        return prefix, suffix[:MAX_ANSWER_TOKENS]

    def loss(
        self, images: Sequence[LabelledImage], texts: Sequence[EncodedText]
    ) -> tuple[Tensor, dict[str, float]]:
        """The mean loss of the answers, and figures."""
        trainee = self.trainee
        soft = image_features(trainee.model, pixels_of(images, trainee))
        inputs = collate(texts, soft.shape[1], self.answer_loss.image, trainee.device)
        repeated = soft.repeat_interleave(self.prompts_each, 0)
        logits, targets = answer_logits(trainee.model, repeated, inputs)
        if not trainee.is_young:
            return plain_loss(logits, targets)
        logits = with_handicap(logits, inputs, HANDICAP)
        loss, figures = self.answer_loss.token_loss(logits, targets)
        kinds = np.stack([patch_kinds(one, self.names, trainee.grid) for one in images])
        where = torch.from_numpy(kinds).to(trainee.device)
        align = self.answer_loss.alignment_loss(trainee.embeddings, soft, where)
        return loss + ALIGNMENT_WEIGHT * align, figures | {"align": align.item()}


def pixels_of(images: Sequence[LabelledImage], trainee: Trainee) -> Tensor:
    """Images as the tower is given them -> (B, 3, S, S)."""
    side, weight = trainee.config.square.image_size, next(trainee.model.parameters())
    arrays = [to_pixels(Image.fromarray(np.ascontiguousarray(one.pixels)), side) for one in images]
    return torch.from_numpy(np.stack(arrays)).to(trainee.device, weight.dtype)


def train_model(
    trainee: Trainee,
    components: Sequence[MixComponent],
    folder: Path,
    *,
    minutes: float,
    peak: float | None,
    seed: int,
) -> TrainingStage:
    """Train the trainee in place for `minutes`, or go on where the folder says."""
    parameters = nn.ParameterDict({n.replace(".", "/"): p for n, p in trainee.trained.items()})
    optimiser = adamw(rates(trainee, peak), DECAY)
    stage = TrainingStage(folder, "finetune", minutes, parameters, optimiser)
    if stage.progress < 1:
        rng = np.random.default_rng((seed, stage.steps))
        each = 2 if trainee.is_young else 1
        dtype = product_dtype(trainee.device)
        step = FinetuneStep(trainee, components, stage, rng, prompts_each=each, dtype=dtype)
        with quick_attention(trainee.device):
            stage.run(step)
    return stage


def product_dtype(device: torch.device) -> torch.dtype:
    """The precision of products: bfloat16 where it is quicker; weights keep their own."""
    return torch.float32 if device.type == "mps" else pick_dtype(device)
