"""Experts of Gemma 4 26B-A4B: each position goes through a few of many small MLPs.

R positions, W width, E experts, U used, m width of an expert.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gemma_vision.model import uninitialized_layers
from gemma_vision.model.config import ExpertsConfig, TextConfig
from gemma_vision.model.gemma4.norms import unit_rms


class Router(nn.Module):
    """Says which experts a position goes to, and what each counts. Reads the bare stream."""

    def __init__(self, config: TextConfig, experts: ExpertsConfig) -> None:
        super().__init__()
        self.eps, self.num_used = config.eps, experts.num_used
        self.proj = uninitialized_layers.Linear(config.width, experts.count, bias=False)
        self.scale = nn.Parameter(torch.ones(config.width))
        self.per_expert_scale = nn.Parameter(torch.ones(experts.count))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(R, W) -> experts (R, U) and weights (R, U); these sum to 1 before each is scaled."""
        normed = unit_rms(x, self.eps) * self.scale * x.shape[-1] ** -0.5
        chances = self.proj(normed).float().softmax(-1)
        weights, chosen = chances.topk(self.num_used, dim=-1)
        weights = weights / weights.sum(-1, keepdim=True)
        return chosen, weights * self.per_expert_scale[chosen]


class Experts(nn.Module):
    """The small MLPs, each with its gate and its widening in one matrix."""

    def __init__(self, width: int, experts: ExpertsConfig) -> None:
        super().__init__()
        count, inner = experts.count, experts.width
        self.gate_up_proj = nn.Parameter(torch.empty(count, 2 * inner, width))
        self.down_proj = nn.Parameter(torch.empty(count, width, inner))

    def forward(self, x: Tensor, chosen: Tensor, weights: Tensor) -> Tensor:
        """(R, W), (R, U), (R, U) -> (R, W): the weighted sum; experts nobody goes to stay idle."""
        out = torch.zeros_like(x)
        for expert in sorted(set(chosen.flatten().tolist())):
            rows, places = torch.where(chosen == expert)
            made = self.ask(expert, x[rows]) * weights[rows, places, None]
            out.index_add_(0, rows, made.to(out.dtype))
        return out

    def ask(self, expert: int, x: Tensor) -> Tensor:
        """One expert.   (R, W) -> (R, W)"""
        bent = gated(F.linear(x, self.gate_up_proj[expert]))
        return F.linear(bent, self.down_proj[expert])


class SplitExperts(Experts):
    """The same with a module for each matrix, so that each can be packed by itself."""

    def __init__(self, gate_up: Sequence[nn.Module], down: Sequence[nn.Module]) -> None:
        nn.Module.__init__(self)
        self.gate_up, self.down = nn.ModuleList(gate_up), nn.ModuleList(down)

    def ask(self, expert: int, x: Tensor) -> Tensor:
        """One expert.   (R, W) -> (R, W)"""
        made: Tensor = self.down[expert](gated(self.gate_up[expert](x)))
        return made


def gated(both: Tensor) -> Tensor:
    """The first half, bent, times the second.   (R, 2 m) -> (R, m)"""
    gate, up = both.chunk(2, dim=-1)
    return F.gelu(gate, approximate="tanh") * up
