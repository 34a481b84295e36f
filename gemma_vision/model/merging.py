"""Merging: soft tokens have to match the places kept for them. B rows, T positions."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor


def check_counts(is_image: Tensor, soft: Sequence[Tensor]) -> None:
    """Refuse rows whose image tokens and pictures disagree; the message names both counts."""
    places = is_image.sum(-1).tolist()
    given = [one.numel() // one.shape[-1] if one.numel() else 0 for one in soft]
    if len(places) != len(given):
        raise ValueError(f"There are {len(places)} rows of ids and pictures for {len(given)}.")
    for row, (wanted, got) in enumerate(zip(places, given, strict=True)):
        if wanted != got:
            raise ValueError(
                f"Row {row} has {wanted} image tokens and {got} soft tokens "
                f"({sum(places)} and {sum(given)} in total)."
            )
