"""Checkpoint: a model ready to run, found by its name, with its tokenizer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from gemma_vision.checkpoints.access_token import AccessToken
from gemma_vision.checkpoints.adapter_config import read_adapter
from gemma_vision.checkpoints.config import read_config, read_notes
from gemma_vision.checkpoints.file_names import TOKENIZER
from gemma_vision.checkpoints.hub import find
from gemma_vision.checkpoints.progress import ProgressReporter
from gemma_vision.checkpoints.weight_files import has_weights
from gemma_vision.errors import CheckpointError
from gemma_vision.model.config import ModelConfig, PatchVisionConfig
from gemma_vision.model.vision_language_model import VisionLanguageModel
from gemma_vision.requests.family import Family
from gemma_vision.requests.prompts import family_of
from gemma_vision.weights.adapted_model import find_base
from gemma_vision.weights.device_map import Place
from gemma_vision.weights.loading import load_dispatched, load_model
from gemma_vision.weights.quantization import BITS
from gemma_vision.weights.tokenizer_file import open_tokenizer

DTYPES: dict[str, torch.dtype] = {
    name: getattr(torch, name) for name in ("float32", "bfloat16", "float16")
}
DEVICE = re.compile(r"[a-z]+(:\d+)?")
AUTO = "auto"  # as a device: everywhere there is room; as a number type: what suits the device


@dataclass(frozen=True)
class Checkpoint:
    """A model ready to run with its tokenizer, and what its folder says of itself."""

    name: str
    folder: Path
    config: ModelConfig
    model: VisionLanguageModel
    tokenizer: Tokenizer
    notes: Mapping[str, Any] = field(default_factory=dict)  # gemma_vision.json
    adapter: Path | None = None  # the folder of what was merged into the weights

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where it lies: the adapter before the model that it was made for."""
        return (self.folder,) if self.adapter is None else (self.adapter, self.folder)

    @property
    def family(self) -> Family:
        """How its line is asked."""
        return family_of(self.config.family)

    @property
    def num_parameters(self) -> int:
        """How many numbers the model holds, shared ones once."""
        return sum(parameter.numel() for parameter in self.model.parameters())


@dataclass(frozen=True)
class Found:
    """Where a checkpoint lies: the model's folder, and that of the adapter over it, if any."""

    folder: Path
    adapter: Path | None = None


def locate(
    name: str | Path,
    reporter: ProgressReporter | None = None,
    *,
    base: str | Path | None = None,
    token: AccessToken | None = None,
) -> Found:
    """The folders of "tiny", a folder or a Hub id; what is not here is fetched, and its base too.

    base: another model under an adapter than the one that its folder names. `reporter` is told the
    bytes, and may call it off. token: what the Hub is asked with; None is the machine's own.
    """
    folder = find(str(name), reporter, token=token)
    adapter = read_adapter(folder)
    if adapter is None:
        if base is not None:
            raise CheckpointError(f"{name} is no adapter, so it has no base to be named.")
        return Found(folder)
    if base is None and has_weights(folder):  # a whole model with an adapter beside it
        return Found(folder, folder)
    return Found(find_base(folder, adapter, base, reporter, token), folder)


def open_checkpoint(
    name: str | Path = "tiny",
    device: str | None = None,
    dtype: str | None = None,
    *,
    base: str | Path | None = None,
    limits: Mapping[Place, int] | None = None,
    found: Found | None = None,
    reporter: ProgressReporter | None = None,
) -> Checkpoint:
    """Load "tiny", a folder or a Hub id ("google/paligemma-3b-mix-224"), ready to run.

    A folder with a LoRA adapter (PEFT) is loaded over the model that it names, or over `base`.

    device: "cpu", "cuda", "mps", None for the best there is, or "auto" for a model that is too
    large for one of them: its layers go to all GPUs, then to the CPU, then stay on disk (`limits`
    are bytes by device, found out where not given). dtype: "float32", "bfloat16", "float16", or
    None ("auto"): float32 on a CPU (the file's own above a billion parameters), bfloat16 on a GPU;
    "int8" and "int4" pack the decoder with bitsandbytes. Raises CheckpointError.

    found: what `locate` gave for the name, where that was asked before. reporter: told how far.
    """
    where = None if device == AUTO else pick_device(device)
    bits = BITS.get(str(dtype).lower())
    wanted = None if bits else pick_dtype(dtype)
    found = found or locate(name, reporter, base=base)
    folder, adapter = found.folder, found.adapter
    config = read_config(folder)
    check_range(config, wanted)
    tokenizer = open_tokenizer(tokenizer_folder(adapter, folder), config)
    if where is not None:
        model = load_model(folder, config, where, wanted, adapter, bits, reporter)
    elif adapter is None and not bits:
        model = load_dispatched(folder, config, wanted, limits, reporter)
    else:
        message = "Adapters, 8 and 4 bits are not spread over devices. Name one, such as cuda."
        raise CheckpointError(message, "E_DEVICE")
    own_notes = read_notes(adapter) if adapter is not None else None
    notes = own_notes or read_notes(folder)
    return Checkpoint(str(name), folder, config, model, tokenizer, notes, adapter)


def tokenizer_folder(adapter: Path | None, base: Path) -> Path:
    """Where the tokenizer lies: with the adapter, as training saves it, or with its base."""
    return adapter if adapter is not None and (adapter / TOKENIZER).is_file() else base


def pick_device(name: str | None) -> torch.device:
    """The device of that name, or the best there is; CheckpointError where it is not here."""
    here = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name is None:
        return torch.device(next((kind for kind, is_here in here.items() if is_here), "cpu"))
    if not isinstance(name, str):  # such as torch.device("cpu"), or the number of a GPU
        message = f"{name!r} is no device's name; write it in words, as 'cpu' or 'cuda:0'."
        raise CheckpointError(message, "E_DEVICE")
    name = name.strip().lower()
    kind = name.split(":")[0]
    if not DEVICE.fullmatch(name):
        message = f"{name!r} is no device's name; take cpu or cuda:0, or leave the device open."
        raise CheckpointError(message, "E_DEVICE")
    if kind != "cpu" and not here.get(kind, False):
        raise CheckpointError(
            f"There is no {name} device here. Take cpu, or leave the device open.", "E_DEVICE"
        )
    return torch.device(name)


def check_range(config: ModelConfig, dtype: torch.dtype | None) -> None:
    """Refuse float16 where the tower's numbers leave its range, and only padding would come out."""
    if dtype == torch.float16 and isinstance(config.vision, PatchVisionConfig):
        raise CheckpointError(
            "This checkpoint leaves the range of float16; take bfloat16 or float32.", "E_DTYPE"
        )


def pick_dtype(name: str | None) -> torch.dtype | None:
    """The number type of that name; None, or "auto", stays open until the file is known."""
    said = AUTO if name is None else str(name).lower()
    if said not in (AUTO, *DTYPES):
        known = ", ".join([AUTO, *DTYPES, *BITS])
        raise CheckpointError(f"{name!r} is no number type; take {known}.", "E_DTYPE")
    return DTYPES.get(said)
