"""Stage vision: the tower learns to see, one dense label per patch, before any language.

A throw-away linear head on the tower's features says of every patch what thing it belongs to, that
thing's box, the patch's own 7 x 7 piece of the mask, and the 16 codes of the whole mask. It is not
exported. B pictures, N patches, T things, C names, F patches that belong to a named thing.
"""

from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from postprocess.vqvae import CODES_PER_MASK, NUM_CODES, MaskVQVAE
from training.samples import CELLS, MAX_THINGS, Batch, Recipe, SceneStream, batches, to_pixels
from training.stage import Stage, adamw, update

BOX_WEIGHT, CELL_WEIGHT, CODE_WEIGHT = 10.0, 0.5, 0.2
BATCH = 20
PEAK = 1.2e-3


class DenseHead(nn.Module):
    """(B, N, D) features -> what every patch believes of the thing it belongs to."""

    def __init__(self, width: int, num_names: int) -> None:
        super().__init__()
        self.num_names = num_names
        self.splits = [num_names + 2, 4, CELLS * CELLS, CODES_PER_MASK * NUM_CODES]
        self.linear = nn.Linear(width, sum(self.splits))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """-> kinds (B, N, C + 2), boxes (B, N, 4), cells (B, N, 49), codes (B, N, 16 * 128)."""
        kinds, boxes, cells, codes = self.linear(features).split(self.splits, -1)
        return kinds, boxes, cells, codes


def dense_loss(
    head: DenseHead, features: Tensor, batch: Batch, codes: Tensor
) -> tuple[Tensor, dict[str, float]]:
    """Sum of the four losses, and figures: accuracy and mean box error on named patches."""
    owner, kinds = batch["owner"], patch_kinds(batch, head.num_names)
    named = owner < MAX_THINGS
    kind_logits, box, cells, code_logits = head(features)
    kind_loss = F.cross_entropy(kind_logits[~named].float(), kinds[~named])
    if not named.any():
        return 0.5 * kind_loss, {}
    rows = torch.arange(len(owner))[:, None].expand_as(owner)[named]
    truth = batch["boxes"][rows, owner[named]]
    box_loss = F.smooth_l1_loss(box[named].float(), truth, beta=0.02)
    cell_loss = F.binary_cross_entropy_with_logits(
        cells[named].float(), batch["cells"][named].float()
    )
    code_logits = code_logits[named].float().unflatten(-1, (CODES_PER_MASK, NUM_CODES))
    code_loss = F.cross_entropy(code_logits.flatten(0, 1), codes[rows, owner[named]].flatten())
    loss = F.cross_entropy(kind_logits[named].float(), kinds[named]) + 0.5 * kind_loss
    loss = loss + BOX_WEIGHT * box_loss + CELL_WEIGHT * cell_loss + CODE_WEIGHT * code_loss
    figures = {
        "accuracy": (kind_logits[named].argmax(-1) == kinds[named]).float().mean().item(),
        "box_error": (box[named].float() - truth).abs().mean().item(),
        "cells": cell_loss.item(),
        "code_nll": code_loss.item(),
    }
    return loss, figures


def patch_kinds(batch: Batch, num_names: int) -> Tensor:
    """(B, N) int64: the name a patch belongs to, C for the ground, C + 1 for something else."""
    ground = torch.tensor([num_names, num_names + 1]).expand(len(batch["names"]), 2)
    return torch.cat([batch["names"], ground], 1).gather(1, batch["owner"])


@torch.no_grad()
def mask_codes(vae: MaskVQVAE, batch: Batch) -> Tensor:
    """(B, T, 64, 64) masks -> (B, T, 16) int64, 0 where there is no thing."""
    there = batch["names"] >= 0
    codes = torch.zeros(*there.shape, CODES_PER_MASK, dtype=torch.int64)
    if there.any():
        codes[there] = vae.encode(batch["masks"][there][:, None].float().div(127.5).sub(1))
    return codes


def average(total: dict[str, float], new: dict[str, float], keep: float = 0.98) -> dict[str, float]:
    """Running means of figures, so that a report is not one batch's luck."""
    return total | {k: keep * total.get(k, v) + (1 - keep) * v for k, v in new.items()}


class VisionStep:
    """One update of tower and head."""

    def __init__(self, tower: nn.Module, head: DenseHead, vae: MaskVQVAE, stage: Stage):
        self.tower, self.head, self.vae, self.stage = tower, head, vae, stage
        self.figures: dict[str, float] = {}
        self.data: Iterator[Batch] = iter(())

    def __call__(self, progress: float) -> dict[str, float]:
        batch = next(self.data)
        with torch.autocast("cpu", torch.bfloat16):
            features = self.tower(pixel_values=to_pixels(batch)).last_hidden_state
            loss, figures = dense_loss(self.head, features, batch, mask_codes(self.vae, batch))
        update(self.stage, [*self.tower.parameters(), *self.head.parameters()], loss)
        self.figures = average(self.figures, figures | {"loss": loss.item()})
        return self.figures


def train_vision(
    folder: Path,
    tower: nn.Module,
    vae: MaskVQVAE,
    recipe: Recipe,
    *,
    minutes: float,
    seed: int,
    name: str = "vision",
    peak: float = PEAK,
    workers: int = 1,
) -> DenseHead:
    """Train the tower in place for `minutes` (or go on) -> the head, wanted by the joint stage."""
    width = next(p for n, p in tower.named_parameters() if "position_embedding" in n).shape[1]
    head = DenseHead(width, recipe.num_names)
    trained = nn.ModuleDict({"tower": tower, "head": head})
    stage = Stage(folder, name, minutes, trained, adamw([([*trained.parameters()], peak)], 0.03))
    step = VisionStep(tower, head, vae, stage)
    if stage.progress < 1:
        stream = SceneStream(recipe, seed, start=stage.steps)
        step.data = batches(stream, BATCH, workers=workers)
        stage.run(step)
    return head
