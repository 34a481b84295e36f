"""Stages: the stops on the way, and tensors as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[Any]


@dataclass(frozen=True)
class Stage:
    """A stop on the way: the shape of the tensor there, what it holds, and facts about it.

    In their order: "crops" (with pan-and-scan only), "pixels", "patches", "features", "soft",
    "merged", "tokens", "masks". "merged" and "tokens" come again while the answer grows.
    """

    name: str
    shape: tuple[int, ...]
    arrays: Mapping[str, Array] = field(default_factory=dict, repr=False)
    facts: Mapping[str, Any] = field(default_factory=dict, repr=False)


def to_array(tensor: Tensor) -> Array:
    """Float32 numbers on the CPU."""
    array: Array = tensor.float().cpu().numpy()
    return array
