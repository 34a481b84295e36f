"""Config checks: keys of config.json that would make another model than the one computed here.

Each is compared with transformers: a value that changes what it computes is refused while loading,
one that it ignores too is ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gemma_vision.checkpoints.config_defaults import COMMON_KEYS, ConfigKind
from gemma_vision.errors import CheckpointError
from gemma_vision.model.config import FULL, SLIDING, ModelConfig


def check_keys(values: Mapping[str, Any], kind: ConfigKind) -> None:
    """Refuse a config.json that asks for something else than is computed: CheckpointError."""
    for row in (*COMMON_KEYS, *kind.plain_keys):
        part = (values.get(row.part) or {}) if row.part else values
        value = part.get(row.key)
        if value is not None and value not in row.plain:
            where = f" in its {row.part}" if row.part else ""
            raise CheckpointError(
                f"config.json has {row.key} {value!r}{where}; {row.plain[0]!r} is what is computed "
                "here. Take another checkpoint, or run this one with transformers."
            )


def check_sizes(config: ModelConfig) -> None:
    """Refuse sizes that contradict each other, each in words: CheckpointError."""
    vision, text = config.vision, config.text
    side = round(vision.num_soft_tokens**0.5)
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
            side * side - vision.num_soft_tokens or vision.grid % side
        ),
    }
    wrong = [claim for claim, excess in claims.items() if excess]
    if wrong:
        raise CheckpointError(f"config.json contradicts itself: {'; '.join(wrong)}.")


def _is_whole(size: object) -> bool:
    return isinstance(size, int) and not isinstance(size, bool) and size > 0
