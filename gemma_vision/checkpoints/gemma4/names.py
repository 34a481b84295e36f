"""Tensors of a Gemma 4 file that nothing here computes with: what hears, and keys nobody reads."""

from __future__ import annotations

import re

from gemma_vision.model.config import LayeredTextConfig, ModelConfig

HEARING = re.compile(r"^(model\.)?(audio_tower|embed_audio)\.")
KEYS = re.compile(r"\.layers\.(\d+)\.self_attn\.[kv]_(proj|norm)\.")
TEXT = re.compile(r"^(model\.)?language_model\.")


def is_left_out(published: str, config: ModelConfig) -> bool:
    """Whether a tensor of that name is skipped while loading; any other has to be the model's.

    Left out are the tower for sound, and keys and values of layers that look at another's.
    """
    if not isinstance(config.text, LayeredTextConfig):
        return False
    found = KEYS.search(published) if TEXT.search(published) else None
    is_unread = found is not None and int(found[1]) >= config.text.num_producers
    return is_unread or HEARING.search(published) is not None
