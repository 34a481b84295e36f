"""Safetensors files: the tensors of a checkpoint, by our names. Nothing is unpickled.

Forms of the same names are in circulation (text with or without an inner `model.`, the tower
with or without `vision_model.`, all with one outer `model.`, several or none); each is understood.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from gemma_vision.checkpoints.weight_files import weight_files
from gemma_vision.errors import CheckpointError

PREFIXES = tuple(  # published name -> our name; the head comes before the text it lies in
    (re.compile(pattern), ours)
    for pattern, ours in (
        (r"^(model\.)*vision_tower\.(vision_model\.)?", "vision."),
        (r"^(model\.)*(multi_modal_projector|embed_vision)\.", "projector."),
        (r"^(model\.)*(language_model\.)?lm_head\.", "lm_head."),
        (r"^(model\.)*language_model\.(model\.)?", "text."),
    )
)
# tables that old files stored and that are computed here, and the pooling head of a tower, which
# looks at what the tower says and is looked at by nobody
UNUSED = re.compile(r"\.(position_ids|rotary_emb\.inv_freq)$|^vision\.head\.")


@dataclass(frozen=True)
class TensorSource:
    """A tensor as it lies in a file."""

    path: Path
    name: str  # the published one
    tensor: Tensor  # mapped: nothing is read before it is used


def read_sources(folder: Path) -> Iterator[tuple[str, TensorSource]]:
    """Every tensor of a folder's safetensors files by our name for it."""
    for path in weight_files(folder):
        for name, tensor in read_file(path):
            if not UNUSED.search(our_name(name)):
                yield our_name(name), TensorSource(path, name, tensor)


def read_file(path: Path) -> Iterator[tuple[str, Tensor]]:
    """The tensors of one safetensors file under the names they have there."""
    try:
        with safe_open(path, framework="pt") as file:
            for key in file.keys():  # noqa: SIM118  (no mapping: keys is all it has)
                yield key, file.get_tensor(key)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path.name} is no whole safetensors file ({error}). Fetch it again.",
            "E_CHECKPOINT_DAMAGED",
        ) from error


def count_numbers(path: Path) -> int:
    """How many numbers the tensors of a file have, told from its head alone."""
    try:
        with safe_open(path, framework="pt") as file:
            shapes = [file.get_slice(key).get_shape() for key in file.keys()]  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path.name} is no whole safetensors file ({error}). Fetch it again.",
            "E_CHECKPOINT_DAMAGED",
        ) from error
    return sum(math.prod(shape) for shape in shapes)


def our_name(published: str) -> str:
    """language_model.model.norm.weight  ->  text.norm.weight"""
    for pattern, ours in PREFIXES:
        if pattern.match(published):
            return pattern.sub(ours, published, count=1)
    return published
