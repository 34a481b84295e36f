"""Attention: who may look at whom during prefill. B rows, T positions.

A row is padding, then the prompt, then perhaps the beginning of an answer. Each position has a
group: positions of one group see each other both ways, -1 belongs to none and looks back only.
PaliGemma puts the whole prompt, pictures and words, into group 0; Gemma 3 gives each picture a
group of its own and leaves the words causal; so do large models of Gemma 4 in the layers that have
a window, and the small ones look back only.
"""

from __future__ import annotations

import torch
from torch import Tensor


def prefix_groups(is_image: Tensor, is_prompt: Tensor) -> Tensor:
    """Everything before the answer is one group.   (B, T), (B, T) bool -> (B, T)

    P P I I w w a a   (P padding, I picture, w word, a answer)
    0 0 0 0 0 0 -1 -1
    """
    return torch.where(is_prompt | is_image, 0, -1)


def block_groups(is_image: Tensor, is_prompt: Tensor) -> Tensor:
    """Number the runs of picture tokens.   T I I T I  ->  -1 0 0 -1 1   (B, T), (B, T) -> (B, T)"""
    starts = is_image & ~torch.nn.functional.pad(is_image, (1, 0))[:, :-1]
    return torch.where(is_image, starts.cumsum(-1) - 1, -1)


def no_groups(is_image: Tensor, is_prompt: Tensor) -> Tensor:
    """Everything looks back only.   (B, T), (B, T) bool -> (B, T) of -1"""
    return torch.full_like(is_image, -1, dtype=torch.long)


def prefill_mask(
    groups: Tensor, is_real: Tensor, *, window: int | None = None, window_cuts_groups: bool = True
) -> Tensor:
    """True where a query may look at a key.   (B, T), (B, T) bool -> (B, 1, T, T) bool

    One row of two words in a prompt, one answer token, left-padded by one (groups 0 0 0 -1):

        key      P  w  w  a
        query P  1  1  1  0      padding looks at something, so that no row of softmax is empty,
        query w  0  1  1  0      and nobody looks at padding
        query w  0  1  1  0      words of the prompt see each other both ways
        query a  0  1  1  1      the answer sees what came before

    With a window of w, a query sees the last w positions, itself included. A window cuts through
    the groups of Gemma 3 but never through the prompt of PaliGemma 2.
    """
    length = groups.shape[1]
    position = torch.arange(length, device=groups.device)
    looks_back = position[None, :] <= position[:, None]  # (query, key)
    near = looks_back.new_ones(()) if window is None else _within(position, window)
    same_group = (groups[:, :, None] == groups[:, None, :]) & (groups[:, :, None] >= 0)
    if window_cuts_groups:
        allowed = (looks_back | same_group) & near
    else:
        allowed = (looks_back & near) | same_group
    allowed = allowed & is_real[:, None, :]
    itself = torch.eye(length, dtype=torch.bool, device=groups.device)
    return (allowed | (itself & ~is_real[:, :, None]))[:, None]


def extend_mask(
    is_real: Tensor | None,
    length: int,
    count: int,
    device: torch.device,
    *,
    window: int | None = None,
) -> Tensor | None:
    """True where the newest `count` of `length` positions may look, each of them back only.

    (B, L) bool, or None where no row is padded -> (B or 1, 1, count, L) bool, or None where every
    one may look anywhere, as a single position without a window does.
    """
    is_far = window is not None and window < length
    if count == 1 and not is_far:
        return None if is_real is None else is_real[:, None, None, :]
    key = torch.arange(length, device=device)
    query = key[length - count :, None]
    allowed = key <= query
    if window is not None:
        allowed = allowed & (key > query - window)
    return allowed[None, None] if is_real is None else (allowed & is_real[:, None])[:, None]


def row_mask(query: Tensor, length: int, *, window: int | None = None) -> Tensor:
    """Rows of different lengths: each new position sees its own row up to itself.

    (B, T) indices of the new positions, of `length` in all  ->  (B, 1, T, L) bool
    """
    key = torch.arange(length, device=query.device)
    allowed = key <= query[..., None]
    if window is not None:
        allowed = allowed & (key > query[..., None] - window)
    return allowed[:, None]


def positions(is_real: Tensor, first: int) -> Tensor:
    """Count real positions from `first`, padding stays at it.   (B, T) bool -> (B, T)

    P P w w w  ->  1 1 1 2 3   with first = 1
    """
    return (is_real.long().cumsum(-1) - 1).clamp(min=0) + first


def _within(position: Tensor, window: int) -> Tensor:
    return position[None, :] > position[:, None] - window
