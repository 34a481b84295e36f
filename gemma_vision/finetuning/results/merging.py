"""Merging: an adapter and the model under it as one whole checkpoint folder."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from gemma_vision.checkpoints.bounds.malformed import as_checkpoint_error
from gemma_vision.checkpoints.config import read_config, read_notes
from gemma_vision.checkpoints.file_names import (
    ADAPTER_CONFIG,
    DECODER_FILE,
    NOTES,
    SINGLE,
    TOKENIZER,
)
from gemma_vision.checkpoints.weight_files import weight_files
from gemma_vision.finetuning.endings import DISK
from gemma_vision.finetuning.learning.bases import Base, find_folders
from gemma_vision.finetuning.plan import FinetuneError
from gemma_vision.finetuning.plan_checks import check_folder
from gemma_vision.finetuning.results.writing import copy_small_files
from gemma_vision.optimization.atomic_write import write_atomically
from gemma_vision.weights.checkpoint import tokenizer_folder
from gemma_vision.weights.loading import check_finite, drop_tied_head
from gemma_vision.weights.lora import EMBEDDING, HEAD, merge
from gemma_vision.weights.safetensors_files import our_name, read_file
from gemma_vision.weights.tokenizer_file import open_tokenizer


def merge_adapter(adapter: str, out: Path, base: str | None = None) -> Path:
    """Write the folder of a whole model -> the folder. FinetuneError where there is no adapter.

    base: the model under it, where its folder names one elsewhere. What loading would refuse is
    refused before anything is written, and what cannot be written whole is not left in part.
    """
    found = find_folders(adapter, base)
    if found.adapter is None:
        raise FinetuneError(f"{found.shown} is no adapter: there is nothing to be merged.")
    check_target(out, found)
    tokenizer = tokenizer_folder(found.adapter, found.folder) / TOKENIZER
    open_tokenizer(tokenizer.parent, read_config(found.folder))
    notes = notes_of(found.adapter, found.folder)
    with as_checkpoint_error(ADAPTER_CONFIG):
        tensors = merged_tensors(found.folder, found.adapter)
    with whole_or_empty(out) as draft:
        write_tensors(tensors, draft / SINGLE)
        copy_small_files(found.folder, draft)
        shutil.copyfile(tokenizer, draft / TOKENIZER)
        write_atomically(draft / NOTES, json.dumps(notes, indent=2, ensure_ascii=False) + "\n")
        copy_own_files(found.adapter, draft)
    return out


def write_tensors(tensors: dict[str, Tensor], path: Path) -> None:
    """Write a file of weights that everybody may read; FinetuneError where the disk takes none."""
    try:
        save_file(tensors, path, metadata={"format": "pt"})
    except SafetensorError as error:  # a full disk, in the library's own words
        message = (
            f"The weights cannot be written ({error}). Free some space, or name another --out."
        )
        raise FinetuneError(message, DISK) from error
    path.chmod(0o644)


def check_target(out: Path, base: Base) -> None:
    """Refuse a folder that holds files, the model's own above all, or that cannot be made."""
    for folder in (base.own, base.folder):
        if out.resolve() == folder.resolve():
            raise FinetuneError(f"{out} is the model itself; name a new folder for the whole one.")
    if out.is_dir() and any(out.iterdir()):
        raise FinetuneError(f"{out} holds files already; name a new folder.")
    check_folder(out)


@contextmanager
def whole_or_empty(out: Path) -> Iterator[Path]:
    """A draft within a folder, whose files come to lie there once all of them are written.

    FinetuneError where somebody put files there meanwhile, which stay as they are.
    """
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out, prefix=".merging-") as made:
        draft = Path(made)
        yield draft
        if [*out.iterdir()] != [draft]:
            raise FinetuneError(f"{out} holds files by now; name a new folder.")
        for path in draft.iterdir():
            path.replace(out / path.name)


def notes_of(adapter: Path, folder: Path) -> dict[str, Any]:
    """What is loaded with an adapter: its own notes, or its base's; a decoder may be the base's."""
    beneath = read_notes(folder)
    decoder = {key: beneath[key] for key in ("mask_decoder",) if key in beneath}
    return decoder | (read_notes(adapter) or beneath)


def merged_tensors(folder: Path, adapter: Path) -> dict[str, Tensor]:
    """A folder's weights with an adapter in them, by their names and in their number types."""
    published = {our_name(name): name for name, _ in tensors_of(folder)}
    tensors = {our_name(name): tensor for name, tensor in tensors_of(folder)}
    types = {name: tensor.dtype for name, tensor in tensors.items()}
    drop_tied_head(tensors)
    merge(tensors, adapter, our_name, torch.float32)
    if HEAD not in published and torch.equal(tensors[HEAD], tensors[EMBEDDING]):
        del tensors[HEAD]
    for name, tensor in tensors.items():
        check_finite(name, tensor, is_sampled=False)
    return {
        published.get(name, name): tensor.to(types.get(name, tensor.dtype)).contiguous()
        for name, tensor in tensors.items()
    }


def tensors_of(folder: Path) -> list[tuple[str, Tensor]]:
    """Every tensor of a folder by its published name; mapped, not read."""
    return [pair for path in weight_files(folder) for pair in read_file(path)]


def copy_own_files(adapter: Path, out: Path) -> None:
    """The adapter's card, told as that of a whole model, and its decoder."""
    card = adapter / "README.md"
    if card.is_file():
        text = card.read_text("utf-8", "replace").replace("library_name: peft\n", "", 1)
        text = text.replace("base_model_relation: adapter", "base_model_relation: finetune", 1)
        text = text.replace("this folder loads over its base", "merged into the model's own", 1)
        write_atomically(out / "README.md", text)
    if (adapter / DECODER_FILE).is_file():
        shutil.copyfile(adapter / DECODER_FILE, out / DECODER_FILE)
