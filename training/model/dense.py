"""Dense labels: what every patch is asked about the thing it belongs to, by a throw-away head.

Its name, box and sub-mask, the codes and the coarse shape of its whole mask, and how it is turned.
Where on its own sprite a patch lies is the label that matters most: it can be read off the patch
itself, and without it neither mirroring nor angle was learned at all. B pictures, N patches, T
things, C names, F patches that belong to a named thing.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gemma_vision.synthetic.atlas import load_atlas
from postprocess.tokens import CODES_PER_MASK, MASK_SIDE, NUM_CODES
from postprocess.vqvae import MaskVQVAE
from training.data.samples import CELLS, Batch
from training.data.sampling import MAX_THINGS
from training.model.mask_vae import mask_iou

SHAPE = 16  # points along a box at which the whole mask is asked for
WEIGHTS = {
    "kind": 1.0,
    "ground": 0.5,
    "box": 10.0,
    "cells": 0.5,
    "codes": 0.2,
    "shape": 1.0,
    "spot": 4.0,
    "angle": 3.0,
    "mirror": 0.3,
    "sprite": 0.3,
}
NEAR_BOX, NEAR_POSE = 0.02, 0.05  # where a smooth error turns from squared to linear


@dataclass(frozen=True)
class DensePredictions:
    """What patches believe: kinds (..., C + 2), boxes (..., 4), cells (..., 49) logits, codes
    (..., 16 * 128), turns (..., 2) angle and a logit of being mirrored, spots (..., 2), sprites
    (..., S), shapes (..., 256) logits."""

    kinds: Tensor
    boxes: Tensor
    cells: Tensor
    codes: Tensor
    turns: Tensor
    spots: Tensor
    sprites: Tensor
    shapes: Tensor


class DenseHead(nn.Module):
    """(..., D) features or projected image tokens -> what they believe. It is not exported."""

    def __init__(self, width: int, num_names: int, num_sprites: int | None = None) -> None:
        super().__init__()
        self.num_names = num_names
        num_codes = CODES_PER_MASK * NUM_CODES
        num_sprites = len(load_atlas().images) if num_sprites is None else num_sprites
        self.splits = [num_names + 2, 4, CELLS * CELLS, num_codes, 2, 2, num_sprites]
        self.linear = nn.Linear(width, sum(self.splits))
        self.shape = nn.Sequential(  # shapes of many names in many poses are no linear matter
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, SHAPE * SHAPE)
        )

    def kinds(self, features: Tensor) -> Tensor:
        """(..., D) -> (..., C + 2): the kinds alone, all that the ground is asked."""
        count = self.splits[0]
        return F.linear(features, self.linear.weight[:count], self.linear.bias[:count]).float()

    def forward(self, features: Tensor) -> DensePredictions:
        parts = [part.float() for part in self.linear(features).split(self.splits, -1)]
        kinds, boxes, cells, codes, turns, spots, sprites = parts
        shapes = self.shape(features).float()
        return DensePredictions(kinds, boxes, cells, codes, turns, spots, sprites, shapes)


def dense_loss(
    head: DenseHead, features: Tensor, batch: Batch, codes: Tensor
) -> tuple[Tensor, dict[str, float]]:
    """Features (B, N, D) against a batch and the codes (B, T, 16) of its masks -> loss, figures."""
    owner, kinds = batch["owner"], patch_kinds(batch, head.num_names)
    named = owner < MAX_THINGS
    ground = F.cross_entropy(head.kinds(features[~named]), kinds[~named])
    if not named.any():
        return WEIGHTS["ground"] * ground, {}
    believed, truth = head(features[named]), _truth(batch, codes, named)
    truth["kind"] = kinds[named]
    losses = _losses(believed, truth) | {"ground": ground}
    loss = torch.stack([WEIGHTS[key] * value for key, value in losses.items()]).sum()
    return loss, _figures(believed, truth, losses)


def _truth(batch: Batch, codes: Tensor, named: Tensor) -> dict[str, Tensor]:
    """What is true of the thing that each of the F named patches belongs to."""
    owner = batch["owner"]
    rows = torch.arange(len(owner), device=owner.device)[:, None].expand_as(owner)[named]
    place = (rows, owner[named])
    coarse = F.avg_pool2d(batch["masks"].float().div(255), MASK_SIDE // SHAPE)
    return {
        "box": batch["boxes"][place],
        "cells": batch["cells"][named].float(),
        "codes": codes[place],
        "turn": batch["turns"][place],
        "spot": batch["spots"][named],
        "sprite": batch["sprites"][place],
        "shape": coarse[place].flatten(1),
    }


def _losses(believed: DensePredictions, truth: dict[str, Tensor]) -> dict[str, Tensor]:
    codes = believed.codes.reshape(-1, NUM_CODES)  # (F * 16, 128)
    angle, is_mirrored = believed.turns.unbind(1)
    binary = F.binary_cross_entropy_with_logits
    return {
        "kind": F.cross_entropy(believed.kinds, truth["kind"]),
        "box": F.smooth_l1_loss(believed.boxes, truth["box"], beta=NEAR_BOX),
        "cells": binary(believed.cells, truth["cells"]),
        "codes": F.cross_entropy(codes, truth["codes"].flatten()),
        "shape": binary(believed.shapes, truth["shape"]),
        "spot": F.smooth_l1_loss(believed.spots, truth["spot"], beta=NEAR_POSE),
        "angle": F.smooth_l1_loss(angle, truth["turn"][:, 0], beta=NEAR_POSE),
        "mirror": binary(is_mirrored, truth["turn"][:, 1]),
        "sprite": _known_cross_entropy(believed.sprites, truth["sprite"]),
    }


def _known_cross_entropy(logits: Tensor, truth: Tensor) -> Tensor:
    """Mean over the (F,) targets that are known, not -1; 0 where none is."""
    total = F.cross_entropy(logits, truth, ignore_index=-1, reduction="sum")
    return total / (truth >= 0).sum().clamp(min=1)


@torch.no_grad()
def _figures(
    believed: DensePredictions, truth: dict[str, Tensor], losses: dict[str, Tensor]
) -> dict[str, float]:
    """Shares of patches that are right, mean errors (angles in degrees), the IoU of shapes."""
    angle = believed.turns[:, 0] - truth["turn"][:, 0]
    is_right = (believed.turns[:, 1] > 0) == (truth["turn"][:, 1] > 0.5)
    figures = {
        "accuracy": (believed.kinds.argmax(1) == truth["kind"]).float(),
        "box_error": (believed.boxes - truth["box"]).abs(),
        "cells": losses["cells"],
        "code_nll": losses["codes"],
        "shape_iou": mask_iou(believed.shapes > 0, truth["shape"] > 0.5),
        "spot_error": (believed.spots - truth["spot"]).abs(),
        "angle_error": angle.abs().rad2deg(),
        "mirror": is_right.float(),
    }
    return {key: value.mean().item() for key, value in figures.items()}


def patch_kinds(batch: Batch, num_names: int) -> Tensor:
    """(B, N) int64: the name a patch belongs to, C for the ground, C + 1 for something else."""
    names = batch["names"]
    ground = torch.tensor([num_names, num_names + 1], device=names.device).expand(len(names), 2)
    return torch.cat([names, ground], 1).gather(1, batch["owner"])


@torch.no_grad()
def mask_codes(vae: MaskVQVAE, batch: Batch) -> Tensor:
    """(B, T, 64, 64) masks -> (B, T, 16) int64, 0 where there is no thing."""
    exists = batch["names"] >= 0
    codes = torch.zeros(*exists.shape, CODES_PER_MASK, dtype=torch.int64, device=exists.device)
    if exists.any():
        codes[exists] = vae.encode(batch["masks"][exists][:, None].float().div(127.5).sub(1))
    return codes
