"""Memory: how much a checkpoint needs, and how much this machine can give. An estimate, in bytes.

Nothing is loaded to find out: sizes come from the number of parameters.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from gemma_vision.errors import CheckpointError

LARGE = 1_000_000_000  # parameters; from here on a CPU keeps the file's own number type
BYTES = {"float32": 4.0, "bfloat16": 2.0, "float16": 2.0, "int8": 1.1, "int4": 0.7}  # a number
PACKED = ("int8", "int4")
SPARE = 1.15  # weights, and room for the key-value cache, soft tokens and pictures under way
GIB = 2**30
# limit and use of a container, version 2 and version 1 of control groups
GROUPS = (
    ("memory.max", "memory.current"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
)
GROUP_ROOT = Path("/sys/fs/cgroup")
PROCESSES = "GEMMA_VISION_PROCESSES"  # how many of this machine load a checkpoint at once


@dataclass(frozen=True)
class Numbers:
    """How many numbers a checkpoint has, and how many of them memory treats in another way.

    mapped: those of tables that are looked up in their file and never in memory. plain: those that
    packing leaves whole (tables, tower), told where they are many beside the others.
    """

    total: int
    mapped: int = 0
    plain: int = 0


def weigh(parameters: int | Numbers, device: str, dtype: str | None) -> int:
    """What a checkpoint takes in memory. dtype None, or "auto", is what loading picks."""
    numbers = Numbers(parameters) if isinstance(parameters, int) else parameters
    is_whole = device.startswith("cpu") and numbers.total <= LARGE
    picked = BYTES.get(dtype or "", BYTES["float32" if is_whole else "bfloat16"])
    plain = numbers.plain if dtype in PACKED else 0
    held = numbers.total - numbers.mapped - plain
    return int((held * picked + plain * BYTES["bfloat16"]) * SPARE)


def released(parameters: int, device: str, dtype: str | None, engine: object = None) -> int:
    """What letting go of a checkpoint, and of the engine that ran it, brings back.

    A large one on a CPU in its file's own type is mapped, not copied: its pages count as free, and
    what comes back is the prepacked copy of its matrices, if there is one.
    """
    is_mapped = device.startswith("cpu") and dtype not in BYTES and parameters > LARGE
    model = getattr(getattr(engine, "checkpoint", None), "model", None)
    is_prepacked = getattr(model, "prepacked_head", None) is not None
    return 0 if is_mapped and not is_prepacked else weigh(parameters, device, dtype)


def free(device: str) -> int:
    """What a new checkpoint may take on a device ("cpu", "cuda:0", "mps") now."""
    if not device.startswith("cuda"):
        import psutil  # type: ignore[import-untyped]

        return min(int(psutil.virtual_memory().available), group_free())
    import torch

    idle = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(torch.cuda.mem_get_info(device)[0]) + int(idle)


def num_processes() -> int:
    """How many processes want what is free, as an environment variable says; else 1."""
    told = os.environ.get(PROCESSES, "")
    return max(1, int(told)) if told.isdecimal() else 1


def group_free(root: Path = GROUP_ROOT) -> int:
    """What a container's limit leaves; a number past all machines where there is no limit."""
    for limit, used in GROUPS:
        try:
            return int((root / limit).read_text()) - int((root / used).read_text())
        except (OSError, ValueError):  # not there, or "max"
            continue
    return 2**62


def check_fits(name: str, needed: int, there: int) -> None:
    """Refuse a checkpoint that does not fit: CheckpointError."""
    if needed > there:
        raise CheckpointError(
            f"{name} needs about {needed / GIB:.1f} GiB of memory and {there / GIB:.1f} GiB are "
            "free here. Take a smaller one, or name it when the app starts to try it all the same.",
            "E_MEMORY",
        )


def give_back() -> None:
    """Hand freed memory back to the device, after the last reference to a model has gone."""
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
