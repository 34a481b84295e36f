"""File names: what the files of a checkpoint's folder are called."""

from __future__ import annotations

import re
from pathlib import Path

CHECKPOINTS = Path(__file__).parent  # each folder in it is a checkpoint that comes inside
TOKENIZER = "tokenizer.json"
NOTES = "gemma_vision.json"  # what a checkpoint says of itself: policy, names, tasks, ...
SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
ADAPTER_CONFIG, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"  # of PEFT
DECODER_FILE = "mask_decoder.npz"  # beside a checkpoint that brings its own
PUBLISHED_FILE = "vae-oid.npz"  # the mask decoder of the published checkpoints
GALLERY = "gallery.webp"  # a small drawing of each of its names, row by row

HUB_FOLDER = re.compile(r"models--(.+?)--(.+)")  # owner and name in the Hub's cache


def name_of(folder: Path) -> str:
    """What a folder is called in a sentence: owner/name where it lies in the Hub's cache, else its
    own name. Whoever reads it may be a visitor, whom the paths of this machine do not concern.
    """
    found = next((hit for part in folder.parts if (hit := HUB_FOLDER.fullmatch(part))), None)
    return f"{found[1]}/{found[2]}" if found else folder.name or str(folder)
