"""Weights: a model built on meta and every tensor put in its place, strictly."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from gemma_vision.checkpoints.foreign_formats import packed
from gemma_vision.checkpoints.gemma4.names import is_left_out
from gemma_vision.checkpoints.progress import ProgressReporter
from gemma_vision.errors import CheckpointError, list_names
from gemma_vision.model.config import ModelConfig
from gemma_vision.model.gemma4.decoder import StoredTable
from gemma_vision.model.vision_language_model import VisionLanguageModel
from gemma_vision.weights.device_map import Place, dispatch, limits_here, plan_device_map
from gemma_vision.weights.lora import EMBEDDING, HEAD, merge
from gemma_vision.weights.memory import LARGE
from gemma_vision.weights.prepacked_matrices import can_prepack, matrices, num_layers, return_pages
from gemma_vision.weights.quantization import quantize
from gemma_vision.weights.safetensors_files import TensorSource, our_name, read_sources

SAMPLE = 4096  # numbers of a large tensor that are looked at
NUM_RUNS = 16  # pieces that such a sample is made of
WHOLE = (torch.float64, torch.float32, torch.bfloat16, torch.float16)  # numbers that stand alone


def load_model(
    folder: Path,
    config: ModelConfig,
    device: torch.device,
    dtype: torch.dtype | None,
    adapter: Path | None = None,
    bits: int | None = None,
    reporter: ProgressReporter | None = None,
) -> VisionLanguageModel:
    """Build the model of a folder on one device, its decoder in 8 or 4 bits where asked.

    `reporter` is told every tensor, and may call it off.
    """
    reporter = reporter or ProgressReporter()
    tensors = {name: source.tensor for name, source in used_sources(folder, config)}
    check_head(config, tensors)
    is_large, stored = is_large_model(tensors), stored_dtype(tensors)
    dtype = dtype or default_dtype(device, is_large, stored)
    if adapter is not None:
        drop_tied_head(tensors)
        merge(tensors, adapter, our_name, dtype)
    model = build(config, tensors)
    is_mapped = device.type == "cpu" and stored == dtype
    tables = stored_tables(model)
    first = torch.device("cpu") if bits else device  # packed on the way to the device
    for count, name in enumerate(list(tensors)):  # one at a time: no weights are held twice
        reporter.report("reading", count, len(tensors))
        if name not in tables:
            tensors[name] = brought(tensors[name], first, dtype, is_kept=is_large)
            check_finite(name, tensors[name], is_sampled=is_large and is_mapped)
        elif not is_large:
            tensors[name] = tensors[name].clone()
    model.load_state_dict(tensors, strict=True, assign=True)
    model.requires_grad_(False).eval()
    tensors.clear()
    if bits:
        quantize(model, bits, device, dtype)
    else:
        fuse(model, device, dtype, reporter, is_mapped=is_large and is_mapped)
    return model


def fuse(
    model: VisionLanguageModel,
    device: torch.device,
    dtype: torch.dtype,
    reporter: ProgressReporter,
    *,
    is_mapped: bool,
) -> None:
    """Put matrices that read the same numbers side by side, prepacked where that is quicker.

    is_mapped: they are pages of a file, which joining alone would copy for too little. `reporter`
    is told every layer that is prepacked.
    """
    if can_prepack(model, device, dtype):
        count, total = itertools.count(), num_layers(model)
        model.fuse(prepacks=True, each=lambda: reporter.report("preparing", next(count) + 1, total))
        if is_mapped:
            return_pages(matrices(model))
    elif not is_mapped:
        model.fuse()


def load_dispatched(
    folder: Path,
    config: ModelConfig,
    dtype: torch.dtype | None,
    limits: Mapping[Place, int] | None = None,
    reporter: ProgressReporter | None = None,
) -> VisionLanguageModel:
    """Build the model of a folder over all devices of this machine; see spreading.py.

    limits: bytes by device, the main one first; None asks the machine. `reporter` is told every
    tensor, and may call it off.
    """
    limits = limits or limits_here()
    sources = dict(used_sources(folder, config))
    tensors = {name: source.tensor for name, source in sources.items()}
    check_head(config, tensors)
    model = build(config, tensors)
    device = torch.device(next(iter(limits)))
    dtype = dtype or default_dtype(device, is_large_model(tensors), stored_dtype(tensors))
    sizes = {name: tensor.numel() * dtype.itemsize for name, tensor in tensors.items()}
    tables = stored_tables(model)
    places = plan_device_map(sizes, config.text.num_layers, limits, tables)
    dispatch(
        model,
        {name: sources[name] for name in tensors},
        places,
        dtype,
        reporter or ProgressReporter(),
        tables,
    )
    return model


def used_sources(folder: Path, config: ModelConfig) -> Iterator[tuple[str, TensorSource]]:
    """The tensors of a folder's files that this model is made of, by our names."""
    for name, source in read_sources(folder):
        if not is_left_out(source.name, config):
            yield name, source


