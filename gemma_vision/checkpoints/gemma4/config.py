"""Gemma 4's config.json read into sizes, in both of its forms.

Published files say `global_head_dim` and `num_global_key_value_heads`, files saved since say the
same in `per_layer_config`. Defaults are those of the configuration classes in transformers; the
published files rely on hardly any of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gemma_vision.checkpoints.config_checks import fill, read_part, read_whole
from gemma_vision.checkpoints.config_defaults import TANH
from gemma_vision.checkpoints.gemma4.checks import check_keys, check_sizes
from gemma_vision.errors import CheckpointError
from gemma_vision.model.config import (
    FULL,
    SLIDING,
    ExpertsConfig,
    LayerConfig,
    LayeredTextConfig,
    ModelConfig,
    PatchVisionConfig,
    Rope,
)

Values = Mapping[str, Any]

MODEL_TYPE = "gemma4"
PLACEHOLDERS = {"image_token_id": 258_880, "video_token_id": 258_884, "audio_token_id": 258_881}
PERIOD = 6  # every sixth layer sees everything, where no list says which
GLOBAL_HEAD = 512
VISION = {
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 16,
    "num_attention_heads": 12,
    "num_key_value_heads": 12,
    "head_dim": 64,
    "patch_size": 16,
    "pooling_kernel_size": 3,
    "position_embedding_size": 10_240,
    "rms_norm_eps": 1e-6,
    "hidden_activation": TANH,
}
TEXT = {
    "vocab_size": 262_144,
    "hidden_size": 2304,
    "intermediate_size": 9216,
    "num_hidden_layers": 30,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 256,
    "rms_norm_eps": 1e-6,
    "sliding_window": 512,
    "vocab_size_per_layer_input": 262_144,
}
OTHERS = {  # models of the line that compute something else
    "gemma4_unified": "has no tower of its own (Gemma 4 12B); take E2B, E4B, 26B-A4B or 31B",
    "gemma4_assistant": "is a draft head of another checkpoint; take that checkpoint",
    "gemma4_unified_assistant": "is a draft head of another checkpoint; take that checkpoint",
    "diffusion_gemma": "writes by diffusion, which is not computed here; take a Gemma 4",
}


def is_gemma4(model_type: object) -> bool:
    """Whether a config.json is for this room: Gemma 4, or a relative that is refused in words."""
    return model_type == MODEL_TYPE or model_type in OTHERS


def parse_gemma4(values: Values, stop_ids: tuple[int, ...], dtype: str | None) -> ModelConfig:
    """Turn the object of a config.json into sizes; CheckpointError where they make no sense."""
    model_type = values.get("model_type")
    if model_type in OTHERS:
        message = f"A {model_type} model {OTHERS[str(model_type)]}."
        raise CheckpointError(f"config.json describes another model. {message}", "E_MODEL_FAMILY")
    if not values.get("vision_config"):
        message = "config.json describes a Gemma 4 without a vision_config: it sees no pictures."
        raise CheckpointError(f"{message} Take one that does.", "E_MODEL_FAMILY")
    check_keys(values)
    text = read_part(values, "text_config")
    sees_both_ways = text.get("use_bidirectional_attention") == "vision"
    placeholders = fill(PLACEHOLDERS, values)
    config = ModelConfig(
        family="gemma4" if sees_both_ways else "gemma4e",
        vision=_parse_vision(read_part(values, "vision_config")),
        text=_parse_text(text),
        image_token_id=placeholders["image_token_id"],
        placeholder_ids=tuple(placeholders[key] for key in PLACEHOLDERS),
        dtype=dtype,
        stop_ids=stop_ids,
        is_tied=values.get("tie_word_embeddings") is not False,
    )
    check_sizes(config)
    return config


def _parse_vision(vision: Values) -> PatchVisionConfig:
    sizes = fill(VISION, vision)
    return PatchVisionConfig(
        width=sizes["hidden_size"],
        num_layers=sizes["num_hidden_layers"],
        num_heads=sizes["num_attention_heads"],
        head_width=sizes["head_dim"],
        mlp_width=sizes["intermediate_size"],
        patch_size=sizes["patch_size"],
        pooling=sizes["pooling_kernel_size"],
        num_positions=sizes["position_embedding_size"],
        theta=float((vision.get("rope_parameters") or {}).get("rope_theta", 100.0)),
        is_clipped=bool(vision.get("use_clipped_linears")),
        is_standardized=bool(vision.get("standardize")),
        eps=sizes["rms_norm_eps"],
    )


def _parse_text(text: Values) -> LayeredTextConfig:
    sizes = fill(TEXT, text)
    types = _layer_types(sizes)
    per_layer = text.get("hidden_size_per_layer_input", 256)
    cap = text.get("final_logit_softcapping")
    return LayeredTextConfig(
        kind="gemma4",
        vocab_size=sizes["vocab_size"],
        width=sizes["hidden_size"],
        num_layers=sizes["num_hidden_layers"],
        num_heads=sizes["num_attention_heads"],
        num_kv_heads=sizes["num_key_value_heads"],
        head_width=sizes["head_dim"],
        mlp_width=sizes["intermediate_size"],
        eps=sizes["rms_norm_eps"],
        query_scale=1.0,  # the norms of queries and keys scale instead
        layer_types=types,
        ropes=_ropes(text),
        window=sizes["sliding_window"],
        logit_cap=None if cap is None else float(cap),
        has_four_norms=True,
        has_qk_norm=True,
        layers=_layers(sizes, types),
        per_layer_width=int(per_layer or 0),
        per_layer_vocab_size=sizes["vocab_size_per_layer_input"] if per_layer else 0,
        experts=_experts(sizes),
    )


def _layer_types(sizes: Values) -> tuple[str, ...]:
    """Which layers look through a window; the last one never does."""
    count = int(sizes["num_hidden_layers"])
    plain = [SLIDING if (index + 1) % PERIOD else FULL for index in range(count)]
    types = list(sizes.get("layer_types") or plain)
    return (*types[:-1], FULL)


@dataclass(frozen=True)
class _Heads:
    """Head width and key heads of the layers that see everything."""

    width: int
    num_kv_heads: int

    @classmethod
    def of(cls, sizes: Values) -> _Heads:
        """From the keys of published files."""
        is_own = sizes.get("attention_k_eq_v") and sizes.get("num_global_key_value_heads")
        key = "num_global_key_value_heads" if is_own else "num_key_value_heads"
        width = sizes.get("global_head_dim") or GLOBAL_HEAD
        return cls(read_whole("global_head_dim", width), read_whole(key, sizes[key]))


def _layers(sizes: Values, types: tuple[str, ...]) -> tuple[LayerConfig, ...]:
    count, mlp_width = len(types), sizes["intermediate_size"]
    first_shared = count - int(sizes.get("num_kv_shared_layers") or 0)
    plain = _Heads(sizes["head_dim"], sizes["num_key_value_heads"])
    saved = read_part(sizes, "per_layer_config") if "per_layer_config" in sizes else None
    full = _Heads.of(sizes) if saved is None else plain
    by_layer = {str(index): row for index, row in (saved or {}).items()}
    rows = []
    for index, kind in enumerate(types):
        own = full if kind == FULL else plain
        said = by_layer.get(str(index)) or {}
        is_shared = index >= first_shared
        source = _producer(types, first_shared, kind) if is_shared else None
        is_wide = is_shared and sizes.get("use_double_wide_mlp")
        rows.append(
            LayerConfig(
                head_width=read_whole("head_dim", said.get("head_dim", own.width)),
                num_kv_heads=read_whole(
                    "num_key_value_heads", said.get("num_key_value_heads", own.num_kv_heads)
                ),
                mlp_width=mlp_width * 2 if is_wide else mlp_width,
                has_values=not (kind == FULL and sizes.get("attention_k_eq_v")),
                source=source,
            )
        )
    return tuple(rows)


def _producer(types: tuple[str, ...], first_shared: int, kind: str) -> int:
    """The last layer of that kind with keys and values of its own."""
    own = [index for index in range(first_shared) if types[index] == kind]
    if not own:
        message = f"config.json has {kind} layers share keys that no such layer makes."
        raise CheckpointError(f"{message} Fetch it again, or correct num_kv_shared_layers.")
    return own[-1]


def _ropes(text: Values) -> dict[str, Rope]:
    given = read_part(text, "rope_parameters")
    full = {"rope_type": "proportional", "rope_theta": 1e6, "partial_rotary_factor": 0.25}
    return {
        FULL: _rope(given.get(FULL) or full),
        SLIDING: _rope(given.get(SLIDING) or {"rope_type": "default", "rope_theta": 1e4}),
    }


def _rope(given: Values) -> Rope:
    """Plain ones turn whole heads, proportional ones a share of them."""
    kind = given.get("rope_type", "default")
    share = given.get("partial_rotary_factor", 1.0) if kind == "proportional" else 1.0
    factor = given.get("factor", 1.0) if kind == "proportional" else 1.0
    numbers = (share, factor, given.get("rope_theta"))
    if kind not in ("default", "proportional") or not all(
        isinstance(number, (int, float)) and number > 0 for number in numbers
    ):
        raise CheckpointError(
            f"config.json asks for {kind!r} rotary positions ({dict(given)}); default and "
            "proportional ones are known. Take another checkpoint, or run it with transformers."
        )
    return Rope(theta=float(given["rope_theta"]), factor=float(factor), share=float(share))


def _experts(sizes: Values) -> ExpertsConfig | None:
    if not sizes.get("enable_moe_block"):
        return None
    keys = ("num_experts", "top_k_experts", "moe_intermediate_size")
    return ExpertsConfig(*(read_whole(key, sizes.get(key)) for key in keys))
