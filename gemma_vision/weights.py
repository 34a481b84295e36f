"""Weights: a checkpoint found, opened and strictly loaded. Safetensors only, nothing is unpickled.

Four forms of the same names are in circulation (text with or without an inner `model.`, the tower
with or without `vision_model.`, all with or without an outer `model.`); each loads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from tokenizers import Tokenizer
from torch import Tensor

from gemma_vision.config import CheckpointError, ModelConfig, read_config, read_json
from gemma_vision.hub import find
from gemma_vision.model import VisionLanguageModel

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
LARGE = 1_000_000_000  # parameters; from here on a CPU keeps the file's own number type
DTYPES = {name: getattr(torch, name) for name in ("float32", "bfloat16", "float16")}
EMBEDDING, HEAD = "text.embed_tokens.weight", "lm_head.weight"
PREFIXES = tuple(  # published name -> our name; the head comes before the text it lies in
    (re.compile(pattern), ours)
    for pattern, ours in (
        (r"^(model\.)?vision_tower\.(vision_model\.)?", "vision."),
        (r"^(model\.)?multi_modal_projector\.", "projector."),
        (r"^(model\.)?language_model\.lm_head\.", "lm_head."),
        (r"^(model\.)?language_model\.(model\.)?", "text."),
    )
)
# tables that old files stored and that are computed here
COMPUTED = re.compile(r"\.(position_ids|rotary_emb\.inv_freq)$")


@dataclass(frozen=True)
class Checkpoint:
    """A model ready to run with its tokenizer, and what its folder says of itself."""

    name: str
    folder: Path
    config: ModelConfig
    model: VisionLanguageModel
    tokenizer: Tokenizer
    notes: Mapping[str, Any] = field(default_factory=dict)  # gemma_vision.json

    @property
    def num_parameters(self) -> int:
        """How many numbers the model holds, shared ones once."""
        return sum(parameter.numel() for parameter in self.model.parameters())


def open_checkpoint(
    name: str | Path = "tiny", device: str | None = None, dtype: str | None = None
) -> Checkpoint:
    """Load "tiny", a folder or a Hub id ("google/paligemma-3b-mix-224"), ready to run.

    device: "cpu", "cuda", "mps" or None for the best there is. dtype: "float32", "bfloat16",
    "float16", or None: float32 on a CPU (the file's own above a billion parameters), bfloat16
    on a GPU. Raises CheckpointError.
    """
    where = pick_device(device)
    wanted = pick_dtype(dtype)
    folder = find(str(name))
    config = read_config(folder)
    tokenizer = open_tokenizer(folder)
    model = load_model(folder, config, where, wanted)
    notes = read_json(folder / "gemma_vision.json") or {}
    return Checkpoint(str(name), folder, config, model, tokenizer, notes)


def load_model(
    folder: Path, config: ModelConfig, device: torch.device, dtype: torch.dtype | None
) -> VisionLanguageModel:
    """Build the model and put every tensor of the folder's files in its place."""
    tensors = dict(read_tensors(folder))
    untie = drop_tied_head(tensors)
    with torch.device("meta"):
        model = VisionLanguageModel(config, has_own_head=untie)
    check_names(model.state_dict(), tensors)
    is_large = sum(tensor.numel() for tensor in tensors.values()) > LARGE
    dtype = dtype or default_dtype(device, is_large, tensors[EMBEDDING].dtype)
    is_mapped = device.type == "cpu" and tensors[EMBEDDING].dtype == dtype
    for key in list(tensors):  # one at a time, so that the weights are never held twice
        tensors[key] = tensors[key].to(device=device, dtype=dtype)
    model.load_state_dict(tensors, strict=True, assign=True)
    model.requires_grad_(False).eval()
    tensors.clear()
    if not (is_large and is_mapped):  # joining would copy what the file's pages already hold
        model.text.join()
    return model


def read_tensors(folder: Path) -> Iterator[tuple[str, Tensor]]:
    """Every tensor of a folder's safetensors files by our name for it, mapped rather than read."""
    for path in weight_files(folder):
        try:
            with safe_open(path, framework="pt") as file:
                for key in file.keys():  # noqa: SIM118  (no mapping: keys is all it has)
                    if not COMPUTED.search(key):
                        yield our_name(key), file.get_tensor(key)
        except (SafetensorError, OSError) as error:
            raise CheckpointError(
                f"{path.name} is no whole safetensors file ({error}). Fetch it again.",
                "E_CHECKPOINT_DAMAGED",
            ) from error


def weight_files(folder: Path) -> list[Path]:
    """The one file, or the shards that the index names."""
    index = read_json(folder / INDEX)
    if index is None:
        names = {SINGLE}
    else:
        names = {str(name) for name in dict(index.get("weight_map") or {}).values()}
    if outside := sorted(name for name in names if Path(name).name != name):
        raise CheckpointError(f"{INDEX} names files outside its folder: {', '.join(outside)}.")
    missing = sorted(name for name in names if not (folder / name).is_file())
    if missing or not names:
        raise CheckpointError(
            f"{folder} lacks {', '.join(missing) or SINGLE}; weights are read from safetensors "
            "files only. Fetch the checkpoint again, or save it as safetensors.",
            "E_CHECKPOINT_INCOMPLETE",
        )
    return [folder / name for name in sorted(names)]


def our_name(published: str) -> str:
    """language_model.model.norm.weight  ->  text.norm.weight"""
    for pattern, ours in PREFIXES:
        if pattern.match(published):
            return pattern.sub(ours, published, count=1)
    return published


def drop_tied_head(tensors: dict[str, Tensor]) -> bool:
    """Whether the file has a head of its own; a head equal to the embedding is taken out."""
    head, embedding = tensors.get(HEAD), tensors.get(EMBEDDING)
    if head is None or embedding is None:
        return head is not None
    if head.shape == embedding.shape and torch.equal(head, embedding):
        del tensors[HEAD]
        return False
    return True


def check_names(wanted: Mapping[str, Tensor], got: Mapping[str, Tensor]) -> None:
    """Refuse a file unless it has exactly the tensors of the model; the message lists the rest."""
    shapes = {
        f"{key} is {tuple(got[key].shape)} instead of {tuple(wanted[key].shape)}"
        for key in wanted.keys() & got.keys()
        if got[key].shape != wanted[key].shape
    }
    faults = {
        "missing": wanted.keys() - got.keys(),
        "surplus": got.keys() - wanted.keys(),
        "of another shape": shapes,
    }
    told = [f"{what}: {', '.join(sorted(keys))}" for what, keys in faults.items() if keys]
    if told:
        raise CheckpointError(
            f"The checkpoint does not fit its config.json. Tensors {'; '.join(told)}. "
            "Fetch it again, or correct its config.json.",
            "E_CHECKPOINT_TENSORS",
        )


def open_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a checkpoint, without the transformers package."""
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise CheckpointError(
            f"{folder} lacks tokenizer.json. Fetch the checkpoint again.", "E_CHECKPOINT_INCOMPLETE"
        )
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the package raises plain Exception
        raise CheckpointError(f"{path} cannot be read ({error}). Fetch it again.") from error


def pick_device(name: str | None) -> torch.device:
    """The device of that name, or the best there is; CheckpointError where it is not here."""
    here = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name is None:
        return torch.device(next((kind for kind, is_here in here.items() if is_here), "cpu"))
    kind = name.split(":")[0]
    if kind != "cpu" and not here.get(kind, False):
        raise CheckpointError(
            f"There is no {name} device here. Take cpu, or leave the device open.", "E_DEVICE"
        )
    return torch.device(name)


def pick_dtype(name: str | None) -> torch.dtype | None:
    """The number type of that name; None stays open until the file is known."""
    if name is not None and name not in DTYPES:
        raise CheckpointError(f"{name!r} is no number type; take {', '.join(DTYPES)}.", "E_DTYPE")
    return None if name is None else DTYPES[name]


def default_dtype(device: torch.device, is_large: bool, stored: torch.dtype) -> torch.dtype:
    """bfloat16 on a GPU; on a CPU float32, or the file's own type where the file is large."""
    if device.type != "cpu":
        return torch.bfloat16
    return stored if is_large else torch.float32
