"""The tower of Gemma 4. B images of one grid, N patches, M soft tokens, D width, H heads.

A picture is a grid of (rows, columns) patches, in rows from the top left; nothing is padded.
Parameter names are those of the published checkpoints below `vision_tower.`.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gemma_vision.model import uninitialized_layers
from gemma_vision.model.config import PatchVisionConfig
from gemma_vision.model.gemma4.norms import RmsNorm, unit_rms

Grid = tuple[int, int]  # rows and columns of patches
Axes = tuple[Tensor, Tensor]  # cosines and signed sines, each (1, 1, N, D / H)


class PatchTower(nn.Module):
    """Look at pictures: (B, N, 3 P P) in [0, 1] -> (B, M, D), one feature per tile of patches."""

    std_bias: Tensor
    std_scale: Tensor

    def __init__(self, config: PatchVisionConfig) -> None:
        super().__init__()
        self.config = config
        self.patch_embedder = PatchEmbedder(config)
        self.encoder = PatchEncoder(config)
        if config.is_standardized:
            self.register_buffer("std_bias", torch.zeros(config.width))
            self.register_buffer("std_scale", torch.ones(config.width))

    def forward(self, patches: Tensor, grid: Grid) -> Tensor:
        """(B, N, 3 P P) -> (B, M, D); every picture has the same grid."""
        return self.pool(self.encoder(self.patch_embedder(patches, grid), grid), grid)

    def follow(self, patches: Tensor, grid: Grid) -> Iterator[Tensor]:
        """The patches as vectors, what each block makes of them, and last the pooled features."""
        x, axes = self.patch_embedder(patches, grid), axial_table(grid, self.config, patches)
        yield x
        for block in self.encoder.layers:
            x = block(x, axes)
            yield x
        yield self.pool(x, grid)

    def pool(self, features: Tensor, grid: Grid) -> Tensor:
        """Average tiles of patches, scale by sqrt(D), standardise.   (B, N, D) -> (B, M, D)

        The mean is rounded to the model's type before it is scaled; all else is in float32.
        """
        rows, columns = grid
        side, width = self.config.pooling, features.shape[-1]
        shape = (len(features), rows // side, side, columns // side, side, width)
        mean = features.float().reshape(shape).mean((2, 4)).flatten(1, 2).to(features.dtype)
        scaled: Tensor = mean.float() * width**0.5
        if self.config.is_standardized:
            scaled = (scaled - self.std_bias.float()) * self.std_scale.float()
        return scaled.to(features.dtype)


class PatchEmbedder(nn.Module):
    """Patches as vectors, and where in the picture each one is."""

    def __init__(self, config: PatchVisionConfig) -> None:
        super().__init__()
        self.config = config
        pixels = 3 * config.patch_size**2
        self.input_proj = uninitialized_layers.Linear(pixels, config.width, bias=False)
        self.position_embedding_table = nn.Parameter(
            torch.empty(2, config.num_positions, config.width)  # by column, by row
        )

    def forward(self, patches: Tensor, grid: Grid) -> Tensor:
        """(B, N, 3 P P) -> (B, N, D); the patches have to be those of the grid."""
        size = (grid[0] * grid[1], self.input_proj.in_features)
        if tuple(patches.shape[1:]) != size:
            raise ValueError(f"Patches are {tuple(patches.shape)}; {('B', *size)} is wanted.")
        if max(grid) > self.config.num_positions:
            raise ValueError(f"{grid} patches; {self.config.num_positions} a side are known.")
        x, y = places(grid, patches.device)
        weight = self.input_proj.weight
        embedded: Tensor = self.input_proj((2 * (patches - 0.5)).to(weight.dtype))
        columns, rows = self.position_embedding_table
        out: Tensor = embedded + columns[x] + rows[y]
        return out


class PatchEncoder(nn.Module):
    """The blocks, one after the other."""

    def __init__(self, config: PatchVisionConfig) -> None:
        super().__init__()
        self.config = config
        self.layers = nn.ModuleList(PatchBlock(config) for _ in range(config.num_layers))

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """(B, N, D) -> (B, N, D)"""
        axes = axial_table(grid, self.config, x)
        for layer in self.layers:
            x = layer(x, axes)
        return x


class PatchBlock(nn.Module):
    """Attention over all patches, then an MLP; what each gives is normalised too."""

    def __init__(self, config: PatchVisionConfig) -> None:
        super().__init__()
        width, eps = config.width, config.eps
        self.input_layernorm = RmsNorm(width, eps)
        self.self_attn = PatchAttention(config)
        self.post_attention_layernorm = RmsNorm(width, eps)
        self.pre_feedforward_layernorm = RmsNorm(width, eps)
        self.mlp = PatchMlp(config)
        self.post_feedforward_layernorm = RmsNorm(width, eps)

    def forward(self, x: Tensor, axes: Axes) -> Tensor:
        """(B, N, D) -> (B, N, D)"""
        x = x + self.post_attention_layernorm(self.self_attn(self.input_layernorm(x), axes))
        out: Tensor = x + self.post_feedforward_layernorm(
            self.mlp(self.pre_feedforward_layernorm(x))
        )
        return out


class PatchAttention(nn.Module):
    """Every patch looks at every patch; norms stand in for the scale of the scores, which is 1."""

    def __init__(self, config: PatchVisionConfig) -> None:
        super().__init__()
        self.config = config
        inner = config.num_heads * config.head_width
        self.q_proj = ClippedLinear(config.width, inner, config.is_clipped)
        self.k_proj = ClippedLinear(config.width, inner, config.is_clipped)
        self.v_proj = ClippedLinear(config.width, inner, config.is_clipped)
        self.o_proj = ClippedLinear(inner, config.width, config.is_clipped)
        self.q_norm = RmsNorm(config.head_width, config.eps)
        self.k_norm = RmsNorm(config.head_width, config.eps)

    def forward(self, x: Tensor, axes: Axes) -> Tensor:
        """(B, N, D) -> (B, N, D)"""
        q, k, v = (self._heads(project(x)) for project in (self.q_proj, self.k_proj, self.v_proj))
        q, k = turn(self.q_norm(q), axes), turn(self.k_norm(k), axes)
        seen = F.scaled_dot_product_attention(q, k, unit_rms(v, self.config.eps), scale=1.0)
        out: Tensor = self.o_proj(seen.transpose(1, 2).flatten(2))
        return out

    def _heads(self, x: Tensor) -> Tensor:
        heads = x.view(*x.shape[:2], self.config.num_heads, -1)
        return heads.transpose(1, 2)  # (B, H, N, D / H)


class PatchMlp(nn.Module):
    """A gate, bent by the tanh form of GELU, times a widened copy, narrowed."""

    def __init__(self, config: PatchVisionConfig) -> None:
        super().__init__()
        width, inner, is_clipped = config.width, config.mlp_width, config.is_clipped
        self.gate_proj = ClippedLinear(width, inner, is_clipped)
        self.up_proj = ClippedLinear(width, inner, is_clipped)
        self.down_proj = ClippedLinear(inner, width, is_clipped)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, D) -> (B, N, D)"""
        gate = F.gelu(self.gate_proj(x), approximate="tanh")
        out: Tensor = self.down_proj(gate * self.up_proj(x))
        return out


