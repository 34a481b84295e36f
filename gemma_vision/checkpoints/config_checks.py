"""Config checks: keys of config.json that would make another model than the one computed here.

Each is compared with transformers: a value that changes what it computes is refused while loading,
one that it ignores too is ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gemma_vision.checkpoints.file_names import SINGLE
from gemma_vision.errors import CheckpointError
from gemma_vision.model.config import FULL, SLIDING, ModelConfig

TANH = "gelu_pytorch_tanh"
EVERY = ("gemma", "gemma2", "gemma3")  # kinds of text, as in TextConfig.kind


@dataclass(frozen=True)
class PlainKey:
    """A key whose value has to be one of these, or absent. part: "" is the file's outermost."""

    part: str
    key: str
    plain: tuple[object, ...]
    kinds: tuple[str, ...] = EVERY


PLAIN_KEYS = (
    PlainKey("", "transformers_weights", (SINGLE,)),
    PlainKey("vision_config", "model_type", ("siglip_vision_model",)),
    PlainKey("vision_config", "hidden_act", (TANH,)),  # "gelu" is the exact one in a tower
    PlainKey("text_config", "attention_bias", (False,)),
    # Early Gemma files say "gelu" and were trained with its tanh form; transformers knows it too
    PlainKey("text_config", "hidden_act", (TANH, "gelu"), ("gemma",)),
    PlainKey("text_config", "hidden_activation", (TANH,)),
    # Both ways over the whole prompt, words included: what PaliGemma does and Gemma 3 does not
    PlainKey("text_config", "use_bidirectional_attention", (True,), ("gemma", "gemma2")),
    PlainKey("text_config", "use_bidirectional_attention", (False,), ("gemma3",)),
)


def check_keys(values: Mapping[str, Any], text_kind: str) -> None:
    """Refuse a config.json that asks for something else than is computed: CheckpointError."""
    for row in PLAIN_KEYS:
        part = (values.get(row.part) or {}) if row.part else values
        value = part.get(row.key)
        if text_kind in row.kinds and value is not None and value not in row.plain:
            where = f" in its {row.part}" if row.part else ""
            raise CheckpointError(
                f"config.json has {row.key} {value!r}{where}; {row.plain[0]!r} is what is computed "
                "here. Take another checkpoint, or run this one with transformers."
            )


def check_sizes(config: ModelConfig) -> None:
    """Refuse sizes that contradict each other, each in words: CheckpointError."""
    vision, text = config.vision, config.text
    side = round(config.tokens_per_image**0.5)
    odd_types = sorted(set(text.layer_types) - {FULL, SLIDING})
    has_no_window = SLIDING in text.layer_types and not _is_whole(text.window)
    claims = {
        "the picture is not a whole number of patches": vision.image_size % vision.patch_size,
        "the tower's width is no multiple of its heads": vision.width % vision.num_heads,
        "query heads are no multiple of key heads": text.num_heads % text.num_kv_heads,
        "the width of a head is odd": text.head_width % 2,
        "layer_types and num_hidden_layers disagree": len(text.layer_types) - text.num_layers,
        f"layer_types has {', '.join(odd_types)}": len(odd_types),
        f"layers slide through a window of {text.window!r}": has_no_window,
        "tokens per picture do not tile the patch grid": (
            side * side - config.tokens_per_image or vision.grid % side
        ),
    }
    wrong = [claim for claim, excess in claims.items() if excess]
    if wrong:
        raise CheckpointError(f"config.json contradicts itself: {'; '.join(wrong)}.")


def _is_whole(size: object) -> bool:
    return isinstance(size, int) and not isinstance(size, bool) and size > 0
