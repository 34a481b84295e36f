"""Update step: images, prompts and answers become one update of a trainee."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.random import Generator
from PIL import Image
from torch import Tensor, nn
from torch.optim import Optimizer

from gemma_vision.finetuning.data.data_mix import DataMix
from gemma_vision.finetuning.data.image_set import LabelledImage
from gemma_vision.finetuning.data.patch_labels import patch_kinds, patch_labels
from gemma_vision.finetuning.learning.patch_head import PatchHead
from gemma_vision.finetuning.learning.processes import Processes
from gemma_vision.finetuning.learning.sequences import (
    EncodedText,
    answer_logits,
    collate,
    image_features,
    plain_loss,
    with_handicap,
)
from gemma_vision.finetuning.learning.trainee import Trainee
from gemma_vision.finetuning.plan import FinetuneError
from gemma_vision.images.resizing import to_pixels
from gemma_vision.optimization.answer_loss import AnswerLoss, near_codes
from gemma_vision.optimization.metrics_log import running_means
from gemma_vision.optimization.precision import autocast, pick_dtype
from postprocess.mask_decoder import MaskDecoder

DECAY = 0.02
MAX_ANSWER_TOKENS = 256  # tokens; what follows is not learned, and neither is that it ends there
ALIGNMENT_WEIGHT = 0.8
PATCH_WEIGHT = 0.5  # of what patches are asked
HANDICAP = 2.0  # a position is spread over some e^2 = 7 bins where it is well known
CODE_WEIGHT = 0.25  # of a code: a mask has sixteen, a box four positions
CODE_WIDTH = 0.4  # of the targets of mask codes, in distances to the nearest code
NO_NAME = "thing"  # where lines alone are learned, and nothing has a name
MAX_NORM = 1.0  # of the gradient

Drawn = tuple[list[LabelledImage], list[EncodedText]]


class UpdateStep:
    """One update on fresh images; several batches of them where gradients are accumulated.

    prompts_each: of an image. decoder: that of the codes, by which a small model learns which codes
    are near each other. head: asks the patches of a small model where their things end.
    """

    def __init__(
        self,
        trainee: Trainee,
        mix: DataMix,
        opt: Optimizer,
        *,
        prompts_each: int = 1,
        accumulate: int = 1,
        dtype: torch.dtype = torch.float32,
        decoder: MaskDecoder | None = None,
        head: PatchHead | None = None,
        processes: Processes | None = None,
    ) -> None:
        self.trainee, self.mix, self.opt = trainee, mix, opt
        self.prompts_each, self.accumulate, self.dtype = prompts_each, accumulate, dtype
        self.processes = processes or Processes()
        self.names = mix.names or [NO_NAME]
        self.answer_loss = AnswerLoss(trainee.tokenizer, self.names)
        self.head = head
        self.parameters = [*trainee.trained.values(), *(head.parameters() if head else ())]
        self.figures: dict[str, float] = {}
        if trainee.is_small:
            self.learn_scales(decoder)

    def learn_scales(self, decoder: MaskDecoder | None) -> None:
        """Positions and codes are learned as what they are: places, and shapes like others."""
        if self.trainee.embeddings.requires_grad:
            self.answer_loss.smooth_place_gradients(self.trainee.embeddings)
        self.answer_loss.code_weight = CODE_WEIGHT
        if decoder is not None:
            vectors = torch.from_numpy(decoder.code_vectors)
            self.answer_loss.code_targets = near_codes(vectors, CODE_WIDTH)

    def __call__(self, rng: Generator, progress: float) -> dict[str, float]:
        """One update -> running means of the figures."""
        self.opt.zero_grad()
        for images, texts in self.draw_all(rng):
            with autocast(self.trainee.device, self.dtype):
                loss, figures = self.loss(images, texts)
            check_loss(loss)
            torch.autograd.backward(loss / self.accumulate)
            self.figures = running_means(self.figures, figures | {"loss": loss.item()})
        self.processes.average([p.grad for p in self.parameters if p.grad is not None])
        nn.utils.clip_grad_norm_(self.parameters, MAX_NORM)
        self.opt.step()
        return self.figures

    def draw_all(self, rng: Generator) -> Iterator[Drawn]:
        """The batches of an update; each of several processes takes its own share of them."""
        for turn, own in enumerate(rng.spawn(self.accumulate * self.processes.count)):
            if self.processes.is_turn(turn):
                yield self.draw(own)

    def draw(self, rng: Generator) -> Drawn:
        """Images, and `prompts_each` encoded prompts with answers for each."""
        images, texts = [], []
        for image, sampler in self.mix.draw(rng):
            images.append(image)
            pairs = (sampler.draw(rng, image) for _ in range(self.prompts_each))
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
        if not trainee.is_small:
            return plain_loss(logits, targets)
        logits = with_handicap(logits, inputs, HANDICAP)
        loss, figures = self.answer_loss.token_loss(logits, targets)
        labels = [patch_labels(one, trainee.grid) for one in images]
        kinds = [patch_kinds(*one, self.names) for one in zip(images, labels, strict=True)]
        where = torch.from_numpy(np.stack(kinds)).to(trainee.device)
        align = self.answer_loss.alignment_loss(trainee.embeddings, soft, where)
        loss, figures = loss + ALIGNMENT_WEIGHT * align, figures | {"align": align.item()}
        if self.head is not None:
            patches = self.head.loss(soft, labels)
            loss, figures = loss + PATCH_WEIGHT * patches, figures | {"patches": patches.item()}
        return loss, figures


def check_loss(loss: Tensor) -> None:
    """Refuse to go on from numbers that are none: every weight would become one."""
    if not torch.isfinite(loss):
        raise FinetuneError(
            "The loss is no number any more, so that nothing more can be learned; begin anew with "
            "a smaller --rate."
        )


def pixels_of(images: Sequence[LabelledImage], trainee: Trainee) -> Tensor:
    """Images as the tower is given them -> (B, 3, S, S)."""
    side, weight = trainee.config.square.image_size, tower_weight(trainee)
    arrays = [to_pixels(Image.fromarray(np.ascontiguousarray(one.pixels)), side) for one in images]
    return torch.from_numpy(np.stack(arrays)).to(trainee.device, weight.dtype)


def tower_weight(trainee: Trainee) -> nn.Parameter:
    """A weight of the tower, which tells the number type that it computes in."""
    weight: nn.Parameter = next(trainee.model.model.vision_tower.parameters())
    return weight


def product_dtype(device: torch.device) -> torch.dtype:
    """The precision of products: bfloat16 where it is quicker; weights keep their own."""
    return torch.float32 if device.type == "mps" else pick_dtype(device)