class ClippedLinear(nn.Module):
    """A linear map, with bounds for what goes in and what comes out where the file has them."""

    input_min: Tensor
    input_max: Tensor
    output_min: Tensor
    output_max: Tensor

    def __init__(self, width_in: int, width_out: int, is_clipped: bool) -> None:
        super().__init__()
        self.linear = uninitialized_layers.Linear(width_in, width_out, bias=False)
        self.is_clipped = is_clipped
        if is_clipped:
            for name in ("input_min", "input_max", "output_min", "output_max"):
                bound = float("-inf" if name.endswith("min") else "inf")
                self.register_buffer(name, torch.tensor(bound))

    def forward(self, x: Tensor) -> Tensor:
        """(..., in) -> (..., out)"""
        if self.is_clipped:
            x = x.clamp(self.input_min, self.input_max)
        out: Tensor = self.linear(x)
        return out.clamp(self.output_min, self.output_max) if self.is_clipped else out


def places(grid: Grid, device: torch.device) -> tuple[Tensor, Tensor]:
    """Column and row of every patch.   (2, 3)  ->  0 1 2 0 1 2  and  0 0 0 1 1 1"""
    rows, columns = (torch.arange(count, device=device) for count in grid)
    return columns.repeat(len(rows)), rows.repeat_interleave(len(columns))


def axial_table(grid: Grid, config: PatchVisionConfig, like: Tensor) -> Axes:
    """Angles of a grid's patches: the first half of a head turns by column, the second by row.

    Place p turns the pair (i, i + d / 4) of its half by p * theta ** (-2 i / (d / 2)), d the width
    of a head.
    """
    half = config.head_width // 2
    share = torch.arange(0, half, 2, dtype=torch.float32, device=like.device) / half
    speed = 1.0 / (config.theta**share)
    angles = [place[:, None].float() * speed for place in places(grid, like.device)]
    cos = torch.cat([part for angle in angles for part in (angle.cos(), angle.cos())], -1)
    sin = torch.cat([part for angle in angles for part in (-angle.sin(), angle.sin())], -1)
    return cos[None, None].to(like.dtype), sin[None, None].to(like.dtype)


def turn(x: Tensor, axes: Axes) -> Tensor:
    """Turn every head by its patch's place.   (B, H, N, D / H) -> (B, H, N, D / H)"""
    cos, sin = axes
    halves = x.view(*x.shape[:-1], 2, -1)
    swapped = halves.roll(halves.shape[-1] // 2, dims=-1).flatten(-2)
    return x * cos + swapped * sin
