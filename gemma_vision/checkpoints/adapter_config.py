"""Adapter config: what a PEFT folder says of itself, and which kinds can be merged here.

A kind is merged exactly as PEFT computes it, or refused in a sentence; nothing is guessed. The
keys are those of PEFT 0.21's LoraConfig; a key that is not known here is refused where it is set.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gemma_vision.checkpoints.bounds.malformed import as_checkpoint_error
from gemma_vision.checkpoints.bounds.patterns import why_unsafe
from gemma_vision.checkpoints.config import read_json
from gemma_vision.checkpoints.file_names import ADAPTER_CONFIG
from gemma_vision.errors import CheckpointError

MERGE = "Merge it with PEFT (`merge_and_unload`) and load the folder that it then saves."
RUN = "It cannot be merged into weights: run it with PEFT."

# What these say is in the tensors too, is about training alone, or is read below.
KNOWN = frozenset(
    (
        *("alpha_pattern", "auto_mapping", "base_model_name_or_path", "bias", "corda_config"),
        *("ensure_weight_tying", "eva_config", "exclude_modules", "inference_mode"),
        *("init_lora_weights", "layers_pattern", "layers_to_transform", "loftq_config"),
        *("lora_alpha", "lora_bias", "lora_dropout", "lora_ga_config", "megatron_core"),
        *("modules_to_save", "peft_type", "peft_version", "qalora_group_size", "r"),
        *("rank_pattern", "revision", "target_modules", "task_type"),
        *("trainable_token_indices", "use_dora", "use_rslora"),
    )
)
# Keys of LoraConfig that make another kind of it.
VARIANTS = {
    "alora_invocation_tokens": ("activated LoRA", RUN),
    "arrow_config": ("LoRA with Arrow routing", RUN),
    "fan_in_fan_out": ("LoRA on matrices that lie transposed", MERGE),
    "kasa_config": ("KaSA, which cuts the base's weights when it is loaded", MERGE),
    "layer_replication": ("LoRA over layers that are used twice", MERGE),
    "megatron_config": ("LoRA on Megatron's layers", MERGE),
    "monteclora_config": ("MonteCLoRA", MERGE),
    "target_parameters": ("LoRA on bare parameters", MERGE),
    "use_bdlora": ("block-diagonal LoRA", MERGE),
    "use_qalora": ("QALoRA", MERGE),
    "velora_config": ("VeLoRA", MERGE),
}
# Ways to begin a training that leave the base as it is; all others (PiSSA, OLoRA, CorDA, LoftQ,
# LoRA-GA) take their beginning out of the base, so that what is merged is not the base's weight.
PLAIN_BEGINNINGS = (True, False, None, "gaussian", "eva", "orthogonal", "mica")
# Kinds of PEFT beside LoRA that no weight can hold.
UNMERGEABLE = frozenset(
    (
        *("ADAPTION_PROMPT", "CARTRIDGE", "CPT", "MULTITASK_PROMPT_TUNING", "POLY"),
        *("PREFIX_TUNING", "PROMPT_TUNING", "P_TUNING", "SHADOW", "XLORA"),
    )
)


def read_adapter(folder: Path) -> dict[str, Any] | None:
    """The adapter_config.json of a folder; None where there is none.

    Raises CheckpointError for a kind that cannot be merged here.
    """
    config = read_json(folder / ADAPTER_CONFIG)
    if config is not None:
        with as_checkpoint_error(ADAPTER_CONFIG):
            check_kind(config)
            check_patterns(config)
    return config


def check_kind(config: Mapping[str, Any]) -> None:
    """Refuse what is not LoRA as it is merged here; the sentence names the kind."""
    kind = config.get("peft_type")
    if kind != "LORA":
        raise refused(f"of PEFT's kind {kind}", RUN if kind in UNMERGEABLE else MERGE)
    for key, value in config.items():
        if key in VARIANTS and value:
            raise refused(*VARIANTS[key])
        if key not in KNOWN and key not in VARIANTS and value:
            raise refused(f"LoRA with {key}, which is not known here", MERGE)
    beginning = config.get("init_lora_weights")
    if beginning not in PLAIN_BEGINNINGS:
        raise refused(f"LoRA begun with {beginning!r}, which changes the base's weights", MERGE)


def check_patterns(config: Mapping[str, Any]) -> None:
    """Refuse patterns that could take for ever to match a module's name."""
    for key in ("alpha_pattern", "rank_pattern"):
        if why := why_unsafe(list(config.get(key) or {})):
            message = f"{ADAPTER_CONFIG} {why}, in {key}. Write the modules' names instead."
            raise CheckpointError(message, "E_ADAPTER")


def refused(what: str, remedy: str) -> CheckpointError:
    """The adapter is activated LoRA. It cannot be merged into weights: run it with PEFT."""
    return CheckpointError(f"The adapter is {what}. {remedy}", "E_ADAPTER")


def rank_of(config: Mapping[str, Any], module: str) -> int:
    """r of one module; patterns of the folder come before its general value."""
    return int(matched(config.get("rank_pattern"), module, config.get("r", 8)))


def strength(config: Mapping[str, Any], module: str) -> float:
    """alpha / r of one module, or alpha / sqrt(r) where the folder says rslora."""
    rank = float(rank_of(config, module))
    alpha = float(matched(config.get("alpha_pattern"), module, config.get("lora_alpha", 8)))
    return alpha / rank**0.5 if config.get("use_rslora") else alpha / rank


def matched(patterns: Mapping[str, Any] | None, module: str, default: Any) -> Any:
    """The value of the first pattern that the end of a module's name matches, as PEFT does it."""
    hits = (
        value
        for pattern, value in (patterns or {}).items()
        if re.match(rf"(.*\.)?({pattern})$", module)
    )
    return next(hits, default)


def token_indices(config: Mapping[str, Any], module: str) -> list[int]:
    """Which rows of a table were trained; [] where the folder does not say it for this one."""
    indices = config.get("trainable_token_indices") or []
    if isinstance(indices, Mapping):
        names = [name for name in indices if re.match(rf"(.*\.)?{re.escape(name)}$", module)]
        return list(indices[names[0]]) if len(indices) == 1 and names else []
    return list(indices)
