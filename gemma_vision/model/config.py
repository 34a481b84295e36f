"""Config: what the parts of a checkpoint measure. Knows nothing of files or tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FULL = "full_attention"
SLIDING = "sliding_attention"


@dataclass(frozen=True)
class VisionConfig:
    """Sizes of the SigLIP tower; pictures are `image_size` pixels a side.

    num_soft_tokens: what every picture becomes in the decoder.
    """

    width: int
    num_layers: int
    num_heads: int
    mlp_width: int
    image_size: int
    patch_size: int
    num_soft_tokens: int
    eps: float = 1e-6

    @property
    def grid(self) -> int:
        """Patches along one side."""
        return self.image_size // self.patch_size

    @property
    def num_patches(self) -> int:
        return self.grid * self.grid


@dataclass(frozen=True)
class Rope:
    """Rotary positions: base `theta`, and the linear `factor` that stretches them."""

    theta: float = 10_000.0
    factor: float = 1.0


@dataclass(frozen=True)
class TextConfig:
    """Sizes and rules of a Gemma decoder; `kind` is its name in transformers."""

    kind: str
    vocab_size: int
    width: int
    num_layers: int
    num_heads: int
    num_kv_heads: int
    head_width: int
    mlp_width: int
    eps: float
    query_scale: float
    layer_types: tuple[str, ...]
    ropes: Mapping[str, Rope]
    window: int | None = None
    attention_cap: float | None = None
    logit_cap: float | None = None
    has_four_norms: bool = False  # after attention and MLP as well as before
    has_qk_norm: bool = False


@dataclass(frozen=True)
class ModelConfig:
    """One checkpoint; `family` names its rows in architecture.py and requests/prompts.py."""

    family: str
    vision: VisionConfig
    text: TextConfig
    image_token_id: int
    dtype: str | None = None  # how the file says its numbers are stored
    stop_ids: tuple[int, ...] = ()
    is_tied: bool = True  # the embedding serves as head where the file has no other
