"""File names: what the files of a checkpoint's folder are called."""

from __future__ import annotations

from pathlib import Path

CHECKPOINTS = Path(__file__).parent  # each folder in it is a checkpoint that comes inside
TOKENIZER = "tokenizer.json"
NOTES = "gemma_vision.json"  # what a checkpoint says of itself: policy, names, tasks, ...
SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
ADAPTER_CONFIG, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"  # of PEFT
DECODER_FILE = "mask_decoder.npz"  # beside a checkpoint that brings its own
PUBLISHED_FILE = "vae-oid.npz"  # the mask decoder of the published checkpoints
