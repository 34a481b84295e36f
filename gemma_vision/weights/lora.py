"""LoRA: a fine-tune in a PEFT folder, merged into the weights of its base model.

r rank: A is (r, in), B is (out, r), the change is strength * B @ A. With DoRA each output of the
changed weight is then scaled to a length of its own (Liu et al., 2024).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gemma_vision.checkpoints.adapter_config import (
    rank_of,
    read_adapter,
    strength,
    token_indices,
)
from gemma_vision.checkpoints.file_names import ADAPTER_CONFIG, ADAPTER_WEIGHTS, name_of
from gemma_vision.errors import CheckpointError, list_names
from gemma_vision.weights.safetensors_files import read_file

EMBEDDING, HEAD = "text.embed_tokens.weight", "lm_head.weight"
WRAPPER = "base_model.model."  # what PEFT writes before every name
# ...q_proj.lora_A.weight, ...embed_tokens.lora_embedding_A, ...q_proj.lora_magnitude_vector
FACTOR = re.compile(
    r"\.lora_(?P<part>(?:embedding_)?[AB]|magnitude_vector)(?:\.default)?"
    r"(?P<bias>\.bias)?(?:\.weight)?$"
)
ROWS = re.compile(r"\.token_adapter\.trainable_tokens_delta(\.default)?$")
INNER = re.compile(r"\.(base_layer|modules_to_save(\.default)?)(?=\.)")  # parts that are whole
A_PAIR, AN_EMBEDDINGS_PAIR = {"A", "B"}, {"embedding_A", "embedding_B"}


@dataclass
class AdapterParts:
    """What an adapter's file holds, by the module that it belongs to.

    wholes: parts that were trained whole, by their own names. factors: "A" and "B" of a matrix and
    what else its kind has. rows: rows of a table of embeddings.
    """

    wholes: dict[str, Tensor] = field(default_factory=dict)
    factors: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    rows: dict[str, Tensor] = field(default_factory=dict)


def merge(
    tensors: dict[str, Tensor],
    folder: Path,
    rename: Callable[[str], str],
    dtype: torch.dtype,
) -> None:
    """Put a folder's adapter into the weights, in place; merged ones come out as `dtype`.

    rename turns a published name into the names of `tensors`. A head that is tied to the embedding
    is given its own weights first, for PEFT changes the one without the other; where both come out
    equal, loading ties them again. Raises CheckpointError for kinds that cannot be merged and for
    parts that the model does not have.
    """
    config = read_adapter(folder) or {}
    parts = sort_parts(read_file(adapter_file(folder)))
    if parts == AdapterParts():
        message = f"{ADAPTER_WEIGHTS} of {name_of(folder)} holds no weights. Fetch it again."
        raise CheckpointError(message, "E_CHECKPOINT_DAMAGED")
    if HEAD not in tensors and EMBEDDING in tensors:
        tensors[HEAD] = tensors[EMBEDDING]
    check_wholes(config, parts.wholes, tensors, rename)
    for name, tensor in parts.wholes.items():
        put_whole(tensors, rename(name), tensor)
    for module, rows in parts.rows.items():
        put_rows(tensors, rename(f"{module}.weight"), rows, token_indices(config, module))
    for module, factors in parts.factors.items():
        check_factors(module, factors, rank_of(config, module))
        if config.get("use_dora") and "magnitude_vector" not in factors:
            raise misfit(f"is DoRA and has no lengths for {module}")
        factor = strength(config, module)
        for name, merged in merged_layer(tensors, rename(f"{module}.weight"), factors, factor):
            tensors[name] = merged.to(dtype)


def sort_parts(given: Iterable[tuple[str, Tensor]]) -> AdapterParts:
    """Tell the factors of an adapter's file from what was trained whole."""
    parts = AdapterParts()
    for name, tensor in given:
        path = name.removeprefix(WRAPPER)
        if found := FACTOR.search(path):
            part = found["part"] + (found["bias"] or "")
            parts.factors.setdefault(path[: found.start()], {})[part] = tensor
        elif found := ROWS.search(path):
            parts.rows[path[: found.start()]] = tensor
        else:
            parts.wholes[INNER.sub("", path)] = tensor
    return parts


def check_wholes(
    config: Mapping[str, Any],
    wholes: Iterable[str],
    tensors: Iterable[str],
    rename: Callable[[str], str],
) -> None:
    """Refuse an adapter without a part that its folder says was trained whole.

    A part that the model does not have either is passed over, as PEFT does it.
    """
    there, held = list(tensors), [rename(name) for name in wholes]
    for named in config.get("modules_to_save") or ():
        part = f".{rename(f'{named}.')}"
        is_meant = any(part in f".{name}" for name in there)
        if is_meant and not any(part in f".{name}" for name in held):
            raise misfit(f"names {named} among what was trained whole, and does not hold it")


