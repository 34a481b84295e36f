"""Trainee: a checkpoint opened to learn, whole or through LoRA."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import PaliGemmaForConditionalGeneration

from gemma_vision.checkpoints.config import read_config, read_json
from gemma_vision.checkpoints.file_names import ADAPTER_CONFIG, CHECKPOINTS, NOTES
from gemma_vision.checkpoints.hub import find
from gemma_vision.errors import CheckpointError
from gemma_vision.extras import require
from gemma_vision.finetuning.plan import LoraOptions
from gemma_vision.model.config import ModelConfig
from gemma_vision.requests.prompts import family_of
from gemma_vision.requests.tasks import Task
from gemma_vision.weights.tokenizer_file import open_tokenizer

SMALL = 20_000_000  # parameters
LARGE = 1_000_000_000  # parameters; from here on activations are computed twice to save memory
TOWER_SHARE = 0.4  # of the rate, for a tower that learns whole: it knows most already
# Matrices of the language model; `\\.` keeps the tower's q_proj out.
TEXT = r".*language_model\..*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
TOWER = r".*vision_tower\..*\.(q_proj|k_proj|v_proj|out_proj|fc1|fc2)"


@dataclass(frozen=True)
class Trainee:
    """A model in training. `lora_model` is the same with its LoRA, None where all of it learns."""

    name: str  # as `gemma_vision.load` takes it
    folder: Path
    config: ModelConfig
    model: PaliGemmaForConditionalGeneration
    tokenizer: Tokenizer
    notes: Mapping[str, Any]
    device: torch.device
    lora_model: Any = None

    @property
    def is_young(self) -> bool:
        """All of a small model learns: positions are still a scale to it, and names still words."""
        size = sum(parameter.numel() for parameter in self.model.parameters())
        return self.lora_model is None and size < SMALL

    @property
    def embeddings(self) -> nn.Parameter:
        """Of the words, (V, D)."""
        table: nn.Parameter = self.model.model.language_model.embed_tokens.weight
        return table

    @property
    def grid(self) -> int:
        """Patches along a side of an image."""
        return self.config.square.grid

    @property
    def trained(self) -> dict[str, nn.Parameter]:
        """What learns, by its name in transformers' model."""
        every = self.model.named_parameters()
        return {name: parameter for name, parameter in every if parameter.requires_grad}


def find_base(name: str) -> tuple[str, Path]:
    """The name under which a checkpoint loads, and its folder; CheckpointError where it cannot."""
    name = "tiny" if name == "embedded" else name
    if Path(name).expanduser().is_dir():
        name = str(Path(name).expanduser().resolve())
    folder = find(name)
    adapter = read_json(folder / ADAPTER_CONFIG)
    if adapter is not None:
        base = adapter.get("base_model_name_or_path")
        raise CheckpointError(f"{name} is an adapter; fine-tune the model under it, {base}.")
    family = family_of(read_config(folder).family)
    if Task.detect not in family.tasks:
        raise CheckpointError(f"{name} is a {family.title}, which has no boxes; take a PaliGemma.")
    return name, folder


def drawings_of(folder: Path) -> tuple[str, ...]:
    """The names that the checkpoint of a folder knows from this project's own scenes."""
    notes = read_json(folder / NOTES) or {}
    inside = notes.get("names", ()) if folder.parent == CHECKPOINTS else ()
    return tuple(notes.get("drawings", inside))


def open_trainee(name: str, device: torch.device, lora: LoraOptions | None, seed: int) -> Trainee:
    """Open a PaliGemma to learn from its file: all of it in float32, or LoRA beside it."""
    name, folder = find_base(name)
    model, info = PaliGemmaForConditionalGeneration.from_pretrained(
        folder, dtype=torch.float32 if lora is None else "auto", output_loading_info=True
    )
    odd = {kind: sorted(keys) for kind, keys in info.items() if keys and kind.endswith("_keys")}
    if odd:
        raise CheckpointError(f"{name} is no whole PaliGemma ({odd}). Fetch it again.")
    size = sum(parameter.numel() for parameter in model.parameters())
    if lora is not None and (size < LARGE and device.type != "cuda"):
        model = model.float()
    model.to(device)
    lora_model = None if lora is None else add_lora(model, lora, name, seed)
    if size >= LARGE:
        model.gradient_checkpointing_enable({"use_reentrant": False})
        model.enable_input_require_grads()
    model.train()
    notes = read_json(folder / NOTES) or {}
    config, tokenizer = read_config(folder), open_tokenizer(folder)
    return Trainee(name, folder, config, model, tokenizer, notes, device, lora_model)


def add_lora(
    model: PaliGemmaForConditionalGeneration, lora: LoraOptions, name: str, seed: int
) -> Any:
    """Put LoRA into a model; only that will learn. Needs PEFT."""
    require("tune")
    import peft

    torch.manual_seed(seed)
    targets = f"({TEXT}|{TOWER})" if lora.tower else TEXT
    config = peft.LoraConfig(r=lora.rank, lora_alpha=2 * lora.rank, target_modules=targets)
    lora_model = peft.get_peft_model(model, config)
    lora_model.peft_config["default"].base_model_name_or_path = name
    return lora_model


def rates(trainee: Trainee, peak: float | None) -> list[tuple[list[nn.Parameter], float]]:
    """Parameters that learn and their peak rates; a tower that learns whole goes slower."""
    trained = trainee.trained
    if trainee.lora_model is not None:
        return [(list(trained.values()), peak or 2e-4)]
    text = peak or (5e-4 if trainee.is_young else 1e-5)
    tower = [p for name, p in trained.items() if re.search(r"\bvision_tower\b", name)]
    rest = [p for name, p in trained.items() if not re.search(r"\bvision_tower\b", name)]
    return [(tower, TOWER_SHARE * text), (rest, text)]
