"""Weights: a checkpoint found, opened and strictly loaded, from safetensors only."""

from .checkpoint import Checkpoint, Found, locate, open_checkpoint, pick_device
from .files import our_name
from .loading import load_model

__all__ = [
    "Checkpoint",
    "Found",
    "load_model",
    "locate",
    "open_checkpoint",
    "our_name",
    "pick_device",
]
