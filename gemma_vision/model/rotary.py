"""Rotary attention: how queries turn by their position and look at keys.

B rows, T new and L positions in all, H query heads, K key heads, D head width.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from gemma_vision.model.config import FULL, SLIDING, Rope, TextConfig

Rotary = tuple[Tensor, Tensor]  # cosines and signed sines, each (B, T, 1, D)


def ropes_of(config: TextConfig) -> dict[str, Rope]:
    """The rotary rules that differ: one, or one per layer type."""
    full, sliding = config.ropes[FULL], config.ropes[SLIDING]
    return {FULL: full} if full == sliding else {FULL: full, SLIDING: sliding}


def rotary_table(positions: Tensor, rope: Rope, width: int, dtype: torch.dtype) -> Rotary:
    """Angles of rotary positions.   (B, T) -> two of (B, T, 1, D)

    Position p turns the pair (i, i + D / 2) by p * theta ** (-2 i / D) / factor; the first half of
    the sines is negative, so that turning is x * cos + (x with its halves swapped) * sin. Where a
    share of the head turns, it is the first pairs that do.
    """
    share = torch.arange(0, width, 2, dtype=torch.float32, device=positions.device) / width
    speed = 1.0 / (rope.theta**share) / rope.factor
    if rope.share < 1:
        speed[int(rope.share * width // 2) :] = 0
    angle = positions[..., None, None].float() * speed
    cos, sin = angle.cos(), angle.sin()
    return torch.cat([cos, cos], -1).to(dtype), torch.cat([-sin, sin], -1).to(dtype)


def apply_rotary(x: Tensor, rotary: Rotary) -> Tensor:
    """Rotary every head by its position.   (B, T, H, D) -> (B, T, H, D)"""
    cos, sin = rotary
    first, second = x.chunk(2, dim=-1)  # which `roll` swaps in three times as long
    return torch.addcmul(x * cos, torch.cat([second, first], dim=-1), sin)


def attend(
    q: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None, config: TextConfig
) -> Tensor:
    """(B, T, H, D), (B, K, L, D), (B, K, L, D), (B, 1, T, L) or None -> (B, T, H, D)

    The H / K query heads of one key head become rows of one product, (B, K, H / K * T, D), so that
    keys and values are never copied.
    """
    rows, length, heads, width = q.shape
    kv_heads = keys.shape[1]
    if length == 1:  # nothing has to change places
        folded = q.reshape(rows, kv_heads, heads // kv_heads, width)
        return attention_values(folded, keys, values, mask, config).reshape(q.shape)
    grouped = q.view(rows, length, kv_heads, -1, width).permute(0, 2, 3, 1, 4)
    folded = grouped.reshape(rows, kv_heads, -1, width)
    if mask is not None:
        mask = mask.repeat(1, 1, heads // kv_heads, 1)
    seen = attention_values(folded, keys, values, mask, config).reshape(
        rows, kv_heads, -1, length, width
    )
    return seen.permute(0, 3, 1, 2, 4).reshape(rows, length, heads, width)


def attention_values(
    q: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None, config: TextConfig
) -> Tensor:
    """Softmax of the products, capped where the checkpoint says so, times the values."""
    scale, cap = config.query_scale, config.attention_cap
    if cap is None:
        return F.scaled_dot_product_attention(q, keys, values, attn_mask=mask, scale=scale)
    scores = soft_cap(q @ keys.transpose(2, 3) * scale, cap)
    if mask is not None:
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    return scores.float().softmax(-1).to(q.dtype) @ values


def soft_cap(x: Tensor, cap: float) -> Tensor:
    """Squeeze scores into (-cap, cap); Gemma 2 does so to attention and to its logits."""
    return torch.tanh(x / cap) * cap
