"""The vision tower (SigLIP, without a pooling head). B images, N patches, D width, H heads.

Parameter names are those of the published checkpoints below `vision_tower.`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gemma_vision.model import uninitialized_layers
from gemma_vision.model.config import VisionConfig
from gemma_vision.model.fused.products import (
    added_product,
    bent_product,
    fuse_weights,
    product,
)


class SiglipTower(nn.Module):
    """Look at pictures: (B, 3, S, S) in [-1, 1] -> (B, N, D), one feature per patch."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.config = config
        self.embeddings = PatchEmbedding(config)
        self.encoder = Encoder(config)
        self.post_layernorm = nn.LayerNorm(config.width, eps=config.eps)
        self.fused_blocks: list[FusedBlock] = []

    def forward(self, pixels: Tensor) -> Tensor:
        """(B, 3, S, S) -> (B, N, D), patches in rows from the top left; S must be exact."""
        side = self.config.image_size
        if tuple(pixels.shape[1:]) != (3, side, side):  # 60 would pass for 56 and lose its edge
            raise ValueError(f"Pixels are {tuple(pixels.shape)}; (B, 3, {side}, {side}) is wanted.")
        x = self.embeddings(pixels)
        if not self.fused_blocks:
            out: Tensor = self.post_layernorm(self.encoder(x))
            return out
        rows = x.flatten(0, 1)
        for block in self.fused_blocks:
            rows = block(rows, self.config)
        out = self.post_layernorm(rows.view(x.shape))
        return out

    def fuse(self, *, prepacks: bool = False, each: Callable[[], None] = lambda: None) -> None:
        """Go the quick way from now on; the parameters become views of its matrices.

        prepacks: they stay as they are, and the matrices are prepacked copies. each: called after
        every block.
        """
        self.embeddings.fuse()
        blocks = []
        for block in self.encoder.layers:
            assert isinstance(block, Block)
            blocks.append(block.fused(prepacks=prepacks))
            each()
        self.fused_blocks = blocks

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> SiglipTower:
        self.fused_blocks = []  # a move gives the parameters storage of their own
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self

    def follow(self, pixels: Tensor) -> Iterator[Tensor]:
        """The patches as vectors, what each block makes of them, and last the features."""
        x = self.embeddings(pixels)
        yield x
        for block in self.encoder.layers:
            x = block(x)
            yield x
        yield self.post_layernorm(x)


