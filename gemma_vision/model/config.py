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
class PatchVisionConfig:
    """Sizes of a tower that takes a picture as a grid of patches, which keeps the picture's shape.

    pooling: so many patches a side become one soft token. num_positions: patches that a side may
    have. is_clipped: every matrix has bounds for what goes in and out. is_standardized: what was
    pooled has a bias and a scale of its own.
    """

    width: int
    num_layers: int
    num_heads: int
    head_width: int
    mlp_width: int
    patch_size: int
    pooling: int
    num_positions: int
    theta: float
    is_clipped: bool
    is_standardized: bool
    eps: float = 1e-6

    @property
    def unit(self) -> int:
        """Pixels along one side of a soft token."""
        return self.patch_size * self.pooling


@dataclass(frozen=True)
class Rope:
    """Rotary positions: base `theta`, and the linear `factor` that stretches them.

    share: the part of each head that turns; the rest of it knows no position.
    """

    theta: float = 10_000.0
    factor: float = 1.0
    share: float = 1.0


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
class LayerConfig:
    """What one layer of a decoder has whose layers differ.

    has_values: False where values are the keys, before these are scaled and turned. source: the
    layer whose keys and values it looks at instead of its own.
    """

    head_width: int
    num_kv_heads: int
    mlp_width: int
    has_values: bool = True
    source: int | None = None


@dataclass(frozen=True)
class ExpertsConfig:
    """Of `count` small MLPs beside the large one each position takes the best `num_used`."""

    count: int
    num_used: int
    width: int


@dataclass(frozen=True)
class LayeredTextConfig(TextConfig):
    """A decoder whose layers differ, a row of `layers` for each.

    per_layer_width: numbers that every layer is told of each word beside the stream, from a table
    of `per_layer_vocab_size` rows; 0 is none.
    """

    layers: tuple[LayerConfig, ...] = ()
    per_layer_width: int = 0
    per_layer_vocab_size: int = 0
    experts: ExpertsConfig | None = None

    @property
    def num_producers(self) -> int:
        """Layers with keys and values of their own; those after them look at theirs."""
        return sum(layer.source is None for layer in self.layers)


@dataclass(frozen=True)
class ModelConfig:
    """One checkpoint; `family` names its rows in architecture.py and requests/prompts.py."""

    family: str
    vision: VisionConfig | PatchVisionConfig
    text: TextConfig
    image_token_id: int
    dtype: str | None = None  # how the file says its numbers are stored
    stop_ids: tuple[int, ...] = ()
    is_tied: bool = True  # the embedding serves as head where the file has no other
    placeholder_ids: tuple[int, ...] = ()  # read as padding wherever they stand, in answers too

    @property
    def side(self) -> int | None:
        """Pixels a side of every picture; None where pictures keep their shape."""
        return self.vision.image_size if isinstance(self.vision, VisionConfig) else None

    @property
    def square(self) -> VisionConfig:
        """The tower's sizes, of a family that squeezes every picture to one square."""
        assert isinstance(self.vision, VisionConfig), f"{self.family} knows no square"
        return self.vision
