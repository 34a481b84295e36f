"""Trainee: a checkpoint opened to learn, whole, in parts or through LoRA."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import PaliGemmaForConditionalGeneration

from gemma_vision.checkpoints.bounds.malformed import UNFORESEEN
from gemma_vision.checkpoints.config import read_config
from gemma_vision.errors import CheckpointError
from gemma_vision.finetuning.learning.bases import Base
from gemma_vision.finetuning.learning.lora_adapters import add_lora
from gemma_vision.finetuning.learning.quantized import load_in_4_bits
from gemma_vision.finetuning.plan import FinetuneError, LoraOptions
from gemma_vision.model.config import ModelConfig
from gemma_vision.weights.tokenizer_file import open_tokenizer
from postprocess.errors import UserError

SMALL = 20_000_000  # parameters
LARGE = 1_000_000_000  # parameters; from here on activations are computed twice to save memory
TOWER_SHARE = 0.4  # of the rate, for a tower that learns whole: it knows most already
SMALL_RATE, WHOLE_RATE, LORA_RATE, SMALL_LORA_RATE = 5e-4, 1e-5, 2e-4, 3e-3
# By the names of transformers' modules.
PATTERNS = {
    "tower": r"\bvision_tower\b",
    "projector": r"\bmulti_modal_projector\b",
    "embeddings": r"\b(embed_tokens|lm_head)\b",
    "decoder": r"\blanguage_model\.(layers|norm)\b",
}


@dataclass(frozen=True)
class Trainee:
    """A model in training. `lora_model` is the same with its LoRA, None where its own matrices do.

    name: as `gemma_vision.load` takes it. folder: of the base; an adapter that is gone on with lies
    in `adapter`. size: parameters of the base.
    """

    name: str
    folder: Path
    config: ModelConfig
    model: PaliGemmaForConditionalGeneration
    tokenizer: Tokenizer
    notes: Mapping[str, Any]
    device: torch.device
    size: int
    lora_model: Any = None
    adapter: Path | None = None

    @property
    def is_small(self) -> bool:
        """Positions are still a scale to a small model, and names still words."""
        return self.size < SMALL

    @property
    def embeddings(self) -> nn.Parameter:
        """Of the words, (V, D)."""
        table = self.model.get_input_embeddings()
        weight: nn.Parameter = getattr(table, "base_layer", table).weight
        return weight

    @property
    def grid(self) -> int:
        """Patches along a side of an image."""
        return self.config.square.grid

    @property
    def trained(self) -> dict[str, nn.Parameter]:
        """What learns, by its name in transformers' model."""
        every = self.model.named_parameters()
        return {name: parameter for name, parameter in every if parameter.requires_grad}


def open_trainee(
    base: Base,
    device: torch.device,
    lora: LoraOptions | None,
    seed: int,
    *,
    freeze: Sequence[str] = (),
    is_4_bit: bool = False,
    checkpointing: bool | None = None,
) -> Trainee:
    """Open a PaliGemma to learn from its file: all of it in float32, or LoRA beside it."""
    if base.adapter is not None and lora is None:
        raise FinetuneError(
            f"{base.name} is an adapter: go on with it by --lora, or make it a whole model first "
            "with gemma-vision merge."
        )
    model = open_model(base, device, is_lora=lora is not None, is_4_bit=is_4_bit)
    freeze_parts(model, freeze)
    lora_model = None if lora is None else add_lora(model, lora, base, seed)
    if base.size >= LARGE if checkpointing is None else checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
        model.enable_input_require_grads()
    model.train()
    notes = base.notes
    config, tokenizer = read_config(base.folder), open_tokenizer(base.folder)
    return Trainee(
        base.name,
        base.folder,
        config,
        model,
        tokenizer,
        notes,
        device,
        base.size,
        lora_model,
        base.adapter,
    )


def open_model(
    base: Base, device: torch.device, *, is_lora: bool, is_4_bit: bool
) -> PaliGemmaForConditionalGeneration:
    """transformers' model with the weights of a folder, on its device."""
    with explained(base):
        if is_4_bit:
            return load_in_4_bits(base.folder, device)
        model, info = PaliGemmaForConditionalGeneration.from_pretrained(
            base.folder, dtype="auto" if is_lora else torch.float32, output_loading_info=True
        )
    odd = {kind: sorted(keys) for kind, keys in info.items() if keys and kind.endswith("_keys")}
    if odd:
        raise CheckpointError(f"{base.name} is no whole PaliGemma ({odd}). Fetch it again.")
    if is_lora and base.size < LARGE and device.type != "cuda":
        model = model.float()
    return model.to(device)


@contextmanager
def explained(base: Base) -> Iterator[None]:
    """What transformers makes nothing of, and asking does not look at, as a CheckpointError."""
    try:
        yield
    except UserError:
        raise
    except (*UNFORESEEN, ImportError) as error:
        raise CheckpointError(
            f"{base.shown} can be asked and not taught: transformers, which opens it to learn, "
            f"ends with {type(error).__name__} ({error}). Compare its JSON files with those of the "
            "published one."
        ) from error


def freeze_parts(model: nn.Module, parts: Sequence[str]) -> None:
    """Keep some parts of a model as they are."""
    for name, parameter in model.named_parameters():
        if any(re.search(PATTERNS[part], name) for part in parts):
            parameter.requires_grad_(False)


def rates(trainee: Trainee, peak: float | None) -> list[tuple[list[nn.Parameter], float]]:
    """Parameters that learn and their peak rates; a tower that learns whole goes slower."""
    trained = trainee.trained
    if trainee.lora_model is not None:
        return [
            (list(trained.values()), peak or (SMALL_LORA_RATE if trainee.is_small else LORA_RATE))
        ]
    text = peak or (SMALL_RATE if trainee.is_small else WHOLE_RATE)
    tower = [p for name, p in trained.items() if re.search(PATTERNS["tower"], name)]
    rest = [p for name, p in trained.items() if not re.search(PATTERNS["tower"], name)]
    return [(tower, TOWER_SHARE * text), (rest, text)]