class PatchEmbedding(nn.Module):
    """Cut the picture into patches and say where each one was."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        size = config.patch_size
        self.patch_embedding = uninitialized_layers.Conv2d(
            3, config.width, kernel_size=size, stride=size
        )
        self.position_embedding = uninitialized_layers.Embedding(config.num_patches, config.width)
        self.is_fused = False

    def forward(self, pixels: Tensor) -> Tensor:
        """(B, 3, S, S) -> (B, N, D)"""
        pixels = pixels.to(self.patch_embedding.weight.dtype)
        if self.is_fused:
            weight, bias = self.patch_embedding.weight, self.patch_embedding.bias
            cut = self._cut(pixels)
            rows = product(cut.flatten(0, 1), weight.flatten(1).t(), bias)
            return rows.view(*cut.shape[:2], -1).add_(self.position_embedding.weight)
        patches = self.patch_embedding(pixels)
        embedded: Tensor = patches.flatten(2).transpose(1, 2) + self.position_embedding.weight
        return embedded

    def fuse(self) -> None:
        """Patches are cut out and multiplied, which is a convolution whose steps do not overlap."""
        weight = self.patch_embedding.weight
        weight.data = weight.data.flatten(1).t().contiguous().t().view(weight.shape)
        self.is_fused = True

    def _cut(self, pixels: Tensor) -> Tensor:
        """(B, 3, S, S) -> (B, N, 3 P P)"""
        size = self.patch_embedding.kernel_size[0]
        rows, columns = pixels.shape[2] // size, pixels.shape[3] // size
        cut = pixels.reshape(-1, 3, rows, size, columns, size).permute(0, 2, 4, 1, 3, 5)
        return cut.reshape(-1, rows * columns, 3 * size * size)


class Encoder(nn.Module):
    """The blocks, one after the other."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Block(config) for _ in range(config.num_layers))

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, D) -> (B, N, D)"""
        for layer in self.layers:
            x = layer(x)
        return x


class Block(nn.Module):
    """SiglipAttention over all patches, then an MLP, each on normalised input."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.layer_norm1 = nn.LayerNorm(config.width, eps=config.eps)
        self.self_attn = SiglipAttention(config)
        self.layer_norm2 = nn.LayerNorm(config.width, eps=config.eps)
        self.mlp = SiglipMlp(config)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, D) -> (B, N, D)"""
        x = x + self.self_attn(self.layer_norm1(x))
        out: Tensor = x + self.mlp(self.layer_norm2(x))
        return out

    def fused(self, *, prepacks: bool = False) -> FusedBlock:
        """The block's weights with those side by side that read the same input."""
        seeing, mlp = self.self_attn, self.mlp
        maps = [seeing.q_proj, seeing.k_proj, seeing.v_proj]
        biases = torch.cat([one.bias.data for one in maps])
        for one, part in zip(maps, biases.chunk(len(maps)), strict=True):
            one.bias.data = part
        return FusedBlock(
            before_attention=self.layer_norm1,
            qkv=(fuse_weights(maps, prepacks=prepacks), biases),
            out=(fuse_weights([seeing.out_proj], prepacks=prepacks), seeing.out_proj.bias),
            before_mlp=self.layer_norm2,
            widen=(fuse_weights([mlp.fc1], prepacks=prepacks), mlp.fc1.bias),
            narrow=(fuse_weights([mlp.fc2], prepacks=prepacks), mlp.fc2.bias),
        )


@dataclass(frozen=True)
class FusedBlock:
    """Computes what `Block` computes, over (B N, D): residuals are added within products.

    Matrices are (in, out), plain or prepacked, each with its bias.
    """

    before_attention: nn.LayerNorm
    qkv: tuple[Tensor, Tensor]
    out: tuple[Tensor, Tensor]
    before_mlp: nn.LayerNorm
    widen: tuple[Tensor, Tensor]
    narrow: tuple[Tensor, Tensor]

    def __call__(self, x: Tensor, config: VisionConfig) -> Tensor:
        """(B N, D) -> (B N, D)"""
        qkv = product(self.before_attention(x), *self.qkv)
        by_head = qkv.view(
            -1, config.num_patches, 3, config.num_heads, config.width // config.num_heads
        )
        q, k, v = by_head.permute(2, 0, 3, 1, 4)  # (B, H, N, D / H) each
        seen = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(x.shape)
        x = added_product(x, seen, *self.out)
        bent = bent_product(self.before_mlp(x), *self.widen)
        return added_product(x, bent, *self.narrow)


class SiglipAttention(nn.Module):
    """Every patch looks at every patch; scores are scaled by (D / H) ** -0.5."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.num_heads = config.num_heads
        self.q_proj = uninitialized_layers.Linear(config.width, config.width)
        self.k_proj = uninitialized_layers.Linear(config.width, config.width)
        self.v_proj = uninitialized_layers.Linear(config.width, config.width)
        self.out_proj = uninitialized_layers.Linear(config.width, config.width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, D) -> (B, N, D)"""
        q, k, v = (self._heads(project(x)) for project in (self.q_proj, self.k_proj, self.v_proj))
        seen = F.scaled_dot_product_attention(q, k, v)
        out: Tensor = self.out_proj(seen.transpose(1, 2).flatten(2))
        return out

    def _heads(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], self.num_heads, -1).transpose(1, 2)  # (B, H, N, D / H)


class SiglipMlp(nn.Module):
    """Widen, bend (tanh form of GELU), narrow."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.fc1 = uninitialized_layers.Linear(config.width, config.mlp_width)
        self.fc2 = uninitialized_layers.Linear(config.mlp_width, config.width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, D) -> (B, N, D)"""
        out: Tensor = self.fc2(F.gelu(self.fc1(x), approximate="tanh"))
        return out
