"""Quantization: the decoder's matrices in 8 or 4 bits, through bitsandbytes.

The tower, the projector, tables, routers, norms and the head stay whole: boxes and masks hang on
what the tower sees. 8 bits are LLM.int8() with outliers above 6 kept whole, 4 bits are NF4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType

import torch
from torch import nn

from gemma_vision.extras import require
from gemma_vision.model import uninitialized_layers
from gemma_vision.model.gemma4.experts import Experts, SplitExperts
from gemma_vision.model.vision_language_model import VisionLanguageModel

BITS = {"int8": 8, "int4": 4}
OUTLIER = 6.0  # threshold of LLM.int8() (Dettmers et al., 2022)


def quantize(
    model: VisionLanguageModel, bits: int, device: torch.device, dtype: torch.dtype
) -> None:
    """Replace every matrix of the decoder's layers, one at a time, on the device."""
    library = open_library()
    for layer in model.text.layers:
        experts = getattr(layer, "experts", None)
        if isinstance(experts, Experts):
            layer.experts = split(experts, lambda one: packed(library, one, bits, device, dtype))
        for block in (layer.self_attn, layer.mlp):
            assert isinstance(block, nn.Module)
            for name, child in list(block.named_children()):
                if isinstance(child, nn.Linear):
                    setattr(block, name, packed(library, child, bits, device, dtype))
    model.to(device)


def split(experts: Experts, pack: Callable[[nn.Linear], nn.Module]) -> SplitExperts:
    """Experts with a packed module for each matrix."""

    def linears(stack: torch.Tensor) -> Iterator[nn.Module]:
        for weight in stack.data:
            linear = uninitialized_layers.Linear(
                weight.shape[1], weight.shape[0], bias=False, device="meta"
            )
            linear.weight = nn.Parameter(weight, requires_grad=False)
            yield pack(linear)

    return SplitExperts(list(linears(experts.gate_up_proj)), list(linears(experts.down_proj)))


def packed(
    library: ModuleType, whole: nn.Linear, bits: int, device: torch.device, dtype: torch.dtype
) -> nn.Module:
    """One matrix in few bits; the packing happens on its way to the device."""
    sizes, weight = (whole.in_features, whole.out_features), whole.weight.data
    module: nn.Module
    if bits == 8:
        module = library.nn.Linear8bitLt(
            *sizes, bias=False, has_fp16_weights=False, threshold=OUTLIER
        )
        module.weight = library.nn.Int8Params(weight, requires_grad=False, has_fp16_weights=False)
    else:
        module = library.nn.Linear4bit(*sizes, bias=False, quant_type="nf4", compute_dtype=dtype)
        module.weight = library.nn.Params4bit(weight, requires_grad=False, quant_type="nf4")
    return module.to(device)


def open_library() -> ModuleType:
    """bitsandbytes; MissingPackageError with what to do where it is not installed."""
    require("quantize", instead=", or take another dtype")
    import bitsandbytes  # type: ignore[import-not-found, unused-ignore]

    library: ModuleType = bitsandbytes
    return library