def check_factors(module: str, factors: Mapping[str, Tensor], rank: int) -> None:
    """Refuse a matrix of which half is missing, or whose rank is not what the folder says."""
    pair = AN_EMBEDDINGS_PAIR if "embedding_A" in factors else A_PAIR
    if not pair <= factors.keys():
        raise misfit(f"has only half of {module}")
    a, b = (factors[part] for part in sorted(pair))
    if min(a.ndim, b.ndim) < 2 or a.shape[0] != rank or b.shape[1] != rank:
        shapes = f"{tuple(a.shape)} and {tuple(b.shape)}"
        raise CheckpointError(
            f"The adapter has {shapes} for {module}, where {ADAPTER_CONFIG} says rank {rank}: its "
            "two files are not of one run. Fetch or save both again.",
            "E_ADAPTER",
        )


def merged_layer(
    tensors: Mapping[str, Tensor], name: str, factors: Mapping[str, Tensor], factor: float
) -> Iterator[tuple[str, Tensor]]:
    """A layer's weight with its change, and its bias where that has one, computed in float32."""
    weight = tensors.get(name)
    if weight is None:
        raise misfit(f"changes {name}, which the model does not have")
    change = factor * change_of(factors)
    if change.numel() != weight.numel() or change.shape[0] != weight.shape[0]:
        raise misfit(f"has {name} as {tuple(change.shape)} instead of {tuple(weight.shape)}")
    merged = weight.float() + change.view_as(weight)
    if "magnitude_vector" in factors:
        merged = rescaled(merged, factors["magnitude_vector"].float(), "embedding_A" in factors)
    yield name, merged
    if "B.bias" in factors:
        bias = tensors.get(name.removesuffix("weight") + "bias")
        if bias is None:
            raise misfit(f"adds a bias to {name}, which has none (lora_bias)")
        yield name.removesuffix("weight") + "bias", bias.float() + factor * factors["B.bias"]


def change_of(factors: Mapping[str, Tensor]) -> Tensor:
    """B @ A.   (r, in), (out, r) -> (out, in); of a table of embeddings transposed; those of a
    convolution, (r, in, k, k) and (out, r, 1, 1), are laid out flat: (out, in * k * k)
    """
    if "embedding_A" in factors:
        return (factors["embedding_B"].float() @ factors["embedding_A"].float()).T
    return factors["B"].float().flatten(1) @ factors["A"].float().flatten(1)


def rescaled(weight: Tensor, lengths: Tensor, is_table: bool) -> Tensor:
    """DoRA: every output has the length that was learned.   (out, ...), (out) -> (out, ...)

    The outputs of a table of embeddings are its columns.
    """
    rows = weight.T if is_table else weight.flatten(1)
    scaled = rows * (lengths.flatten() / torch.linalg.norm(rows, dim=1))[:, None]
    restored: Tensor = scaled.T if is_table else scaled.view_as(weight)
    return restored


def put_whole(tensors: dict[str, Tensor], name: str, tensor: Tensor) -> None:
    """Replace a part that was trained whole."""
    before = tensors.get(name)
    if before is None:
        raise misfit(f"holds {name}, which the model does not have")
    if before.shape != tensor.shape:
        raise misfit(f"holds {name} as {tuple(tensor.shape)} instead of {tuple(before.shape)}")
    tensors[name] = tensor


def put_rows(tensors: dict[str, Tensor], name: str, rows: Tensor, indices: list[int]) -> None:
    """Replace rows of a table (`trainable_token_indices`); a head tied to it is changed with it."""
    before = tensors.get(name)
    fits = before is not None and rows.shape[1:] == before.shape[1:] and len(indices) == len(rows)
    if before is None or not fits or not all(0 <= i < len(before) for i in indices):
        raise misfit(f"has {len(rows)} rows for {name}, which are not those its folder names")
    table = before.clone()
    table[indices] = rows.to(before.dtype)
    shared = [other for other in (EMBEDDING, HEAD) if tensors.get(other) is before]
    tensors |= dict.fromkeys([name, *shared], table)


def adapter_file(folder: Path) -> Path:
    """The file with an adapter's weights; CheckpointError where there is none."""
    path = folder / ADAPTER_WEIGHTS
    if not path.is_file():
        others = list_names(found.name for found in folder.glob("adapter_model*"))
        instead = f" (it has {others})" if others else ""
        raise CheckpointError(
            f"{name_of(folder)} lacks {ADAPTER_WEIGHTS}{instead}; adapters are read from "
            "safetensors files only. Fetch it again, or save it as safetensors.",
            "E_CHECKPOINT_INCOMPLETE",
        )
    return path


def misfit(what: str) -> CheckpointError:
    """The adapter ... . Take the base that it was made for."""
    message = f"The adapter {what}. Take the base model that it was made for, or merge it with PEFT"
    return CheckpointError(f"{message} and load the folder that it then saves.", "E_ADAPTER")
