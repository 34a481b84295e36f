"""Config: a checkpoint's config.json read into sizes.

Where a key is absent, the value is that of config_defaults.py, a row for each kind of file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gemma_vision.checkpoints.bounds.json_text import MalformedJson, read_json_file
from gemma_vision.checkpoints.bounds.malformed import as_checkpoint_error
from gemma_vision.checkpoints.bounds.notes import check_notes
from gemma_vision.checkpoints.config_checks import check_keys, check_sizes, fill, read_part
from gemma_vision.checkpoints.config_defaults import CONFIG_KINDS, SIGLIP, ConfigKind
from gemma_vision.checkpoints.file_names import ADAPTER_CONFIG, ADAPTER_WEIGHTS, NOTES, name_of
from gemma_vision.checkpoints.foreign_formats import check_unpacked
from gemma_vision.checkpoints.gemma4.config import is_gemma4, parse_gemma4
from gemma_vision.errors import CheckpointError
from gemma_vision.model.config import FULL, SLIDING, ModelConfig, Rope, TextConfig, VisionConfig

Values = Mapping[str, Any]

MAX_STOPS = 64  # tokens that end an answer


def read_config(folder: Path) -> ModelConfig:
    """Read the sizes of the checkpoint in a folder; CheckpointError where they make no sense."""
    values = read_json(folder / "config.json")
    if values is None and (folder / ADAPTER_WEIGHTS).is_file():
        raise CheckpointError(
            f"{name_of(folder)} has {ADAPTER_WEIGHTS} and no {ADAPTER_CONFIG}: an adapter of which "
            "half is missing. Fetch or save it again.",
            "E_CHECKPOINT_INCOMPLETE",
        )
    if values is None:
        inner = sorted(path.parent.name for path in folder.glob("*/config.json"))
        hint = f" (it has some in {inner[0]})" if inner else ""
        raise CheckpointError(
            f"{name_of(folder)} has no config.json{hint}. "
            "Name the folder of a PaliGemma, Gemma 3 or Gemma 4 checkpoint."
        )
    generation = read_json(folder / "generation_config.json")
    with as_checkpoint_error("config.json"):
        check_unpacked(values, folder)
        return parse_config(values, stop_ids=_stop_ids(values, generation))


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file, or None where there is no file."""
    if not path.is_file():
        return None
    try:
        values = read_json_file(path)
    except (MalformedJson, OSError) as error:
        raise CheckpointError(
            f"{path.name} is not JSON ({error}). Fetch the checkpoint again."
        ) from error
    if not isinstance(values, dict):
        raise CheckpointError(f"{path.name} holds no JSON object. Fetch the checkpoint again.")
    return values


def read_notes(folder: Path) -> dict[str, Any]:
    """What a checkpoint says of itself, nothing where it has no notes; CheckpointError where an
    entry would be misread.
    """
    return check_notes(read_json(folder / NOTES) or {})


def parse_config(values: Values, stop_ids: tuple[int, ...] = (1,)) -> ModelConfig:
    """Turn the object of a config.json into sizes."""
    model_type = values.get("model_type")
    if is_gemma4(model_type):
        return parse_gemma4(values, stop_ids, _dtype(values))
    text = read_part(values, "text_config")
    kind = _find_kind(model_type, text)
    check_keys(values, kind)
    config = ModelConfig(
        family=kind.family,
        vision=_parse_vision(values, kind),
        text=_parse_text(text, kind),
        image_token_id=_image_token_id(values, kind),
        dtype=_dtype(values),
        stop_ids=stop_ids,
        is_tied=values.get("tie_word_embeddings") is not False,
    )
    check_sizes(config)
    return config


def _find_kind(model_type: object, text: Values) -> ConfigKind:
    text_type = text.get("model_type")
    for kind in CONFIG_KINDS:
        if model_type == kind.model_type and text_type in (None, kind.text_type):
            return kind
    named = f" with {text_type!r} text" if text_type else ""
    raise CheckpointError(
        f"config.json describes a {model_type!r} model{named}; "
        "PaliGemma, PaliGemma 2, Gemma 3 and Gemma 4 with vision are understood.",
        "E_MODEL_FAMILY",
    )


