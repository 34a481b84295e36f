"""Adapters: LoRA put into a model by PEFT, begun anew or gone on with."""

import os
import re
import shutil
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import PaliGemmaForConditionalGeneration

from gemma_vision.checkpoints.file_names import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from gemma_vision.extras import require
from gemma_vision.finetuning.learning.bases import Base
from gemma_vision.finetuning.plan import FinetuneError, LoraOptions
from gemma_vision.optimization.atomic_write import DRAFT

# Matrices by the names of transformers' modules; `\\.` keeps the tower's q_proj out of the text's.
ATTENTION = r".*language_model\..*\.(q_proj|k_proj|v_proj|o_proj)"
TEXT = r".*language_model\..*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
TOWER = r".*vision_tower\..*\.(q_proj|k_proj|v_proj|out_proj|fc1|fc2)"
PROJECTOR = r".*multi_modal_projector\.linear"
PATTERNS = {
    "text": TEXT,
    "attention": ATTENTION,
    "tower": f"({TEXT}|{TOWER})",
    "all": f"({TEXT}|{TOWER}|{PROJECTOR})",
}
DEFAULT = "default"  # PEFT's name for the one adapter


def add_lora(
    model: PaliGemmaForConditionalGeneration, lora: LoraOptions, base: Base, seed: int
) -> Any:
    """Put LoRA into a model; only that will learn. Needs PEFT.

    An adapter's own matrices are taken where the base has one: rank, alpha and places are then its.
    """
    require("tune")
    import peft

    torch.manual_seed(seed)
    if base.adapter is not None:
        return peft.PeftModel.from_pretrained(model, str(base.adapter), is_trainable=True)
    targets = PATTERNS.get(lora.targets, lora.targets)
    if not any(re.fullmatch(targets, name) for name, _ in matrices(model)):
        raise FinetuneError(
            f"--targets is {lora.targets!r}, which is the name of no matrix of {base.shown}; take "
            f"{', '.join(PATTERNS)}, or a regular expression such as {ATTENTION!r}."
        )
    options: dict[str, Any] = {"r": lora.rank, "lora_alpha": lora.alpha}
    options |= {"lora_dropout": lora.dropout, "target_modules": targets}
    config = peft.LoraConfig(**options)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning)
        return peft.get_peft_model(model, config)


def matrices(model: nn.Module) -> list[tuple[str, nn.Linear]]:
    """Every matrix that LoRA can stand beside, by its name."""
    return [(name, one) for name, one in model.named_modules() if isinstance(one, nn.Linear)]


def save_adapter(lora_model: Any, base: Base, out: Path) -> None:
    """Write PEFT's folder; it names its base as others can find it, by no path of this machine."""
    config = lora_model.peft_config[DEFAULT]
    config.base_model_name_or_path = name_beneath(base, out)
    draft = out / f".adapter{DRAFT}"
    lora_model.save_pretrained(draft, save_embedding_layers=False)
    (draft / ADAPTER_WEIGHTS).chmod(0o644)  # the library writes for the owner alone
    for name in (ADAPTER_WEIGHTS, ADAPTER_CONFIG):  # whoever finds the second finds the first
        (draft / name).replace(out / name)
    shutil.rmtree(draft)  # with PEFT's own card, which says nothing


def name_beneath(base: Base, out: Path) -> str:
    """The base of an adapter: its name on the Hub, or its folder as seen from the adapter's."""
    beneath = base.beneath
    if not Path(beneath).is_absolute():
        return beneath
    return Path(os.path.relpath(Path(beneath).resolve(), out.resolve())).as_posix()
