"""Foreign formats: checkpoints that others packed or wrote for other programs, told by their marks.

Nothing large is opened: config.json, the names of files and of repositories say it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gemma_vision.errors import CheckpointError

CODE = "E_PREQUANTISED"
REMEDY = (
    "Take the one that it was made from; `--dtype int4` or `int8` (dtype= in Python) packs that "
    "one here, while it is loaded."
)
# Keys of config.json under which packing is noted: transformers; MLX; compressed-tensors of old.
PACKING_KEYS = ("quantization_config", "quantization", "compression_config")
# Files beside config.json in which AutoGPTQ, AutoAWQ and ModelOpt note it.
PACKING_FILES = ("quantize_config.json", "quant_config.json", "hf_quant_config.json")
GGUF_NAME = re.compile(r"[-_.]gguf$", re.IGNORECASE)

FILES: Mapping[str, str] = {  # ending of a name -> what such a file is, and what to name instead
    ".safetensors": "holds weights alone. Name the folder that has its config.json and "
    "tokenizer.json too, as model.safetensors in it",
    ".gguf": f"is packed for llama.cpp (GGUF), which is not read. {REMEDY[:-1]}",
    ".npz": "holds arrays of JAX or a mask decoder. Name a folder with a checkpoint in the form of "
    "transformers",
    ".onnx": "is made for ONNX. Name the checkpoint that it was made from",
    ".tflite": "is made for LiteRT. Name the checkpoint that it was made from",
    ".task": "is made for LiteRT. Name the checkpoint that it was made from",
    ".zip": "is an archive. Unpack it and name the folder",
    ".gz": "is an archive. Unpack it and name the folder",
    ".tar": "is an archive. Unpack it and name the folder",
    **dict.fromkeys(
        (".bin", ".pt", ".pth", ".ckpt"),
        "is a pickle, which can run code and is not opened. Save the model as safetensors and name "
        "its folder",
    ),
}


def check_file_name(name: str) -> None:
    """Refuse the name of a single file, and of a repository of GGUF files: CheckpointError."""
    ending = Path(name).suffix.lower()
    if ending in FILES and not Path(name).expanduser().is_dir():
        code = CODE if ending == ".gguf" else "E_MODEL_UNKNOWN"
        raise CheckpointError(f"{Path(name).name} {FILES[ending]}.", code)
    if GGUF_NAME.search(name) and not Path(name).expanduser().is_dir():
        raise CheckpointError(f"{name} {FILES['.gguf']}.", CODE)


def check_unpacked(values: Mapping[str, Any], folder: Path | None = None) -> None:
    """Refuse a checkpoint that somebody else packed: CheckpointError.

    values: its config.json. folder: where that lies, for files beside it that say so.
    """
    parts = [values, *(values.get(part) or {} for part in ("text_config", "vision_config"))]
    for part in parts:
        for key in PACKING_KEYS:
            if isinstance(part, Mapping) and part.get(key):
                raise packed(f"config.json has {key}: {method_of(key, part[key])}")
    for name in PACKING_FILES if folder is not None else ():
        if folder is not None and (folder / name).is_file():
            raise packed(f"it has a {name}")


def packed(mark: str) -> CheckpointError:
    """The refusal of a packed checkpoint; the mark says how it was told."""
    return CheckpointError(
        f"The checkpoint is packed already ({mark}), which is not read. {REMEDY}", CODE
    )


def method_of(key: str, noted: object) -> str:
    """gptq, 4 bits   (as far as it is noted)"""
    if not isinstance(noted, Mapping):
        return str(noted)
    bits = next((n for n in (4, 8) if noted.get(f"load_in_{n}bit")), noted.get("bits"))
    kind = noted.get("quant_method") or ("MLX" if noted.get("group_size") else "bitsandbytes")
    if key == "compression_config":
        kind = "compressed-tensors"
    return f"{kind}, {bits} bits" if bits else str(kind)
