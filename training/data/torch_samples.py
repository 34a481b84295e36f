"""Torch samples: composed pictures -> everything the losses ask for, on any device.

The same labels as samples.py makes for one picture at a time. B pictures of H x W pixels, T things,
N patches. Areas are averaged by matrices of weights, one for the rows and one for the columns, so
that boxes of any size need no loop.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from postprocess.tokens import MASK_SIDE
from training.data.samples import CELLS, OWNS, Batch
from training.data.sampling import MAX_THINGS, SceneRecipe
from training.data.torch_compositor import ComposedBatch


@torch.no_grad()
def to_batch(composed: ComposedBatch, recipe: SceneRecipe) -> Batch:
    """Pictures of one size -> a batch, its things in the order of their layers."""
    height, width = composed.owner.shape[1:]
    order = (~composed.is_thing).int().argsort(dim=1, stable=True)
    is_thing = composed.is_thing.gather(1, order)
    masks = composed.masks.gather(1, order[:, :, None, None].expand(-1, -1, height, width))
    masks = masks & is_thing[:, :, None, None]
    boxes, owner = boxes_of(masks), composed.owner
    dense = _dense(masks, owner, recipe.grid)
    own = composed.own.gather(1, order[..., None, None].expand_as(composed.own))
    turns = composed.turns.gather(1, order[..., None].expand_as(composed.turns))
    size = torch.tensor([height, width, height, width], device=boxes.device)
    return {
        "pixels": _squash(composed.pixels, recipe.side).permute(0, 2, 3, 1),
        "names": composed.names.gather(1, order).masked_fill(~is_thing, -1),
        "boxes": boxes / size,
        "masks": crop_masks(masks, boxes),
        "sprites": composed.sprites.gather(1, order) * is_thing,
        "turns": turns * is_thing[..., None],
        "spots": _spots(own, dense["owner"], height, width, recipe.grid),
        **dense,
    }


def boxes_of(masks: Tensor) -> Tensor:
    """(B, T, H, W) bool -> (B, T, 4) float32 y0, x0, y1, x1 in pixels; zeros where it is empty."""
    edges = []
    for lines in (masks.any(3), masks.any(2)):  # rows, columns
        place = torch.arange(lines.shape[2], device=lines.device)
        first = torch.where(lines, place, lines.shape[2]).amin(2)
        last = torch.where(lines, place + 1, 0).amax(2)
        edges.append((torch.minimum(first, last), last))
    (y0, y1), (x0, x1) = edges
    return torch.stack([y0, x0, y1, x1], 2).float()


def crop_masks(masks: Tensor, boxes: Tensor) -> Tensor:
    """Masks (B, T, H, W) bool in their boxes (B, T, 4) in pixels -> (B, T, 64, 64) uint8 0..255."""
    y0, x0, y1, x1 = boxes.unbind(2)
    shrinks = torch.minimum(y1 - y0, x1 - x0) >= MASK_SIDE
    rows = _weights(y0, y1, shrinks, masks.shape[2])
    columns = _weights(x0, x1, shrinks, masks.shape[3])
    return (255 * rows @ masks.float() @ columns.mT).round().to(torch.uint8)


def _weights(start: Tensor, end: Tensor, shrinks: Tensor, side: int) -> Tensor:
    """How much each of `side` pixels counts for each of 64 between two edges -> (B, T, 64, side).

    By area where a box shrinks, else between the two nearest pixels of the box.
    """
    pixel = torch.arange(side, device=start.device)
    step = ((end - start) / MASK_SIDE)[..., None]
    edge = start[..., None] + step * torch.arange(MASK_SIDE, device=start.device)
    area = _overlap(edge[..., None], (edge + step)[..., None], pixel)
    last = (end - 1)[..., None]
    middle = torch.minimum(torch.maximum(edge + step / 2 - 0.5, start[..., None]), last)
    nearest = (1 - (middle[..., None] - pixel).abs()).clamp(min=0)
    weights = torch.where(shrinks[..., None, None], area, nearest)
    return weights / weights.sum(-1, keepdim=True).clamp(min=1e-6)


def _overlap(start: Tensor, end: Tensor, pixel: Tensor) -> Tensor:
    """The length that an interval and a pixel share."""
    return (torch.minimum(end, pixel + 1) - torch.maximum(start, pixel)).clamp(min=0)


def _dense(masks: Tensor, owner: Tensor, grid: int) -> Batch:
    """owner (B, N) int64 and cells (B, N, 49) uint8, as samples.py defines them."""
    side = grid * CELLS
    others = (owner >= 0) & ~masks.any(1)
    ground = torch.zeros_like(others)
    covers = torch.cat([masks, ground[:, None], others[:, None]], 1).float()
    rows = _shrinking(covers.shape[2], side, owner.device)
    columns = _shrinking(covers.shape[3], side, owner.device)
    cover = rows @ covers @ columns.T  # (B, T + 2, cells, cells)
    tiles = cover.reshape(*cover.shape[:2], grid, CELLS, grid, CELLS).transpose(3, 4)
    tiles = tiles.flatten(4).flatten(2, 3)  # (B, T + 2, N, 49)
    share, best = tiles.mean(3).max(1)
    owners = torch.where(share >= OWNS, best, MAX_THINGS)
    chosen = owners[:, None, :, None].expand(-1, 1, -1, CELLS**2)
    return {"owner": owners, "cells": (tiles.gather(1, chosen)[:, 0] > 0.5).to(torch.uint8)}


def _spots(own: Tensor, owner: Tensor, height: int, width: int, grid: int) -> Tensor:
    """Maps (B, T, 2, 3) to the sprites, owners (B, N) -> (B, N, 2), 0 for the ground."""
    middle = (torch.arange(grid, device=own.device) + 0.5) / grid
    ys, xs = torch.meshgrid(middle * height - 0.5, middle * width - 0.5, indexing="ij")
    middles = torch.stack([xs.flatten(), ys.flatten(), torch.ones_like(xs).flatten()])
    spots = torch.einsum("btij,jn->btni", own, middles)
    chosen = owner.clamp(max=MAX_THINGS - 1)[:, None, :, None].expand(-1, 1, -1, 2)
    return spots.gather(1, chosen)[:, 0] * (owner < MAX_THINGS)[..., None]


def _shrinking(pixels: int, cells: int, device: torch.device) -> Tensor:
    """Weights that average `pixels` into `cells` -> (cells, pixels)."""
    edge = torch.arange(cells, device=device)[:, None] * (pixels / cells)
    return _overlap(edge, edge + pixels / cells, torch.arange(pixels, device=device)) * (
        cells / pixels
    )


def _squash(pixels: Tensor, side: int) -> Tensor:
    """(B, 3, H, W) uint8 -> (B, 3, S, S) uint8, as Pillow's bicubic does."""
    if pixels.shape[2:] == (side, side):
        return pixels
    resized = F.interpolate(
        pixels.float(), (side, side), mode="bicubic", antialias=True, align_corners=False
    )
    return resized.round().clamp(0, 255).to(torch.uint8)
