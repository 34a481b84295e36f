"""Patch head: what every patch of a small model is asked about the thing it shows, beside answers.

Tokens tell a tower little about where a thing ends: one answer has a few numbers, a picture
hundreds of patches, each of which can say how far it is to the four sides of its thing and what
the whole thing's shape is. The head learns along and is thrown away. B images, N patches, F of
them on a thing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gemma_vision.finetuning.data.patch_labels import SHAPE, PatchLabels

BOX_WEIGHT, SHAPE_WEIGHT = 10.0, 1.0  # as in the training of the embedded checkpoint
NEAR = 0.02  # of the image's side, where a smooth error turns from squared to linear


class PatchHead(nn.Module):
    """(F, D) image tokens -> boxes (F, 4), y0, x0, y1, x1 in shares, and shapes (F, 256) logits."""

    def __init__(self, width: int, seed: int) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.box = nn.Linear(width, 4)
            self.shape = nn.Sequential(
                nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, SHAPE * SHAPE)
            )

    def loss(self, soft: Tensor, labels: Sequence[PatchLabels]) -> Tensor:
        """(B, N, D) image tokens against what is there; 0 where nothing is."""
        owners = torch.from_numpy(np.stack([one.owners for one in labels])).to(soft.device)
        on_thing = owners >= 0
        if not on_thing.any():
            return soft.new_zeros(())
        firsts = np.cumsum([0, *(len(one.boxes) for one in labels)])[:-1]
        things = (owners + torch.from_numpy(firsts).to(soft.device)[:, None])[on_thing]
        features = soft[on_thing]
        boxes = torch.from_numpy(np.concatenate([one.boxes for one in labels])).to(soft.device)
        error = F.smooth_l1_loss(self.box(features).float(), boxes[things], beta=NEAR)
        shapes = torch.from_numpy(np.concatenate([one.shapes for one in labels])).to(soft.device)
        truth = shapes[things]
        is_known = ~truth.isnan().any(1)
        if not is_known.any():
            return BOX_WEIGHT * error
        believed = self.shape(features[is_known]).float()
        binary = F.binary_cross_entropy_with_logits(believed, truth[is_known])
        return BOX_WEIGHT * error + SHAPE_WEIGHT * binary
