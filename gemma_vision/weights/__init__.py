"""Weights: a checkpoint found, opened and strictly loaded, from safetensors only."""

from .checkpoint import Checkpoint, open_checkpoint, pick_device
from .files import our_name
from .loading import load_model

__all__ = ["Checkpoint", "load_model", "open_checkpoint", "our_name", "pick_device"]
