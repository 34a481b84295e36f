"""Learning: pictures, wishes and answers become updates of a student."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator
from PIL import Image
from torch import Tensor, nn

from gemma_vision.finetune.augmentation import augment
from gemma_vision.finetune.image_set import Shown
from gemma_vision.finetune.prompt_sampler import Wishes, patch_kinds
from gemma_vision.finetune.rehearsal import Source
from gemma_vision.finetune.sequences import (
    Text,
    answer_logits,
    collate,
    plain_loss,
    see,
    with_handicap,
)
from gemma_vision.finetune.trainee import Student, rates
from gemma_vision.images.resizing import to_pixels
from gemma_vision.optimization.answer_loss import AnswerLoss
from gemma_vision.optimization.precision import autocast, pick_dtype, quick_attention
from gemma_vision.optimization.stage import TrainingStage, adamw, update

DECAY = 0.02
MOST_ANSWERED = 256  # tokens; what follows is not learned, and neither is that it ends there
ALIGNMENT_WEIGHT = 0.3
HANDICAP = 2.0  # a position is spread over some e^2 = 7 bins where it is well known
KEPT = 0.98  # of the running means of figures


@dataclass(frozen=True)
class Lesson:
    """Pictures of one origin: how many of a batch, and what is asked about them."""

    source: Source
    wishes: Wishes
    count: int
    mirrored: bool = True

    def draw(self, rng: Generator) -> list[Shown]:
        """So many pictures, each changed at random."""
        drawn = (self.source.draw(rng) for _ in range(self.count))
        return [augment(rng, shown, mirrored=self.mirrored) for shown in drawn]


class LearningStep:
    """One update on a batch of every lesson."""

    def __init__(
        self,
        student: Student,
        lessons: Sequence[Lesson],
        stage: TrainingStage,
        rng: Generator,
        *,
        prompts_each: int = 1,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.student, self.lessons, self.stage, self.rng = student, lessons, stage, rng
        self.prompts_each, self.dtype = prompts_each, dtype
        names = dict.fromkeys(name for lesson in lessons for name in lesson.wishes.names)
        self.names = list(names)
        self.language = AnswerLoss(student.tokenizer, self.names)
        self.parameters = list(student.trained.values())
        self.figures: dict[str, float] = {}
        if student.is_young:
            self.language.smooth_place_gradients(student.embeddings)

    def __call__(self, progress: float) -> dict[str, float]:
        shown, texts = self.draw()
        with autocast(self.student.device, self.dtype):
            loss, figures = self.loss(shown, texts)
        update(self.stage, self.parameters, loss)
        self.figures = averaged(self.figures, figures | {"loss": loss.item()})
        return self.figures

    def draw(self) -> tuple[list[Shown], list[Text]]:
        """Pictures, and `prompts_each` encoded prompts with answers for each."""
        shown, texts = [], []
        for lesson in self.lessons:
            for one in lesson.draw(self.rng):
                shown.append(one)
                wishes = (lesson.wishes.draw(self.rng, one) for _ in range(self.prompts_each))
                texts += [self.encode(prompt, answer) for prompt, answer in wishes]
        return shown, texts

    def encode(self, prompt: str, answer: str) -> Text:
        """The ids of both; of a long answer only the beginning."""
        prefix, suffix = self.language.encode(prompt, answer)
        return prefix, suffix[:MOST_ANSWERED]

    def loss(
        self, shown: Sequence[Shown], texts: Sequence[Text]
    ) -> tuple[Tensor, dict[str, float]]:
        """The mean loss of the answers, and figures."""
        student = self.student
        soft = see(student.model, pixels_of(shown, student))
        inputs = collate(texts, soft.shape[1], self.language.image, student.device)
        repeated = soft.repeat_interleave(self.prompts_each, 0)
        logits, targets = answer_logits(student.model, repeated, inputs)
        if not student.is_young:
            return plain_loss(logits, targets)
        logits = with_handicap(logits, inputs, HANDICAP)
        loss, figures = self.language.token_loss(logits, targets)
        kinds = np.stack([patch_kinds(one, self.names, student.grid) for one in shown])
        where = torch.from_numpy(kinds).to(student.device)
        align = self.language.alignment_loss(student.embeddings, soft, where)
        return loss + ALIGNMENT_WEIGHT * align, figures | {"align": align.item()}


def pixels_of(shown: Sequence[Shown], student: Student) -> Tensor:
    """Pictures as the tower is given them -> (B, 3, S, S)."""
    side, weight = student.config.vision.image_size, next(student.model.parameters())
    arrays = [to_pixels(Image.fromarray(np.ascontiguousarray(one.pixels)), side) for one in shown]
    return torch.from_numpy(np.stack(arrays)).to(student.device, weight.dtype)


def learn(
    student: Student,
    lessons: Sequence[Lesson],
    folder: Path,
    *,
    minutes: float,
    peak: float | None,
    seed: int,
) -> TrainingStage:
    """Train the student in place for `minutes`, or go on where the folder says."""
    kept = nn.ParameterDict({n.replace(".", "/"): p for n, p in student.trained.items()})
    stage = TrainingStage(folder, "adapt", minutes, kept, adamw(rates(student, peak), DECAY))
    if stage.progress < 1:
        rng = np.random.default_rng((seed, stage.steps))
        each = 2 if student.is_young else 1
        dtype = product_dtype(student.device)
        step = LearningStep(student, lessons, stage, rng, prompts_each=each, dtype=dtype)
        with quick_attention(student.device):
            stage.run(step)
    return stage


def product_dtype(device: torch.device) -> torch.dtype:
    """The precision of products: bfloat16 where it is quicker; weights keep their own."""
    return torch.float32 if device.type == "mps" else pick_dtype(device)


def averaged(total: dict[str, float], new: dict[str, float]) -> dict[str, float]:
    """Running means, so that a report is not one batch's luck."""
    return total | {k: KEPT * total.get(k, v) + (1 - KEPT) * v for k, v in new.items()}