def build(config: ModelConfig, tensors: dict[str, Tensor]) -> VisionLanguageModel:
    """An empty model (on meta) that these tensors fit exactly."""
    if odd := [name for name, tensor in tensors.items() if tensor.dtype not in WHOLE]:
        kind = str(tensors[odd[0]].dtype).removeprefix("torch.")
        raise packed(f"numbers of type {kind} in {list_names(odd)}")
    has_own_head = drop_tied_head(tensors)
    with torch.device("meta"):
        model = VisionLanguageModel(config, has_own_head=has_own_head)
    check_names(model.state_dict(), tensors)
    return model


def brought(tensor: Tensor, device: torch.device, dtype: torch.dtype, *, is_kept: bool) -> Tensor:
    """A tensor of a file on its device and in its type; in the file still, where it is kept there.

    Others are copied: their file may be cut short while they are in use.
    """
    return tensor.to(device=device, dtype=dtype, copy=not is_kept)


def check_finite(name: str, tensor: Tensor, *, is_sampled: bool) -> None:
    """Refuse weights that are infinite or no numbers: they would make every answer nonsense.

    is_sampled: some of a tensor's numbers are looked at, where the others are not read yet.
    """
    numbers = tensor.flatten()
    if is_sampled and len(numbers) > SAMPLE:  # runs from begin to end, so that few pages are read
        step, length = len(numbers) // NUM_RUNS, SAMPLE // NUM_RUNS
        numbers = torch.cat([numbers[n * step :][:length] for n in range(NUM_RUNS)])
    # a sum is finite only where all are, and costs a tenth; large ones may add up to too much
    is_finite = bool(torch.isfinite(numbers.sum(dtype=torch.float32)))
    if not is_finite and not bool(torch.isfinite(numbers).all()):
        raise CheckpointError(
            f"{name} holds numbers that are not finite in {str(tensor.dtype)[6:]}. Fetch the "
            "checkpoint again, or load it in another number type.",
            "E_CHECKPOINT_DAMAGED",
        )


def stored_tables(model: VisionLanguageModel) -> set[str]:
    """Names of the tables that stay in their file, in its number type."""
    modules = model.named_modules()
    return {f"{name}.weight" for name, one in modules if isinstance(one, StoredTable)}


def check_head(config: ModelConfig, tensors: Mapping[str, Tensor]) -> None:
    """Refuse a file without the head of its own that its config.json speaks of."""
    if not config.is_tied and HEAD not in tensors:
        raise CheckpointError(
            f"config.json says tie_word_embeddings false, and there is no {HEAD} in the file. "
            "Fetch it again, or correct its config.json.",
            "E_CHECKPOINT_TENSORS",
        )


def is_large_model(tensors: Mapping[str, Tensor]) -> bool:
    """Whether a CPU had better keep the file's own number type."""
    return sum(tensor.numel() for tensor in tensors.values()) > LARGE


def stored_dtype(tensors: Mapping[str, Tensor]) -> torch.dtype:
    """The number type of a file: that of its embedding."""
    return tensors[EMBEDDING].dtype if EMBEDDING in tensors else torch.float32


def default_dtype(device: torch.device, is_large: bool, stored: torch.dtype) -> torch.dtype:
    """bfloat16 on a GPU; on a CPU float32, or the file's own type where the file is large."""
    if device.type != "cpu":
        return torch.bfloat16
    return stored if is_large else torch.float32


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
    """Refuse a file unless it has exactly the tensors of the model; the message names five
    of each fault."""
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
    told = [f"{what}: {list_names(keys)}" for what, keys in faults.items() if keys]
    if told:
        raise CheckpointError(
            f"The checkpoint does not fit its config.json. Tensors {'; '.join(told)}. "
            "Fetch it again, or correct its config.json.",
            "E_CHECKPOINT_TENSORS",
        )
