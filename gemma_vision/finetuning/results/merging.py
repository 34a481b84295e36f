"""Merging: an adapter and the model under it as one whole checkpoint folder."""

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from gemma_vision.checkpoints.config import read_notes
from gemma_vision.checkpoints.file_names import DECODER_FILE, NOTES, SINGLE
from gemma_vision.checkpoints.weight_files import weight_files
from gemma_vision.finetuning.learning.bases import find_base
from gemma_vision.finetuning.plan import FinetuneError
from gemma_vision.finetuning.plan_checks import check_folder
from gemma_vision.finetuning.results.writing import copy_small_files
from gemma_vision.optimization.atomic_write import atomic_file, write_atomically
from gemma_vision.weights.lora import EMBEDDING, HEAD, merge
from gemma_vision.weights.safetensors_files import our_name, read_file


def merge_adapter(adapter: str, out: Path) -> Path:
    """Write the folder of a whole model -> the folder. FinetuneError where there is no adapter."""
    base = find_base(adapter)
    if base.adapter is None:
        raise FinetuneError(f"{base.shown} is no adapter: there is nothing to be merged.")
    if out.is_dir() and any(out.iterdir()):
        raise FinetuneError(f"{out} holds files already; name a new folder, or remove it.")
    check_folder(out)
    published = {our_name(name): name for name, _ in tensors_of(base.folder)}
    tensors = {our_name(name): tensor for name, tensor in tensors_of(base.folder)}
    types = {name: tensor.dtype for name, tensor in tensors.items()}
    merge(tensors, base.adapter, our_name, torch.float32)
    if HEAD not in published and torch.equal(tensors[HEAD], tensors[EMBEDDING]):
        del tensors[HEAD]
    named = {
        published.get(name, name): tensor.to(types.get(name, tensor.dtype)).contiguous()
        for name, tensor in tensors.items()
    }
    out.mkdir(parents=True, exist_ok=True)
    with atomic_file(out / SINGLE) as draft:
        save_file(named, draft, metadata={"format": "pt"})
        draft.chmod(0o644)
    copy_small_files(base.folder, out)
    copy_own_files(base.adapter, base.folder, out)
    return out


def tensors_of(folder: Path) -> list[tuple[str, Tensor]]:
    """Every tensor of a folder by its published name; mapped, not read."""
    return [pair for path in weight_files(folder) for pair in read_file(path)]


def copy_own_files(adapter: Path, folder: Path, out: Path) -> None:
    """The adapter's notes over the base's, its card told as that of a whole model, its decoder."""
    notes = read_notes(folder) | read_notes(adapter)
    write_atomically(out / NOTES, json.dumps(notes, indent=2, ensure_ascii=False) + "\n")
    card = adapter / "README.md"
    if card.is_file():
        text = card.read_text("utf-8").replace("library_name: peft\n", "", 1)
        text = text.replace("base_model_relation: adapter", "base_model_relation: finetune", 1)
        text = text.replace("this folder loads over its base", "merged into the model's own", 1)
        write_atomically(out / "README.md", text)
    for name in (DECODER_FILE,):
        if (adapter / name).is_file():
            shutil.copyfile(adapter / name, out / name)
