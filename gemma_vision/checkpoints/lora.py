"""LoRA: a fine-tune in a PEFT folder, merged into the weights of its base model.

r rank, alpha strength: W + alpha / r * B @ A, or alpha / sqrt(r) where the folder says rslora.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from gemma_vision.checkpoints.config import read_json
from gemma_vision.errors import CheckpointError

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
WRAPPER = "base_model.model."  # what PEFT writes before every name
FACTOR = re.compile(r"\.lora_([AB])(\.default)?\.weight$")
WHOLE = ".modules_to_save."  # parts that were trained whole


def base_of(folder: Path) -> str | None:
    """The model that a folder's adapter was made for; None where the folder has no adapter."""
    config = read_json(folder / CONFIG)
    if config is None:
        return None
    if not config.get("base_model_name_or_path"):
        raise CheckpointError(f"{CONFIG} does not name the model that the adapter was made for.")
    return str(config["base_model_name_or_path"])


def merge(
    tensors: dict[str, Tensor],
    folder: Path,
    given: Mapping[str, Tensor],
    rename: Callable[[str], str],
) -> None:
    """Add a folder's adapter to the weights, in place; `given` is what its file holds.

    rename turns a published name into the names of `tensors`. Raises CheckpointError for kinds
    of adapters that are not plain LoRA, and for parts that the model does not have.
    """
    config = read_json(folder / CONFIG) or {}
    check_kind(config)
    factors: dict[str, dict[str, Tensor]] = {}
    for name, tensor in given.items():
        path = name.removeprefix(WRAPPER)
        if found := FACTOR.search(path):
            factors.setdefault(FACTOR.sub(".weight", path), {})[found[1]] = tensor
        else:
            put_whole(tensors, rename(path.replace(WHOLE, ".").replace("..", ".")), tensor)
    for path, pair in factors.items():
        add(tensors, rename(path), pair, strength(config, path))


def check_kind(config: Mapping[str, Any]) -> None:
    """Only plain LoRA can be merged here."""
    odd = [key for key in ("use_dora", "fan_in_fan_out", "lora_bias") if config.get(key)]
    odd += [f"{key} {config[key]!r}" for key in ("bias",) if config.get(key, "none") != "none"]
    odd += [f"peft_type {config.get('peft_type')!r}"] * (config.get("peft_type") != "LORA")
    if odd:
        raise CheckpointError(
            f"The adapter is no plain LoRA ({', '.join(odd)}). Merge it with PEFT and load the "
            "folder that it writes.",
            "E_ADAPTER",
        )


def strength(config: Mapping[str, Any], path: str) -> float:
    """alpha / r of one matrix; patterns of the folder come before its general values."""
    module = path.removesuffix(".weight")
    rank = float(matched(config.get("rank_pattern"), module, config.get("r", 8)))
    alpha = float(matched(config.get("alpha_pattern"), module, config.get("lora_alpha", 8)))
    return alpha / rank**0.5 if config.get("use_rslora") else alpha / rank


def matched(patterns: Mapping[str, Any] | None, module: str, default: Any) -> Any:
    """The value of the first pattern that the end of a module's name matches, as PEFT does it."""
    hits: Iterator[Any] = (
        value
        for pattern, value in (patterns or {}).items()
        if re.match(rf"(.*\.)?({pattern})$", module)
    )
    return next(hits, default)


def add(tensors: dict[str, Tensor], name: str, pair: Mapping[str, Tensor], factor: float) -> None:
    """Merge one matrix, computed in float32."""
    weight = tensors.get(name)
    if weight is None or pair.keys() != {"A", "B"}:
        raise CheckpointError(
            f"The adapter changes {name}, which the model does not have or the adapter has only "
            "half of. Take the adapter's own base model.",
            "E_ADAPTER",
        )
    change = pair["B"].float() @ pair["A"].float()
    if change.shape != weight.shape:
        raise CheckpointError(
            f"The adapter's {name} is {tuple(change.shape)} instead of {tuple(weight.shape)}. "
            "Take the adapter's own base model.",
            "E_ADAPTER",
        )
    tensors[name] = (weight.float() + factor * change).to(weight.dtype)


def put_whole(tensors: dict[str, Tensor], name: str, tensor: Tensor) -> None:
    """Replace a part that was trained whole."""
    if name not in tensors:
        raise CheckpointError(
            f"The adapter holds {name}, which the model does not have.", "E_ADAPTER"
        )
    tensors[name] = tensor.to(tensors[name].dtype)
