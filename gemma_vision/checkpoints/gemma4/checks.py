"""Gemma 4's config.json checked: what would make another model, and sizes that contradict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gemma_vision.checkpoints.config_checks import refuse_other_values, refuse_sizes
from gemma_vision.checkpoints.config_defaults import TANH, PlainKey
from gemma_vision.checkpoints.file_names import SINGLE
from gemma_vision.model.config import (
    FULL,
    SLIDING,
    LayeredTextConfig,
    ModelConfig,
    PatchVisionConfig,
)

PLAIN_KEYS = (
    PlainKey("", "transformers_weights", (SINGLE,)),
    PlainKey("vision_config", "model_type", ("gemma4_vision",)),
    PlainKey("vision_config", "hidden_activation", (TANH,)),
    PlainKey("vision_config", "attention_bias", (False,)),
    PlainKey("text_config", "model_type", ("gemma4_text",)),
    PlainKey("text_config", "hidden_activation", (TANH,)),
    PlainKey("text_config", "attention_bias", (False,)),
    PlainKey("text_config", "pad_token_id", (0,)),  # what stands where pictures are looked up
    PlainKey("text_config", "use_bidirectional_attention", ("vision",)),  # or null
)


def check_keys(values: Mapping[str, Any]) -> None:
    """Refuse a config.json that asks for something else than is computed: CheckpointError."""
    refuse_other_values(values, PLAIN_KEYS)
    vision = values.get("vision_config") or {}
    heads, shared = vision.get("num_attention_heads", 12), vision.get("num_key_value_heads")
    refuse_sizes({"heads of the tower share keys": shared not in (None, heads)})


def check_sizes(config: ModelConfig) -> None:
    """Refuse sizes that contradict each other, each in words: CheckpointError."""
    text, vision = config.text, config.vision
    assert isinstance(text, LayeredTextConfig) and isinstance(vision, PatchVisionConfig)
    odd_types = sorted(set(text.layer_types) - {FULL, SLIDING})
    experts = text.experts
    refuse_sizes(
        {
            "the tower's heads cannot turn by two axes": vision.head_width % 4,
            "layer_types and num_hidden_layers disagree": len(text.layers) - text.num_layers,
            "query heads are no multiple of key heads": any(
                text.num_heads % layer.num_kv_heads for layer in text.layers
            ),
            "the width of a head is odd": any(layer.head_width % 2 for layer in text.layers),
            f"layer_types has {', '.join(odd_types)}": len(odd_types),
            "more experts are used than there are": experts and experts.num_used > experts.count,
            "the table for layers is smaller than the vocabulary": (
                text.per_layer_width and text.per_layer_vocab_size < text.vocab_size
            ),
        }
    )
