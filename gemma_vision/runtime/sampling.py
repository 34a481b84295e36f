"""Sampling: logits to a token, and how sure the model was of it. B rows, V vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor

from postprocess.tokens import NUM_BINS

REACH = 10  # bins on either side of the chosen one that count as the same place
COLDEST = 1e-3  # logits divided by less than that leave the range of float32


@dataclass(frozen=True)
class Positions:
    """Where the position tokens lie in the vocabulary: `first` .. `first` + 1023."""

    first: int

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> Positions | None:
        """The position tokens of a tokenizer; None where it has none in one run."""
        first = tokenizer.token_to_id("<loc0000>")
        last = tokenizer.token_to_id(f"<loc{NUM_BINS - 1:04d}>")
        if first is None or last is None or last - first != NUM_BINS - 1:
            return None
        return cls(first)

    def __contains__(self, token: int) -> bool:
        return self.first <= token < self.first + NUM_BINS


def sample(
    logits: Tensor, temperatures: Sequence[float], generators: Sequence[torch.Generator]
) -> list[int]:
    """One token per row: the likeliest at temperature 0, else drawn.   (B, V) -> B ids

    Each row draws from its own generator on the CPU, so that a seed gives the same answer alone
    and in a batch.
    """
    is_at_hand = logits.device.type == "cpu" and logits.dtype == torch.float32
    best: list[int] = (logits.numpy() if is_at_hand else logits).argmax(-1).tolist()
    for row, temperature in enumerate(temperatures):
        if temperature > 0:
            chances = (logits[row].float() / max(temperature, COLDEST)).softmax(-1).cpu()
            best[row] = int(torch.multinomial(chances, 1, generator=generators[row]))
    return best


def score(logits: Tensor, tokens: Sequence[int], places: Positions | None) -> list[float]:
    """How sure the model was of each row's token, 0 to 1.   (B, V), B ids -> B scores

    A position counts with its neighbours: the softmax over the 1024 position tokens, summed over
    the ten bins on either side of the chosen one. Any other token counts by its probability. The
    temperature plays no part.
    """
    if len(tokens) == 1:
        return [one_score(logits[0], tokens[0], places)]
    scores = [0.0] * len(tokens)
    located = [row for row, token in enumerate(tokens) if places is not None and token in places]
    if places is not None and located:
        run = slice(places.first, places.first + NUM_BINS)
        bins = logits[:, run] if len(located) == len(tokens) else logits[located, run]
        chosen = [tokens[row] - places.first for row in located]
        for row, sure in zip(located, score_positions(bins, chosen), strict=True):
            scores[row] = sure
    for row in {*range(len(tokens))}.difference(located):
        scores[row] = one_score(logits[row], tokens[row], None)
    return scores


def score_positions(bins: Tensor, chosen: Sequence[int]) -> list[float]:
    """The part of each row's softmax that lies around its bin.   (B, 1024), B bins -> B scores"""
    sums = F.pad(bins.float().softmax(-1).cumsum(-1), (1, 0))
    at = torch.tensor(chosen, device=bins.device)
    edges = torch.stack([(at + REACH + 1).clamp(max=NUM_BINS), (at - REACH).clamp(min=0)], -1)
    high, low = sums.gather(-1, edges).unbind(-1)
    found: list[float] = (high - low).clamp(0.0, 1.0).tolist()
    return found


def one_score(logits: Tensor, token: int, places: Positions | None) -> float:
    """(V,) -> the score of one token"""
    low, high = token, token + 1
    if places is not None and token in places:
        logits, at = logits.narrow(0, places.first, NUM_BINS), token - places.first
        low, high = max(0, at - REACH), min(at + REACH + 1, NUM_BINS)
    values = logits.float().cpu().numpy()
    chances = np.exp(values - values.max())  # in three calls, which NumPy makes sooner
    return min(float(chances[low:high].sum() / chances.sum()), 1.0)