def _parse_vision(values: Values, kind: ConfigKind) -> VisionConfig:
    sizes = fill(SIGLIP, read_part(values, "vision_config"))
    num_patches = (sizes["image_size"] // sizes["patch_size"]) ** 2
    pooled = values.get(kind.tokens_key, kind.default_tokens) if kind.tokens_key else num_patches
    return VisionConfig(
        width=sizes["hidden_size"],
        num_layers=sizes["num_hidden_layers"],
        num_heads=sizes["num_attention_heads"],
        mlp_width=sizes["intermediate_size"],
        image_size=sizes["image_size"],
        patch_size=sizes["patch_size"],
        num_soft_tokens=pooled,
        eps=sizes["layer_norm_eps"],
    )


def _parse_text(text: Values, kind: ConfigKind) -> TextConfig:
    sizes = fill(kind.defaults, text)
    has_window = kind.window_period is not None
    return TextConfig(
        kind=kind.text_kind,
        vocab_size=sizes["vocab_size"],
        width=sizes["hidden_size"],
        num_layers=sizes["num_hidden_layers"],
        num_heads=sizes["num_attention_heads"],
        num_kv_heads=sizes["num_key_value_heads"],
        head_width=sizes["head_dim"],
        mlp_width=sizes["intermediate_size"],
        eps=sizes["rms_norm_eps"],
        query_scale=sizes[kind.scale] ** -0.5,
        layer_types=_layer_types(sizes, kind),
        ropes=_ropes(sizes, kind),
        window=text.get("sliding_window", sizes["sliding_window"]) if has_window else None,
        # A null cap in the file switches the cap off, an absent one keeps the default of the class;
        # a kind that does not know a cap ignores its key altogether.
        attention_cap=_cap(text, kind, "attn_logit_softcapping"),
        logit_cap=_cap(text, kind, "final_logit_softcapping"),
        has_four_norms=kind.has_four_norms,
        has_qk_norm=kind.has_qk_norm,
    )


def _layer_types(sizes: Values, kind: ConfigKind) -> tuple[str, ...]:
    """Which layers look through a window: none, or all but one of so many."""
    count = int(sizes["num_hidden_layers"])
    if kind.window_period is None:
        return (FULL,) * count
    if "layer_types" in sizes:
        return tuple(sizes["layer_types"])
    period = int(sizes.get(kind.window_key, kind.window_period))
    return tuple(SLIDING if (i + 1) % period else FULL for i in range(count))


def _ropes(sizes: Values, kind: ConfigKind) -> dict[str, Rope]:
    """Old files write rope_theta and rope_scaling side by side, new ones rope_parameters."""
    new = sizes.get("rope_parameters") or {}
    scaling = sizes.get("rope_scaling") or {}
    theta = sizes.get("rope_theta", kind.theta)
    if kind.local_theta is None:
        rope = _rope(new, theta, scaling)
        return {FULL: rope, SLIDING: rope}
    local = sizes.get("rope_local_base_freq", kind.local_theta)
    return {
        FULL: _rope(new.get(FULL) or {}, theta, scaling),
        SLIDING: _rope(new.get(SLIDING) or {}, local, {}),
    }


def _rope(new: Values, theta: float, scaling: Values) -> Rope:
    both = {**new, **scaling}
    kind = both.get("rope_type", both.get("type", "default"))
    factor = both.get("factor", 1.0) if kind == "linear" else 1.0
    is_plain = kind in ("default", "linear") and both.get("partial_rotary_factor", 1.0) == 1.0
    is_one = not any(isinstance(value, Mapping) for value in both.values())  # for all layers
    if not (is_plain and is_one and isinstance(factor, (int, float)) and factor > 0):
        raise CheckpointError(
            f"config.json asks for {kind!r} rotary positions ({dict(both)}); linear ones over "
            "whole heads are known. Take another checkpoint, or run this one with transformers."
        )
    return Rope(theta=float(both.get("rope_theta", theta)), factor=float(factor))


def _cap(text: Values, kind: ConfigKind, key: str) -> float | None:
    value = text.get(key, kind.defaults.get(key)) if key in kind.caps else None
    return None if value is None else float(value)


def _image_token_id(values: Values, kind: ConfigKind) -> int:
    return int(values.get("image_token_index", values.get("image_token_id", kind.image_token_id)))


def _dtype(values: Values) -> str | None:
    dtype = values.get("dtype") or values.get("torch_dtype")
    return str(dtype).removeprefix("torch.") if dtype else None


def _stop_ids(values: Values, generation: Values | None) -> tuple[int, ...]:
    """End tokens: generation_config.json first, then config.json, then its text part, then 1."""
    places = (generation or {}, values, read_part(values, "text_config"))
    found = next((p["eos_token_id"] for p in places if p.get("eos_token_id") is not None), 1)
    ids = found if isinstance(found, list) else [found]
    if len(ids) > MAX_STOPS or not all(isinstance(one, int) for one in ids):
        message = f"eos_token_id is {str(found)[:80]}; a few whole numbers are wanted. Correct it."
        raise CheckpointError(message)
    return tuple(ids)
