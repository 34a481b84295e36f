"""Prepacked matrices: whether there is room for them (what they are: model/fused/prepacking.py).

A prepacked matrix is a copy. A large checkpoint's own stay pages of its file, which the system
reads again whenever they are wanted; until then they need no memory.
"""

from __future__ import annotations

import ctypes
import mmap
import sys
from collections.abc import Iterable

import torch
from torch import Tensor

from gemma_vision.model import uninitialized_layers
from gemma_vision.model.decoder import Layer
from gemma_vision.model.fused.prepacking import prepacking_pays
from gemma_vision.model.gemma4.layer import MixedLayer
from gemma_vision.model.siglip import Block
from gemma_vision.model.vision_language_model import VisionLanguageModel
from gemma_vision.weights.memory import free, num_processes

ROOM = 2  # times what prepacked matrices take is free before they are made
PAGEOUT = 21  # MADV_PAGEOUT of Linux: nothing is lost, whatever the pages are


def matrices(model: VisionLanguageModel) -> list[Tensor]:
    """All that rows are multiplied with, the head among them."""
    maps = [one for one in model.modules() if isinstance(one, uninitialized_layers.Linear)]
    found = [*(one.weight for one in maps), model.head]
    return list({id(weight): weight for weight in found}.values())


def num_layers(model: VisionLanguageModel) -> int:
    """Layers of decoder and tower whose matrices are prepacked."""
    return sum(isinstance(one, (Layer, MixedLayer, Block)) for one in model.modules())


def can_prepack(model: VisionLanguageModel, device: torch.device, dtype: torch.dtype) -> bool:
    """Whether products are quicker with prepacked matrices, and memory has room for both."""
    if device.type != "cpu" or dtype != torch.bfloat16 or not prepacking_pays():
        return False
    prepacked = sum(one.numel() for one in matrices(model)) * dtype.itemsize
    return free("cpu") > ROOM * num_processes() * prepacked


def return_pages(tensors: Iterable[Tensor]) -> None:
    """Let the system take back the pages that tensors of a mapped file lie in, where it can."""
    if not sys.platform.startswith("linux"):
        return
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for tensor in tensors:
        begin = -(-tensor.data_ptr() // mmap.PAGESIZE) * mmap.PAGESIZE
        end = tensor.data_ptr() + tensor.numel() * tensor.element_size()
        if end > begin:
            advise(begin, end - begin, PAGEOUT)
