"""Device map: a checkpoint too large for one device, its layers over several, through accelerate.

The tower, the projector, the embedding and the head stay whole on the main device; the decoder's
layers fill the devices in order, then the CPU, then stay in their files and are read when needed.
Tables that are only looked up stay mapped from their files, which takes no memory of anybody's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import torch

from gemma_vision.checkpoints.progress import ProgressReporter
from gemma_vision.errors import CheckpointError
from gemma_vision.extras import require
from gemma_vision.model.vision_language_model import VisionLanguageModel
from gemma_vision.weights.safetensors_files import TensorSource

DISK = "disk"
Place = int | str  # the number of a GPU, "cpu" or "disk"


def limits_here() -> dict[Place, int]:
    """The bytes that may be used on each device of this machine, best devices first."""
    require("spread", instead=", or name one device")
    from accelerate.utils import get_max_memory  # type: ignore[import-untyped]

    return dict(get_max_memory())


def plan_device_map(
    sizes: Mapping[str, int],
    num_layers: int,
    limits: Mapping[Place, int],
    tables: Collection[str] = (),
) -> dict[str, Place]:
    """Where each part goes: {"vision": 0, ..., "text.layers.0": 0, "text.layers.1": "disk"}.

    sizes: bytes by tensor name. limits: bytes by device, the main one first. tables: the names of
    those that stay mapped.
    """
    parts = whole_parts(name for name in sizes if name not in tables)
    main, *others = [*limits, DISK]
    left = dict(limits)
    left[main] -= sum(_bytes_of(part, sizes) for part in parts)
    if left[main] < 0:
        raise CheckpointError(
            f"The tower and the embedding alone do not fit on device {main}. "
            "Free some of its memory, or take a smaller checkpoint.",
            "E_MEMORY",
        )
    places: dict[str, Place] = dict.fromkeys(parts, main)
    places |= {name.rpartition(".")[0]: "cpu" for name in tables}
    for index in range(num_layers):
        part = f"text.layers.{index}"
        size = _bytes_of(part, sizes)
        while main != DISK and left[main] < size:
            main, *others = others
        if main != DISK:
            left[main] -= size
        places[part] = main
    return places


def whole_parts(names: Iterable[str]) -> list[str]:
    """What is never cut: everything but the decoder's layers."""
    whole = (name.split(".") for name in names if not name.startswith("text.layers."))
    return list(dict.fromkeys(".".join(parts[: 1 + (parts[0] == "text")]) for parts in whole))


def dispatch(
    model: VisionLanguageModel,
    sources: Mapping[str, TensorSource],
    places: Mapping[str, Place],
    dtype: torch.dtype,
    reporter: ProgressReporter,
    tables: Collection[str] = (),
) -> None:
    """Put a model that is on meta where the plan says; layers on disk stay there.

    Stored numbers that are no weights (scales, bounds) are few, and read at once wherever they are.
    """
    from accelerate import dispatch_model  # type: ignore[import-untyped]
    from accelerate.utils import set_module_tensor_to_device

    index = {}
    main = places["text.embed_tokens"]
    buffers = {name for name, _ in model.named_buffers()}
    for count, (name, source) in enumerate(sources.items()):
        reporter.report("reading", count, len(sources))
        place = places[part_of(name, places)]
        if name in tables:
            set_module_tensor_to_device(model, name, "cpu", source.tensor)
        elif place == DISK and name in buffers:
            set_module_tensor_to_device(model, name, main, source.tensor, dtype)
        elif place == DISK:
            index[name] = {
                "safetensors_file": str(source.path),
                "weight_name": source.name,
                "dtype": str(dtype).removeprefix("torch."),
            }
        else:
            set_module_tensor_to_device(model, name, place, source.tensor, dtype)
    model.requires_grad_(False).eval()
    dispatch_model(model, dict(places), main_device=main, offload_index=index or None)


def part_of(name: str, parts: Iterable[str]) -> str:
    """text.layers.1.mlp.up_proj.weight  ->  text.layers.1"""
    return next(part for part in parts if name.startswith(f"{part}."))


def _bytes_of(part: str, sizes: Mapping[str, int]) -> int:
    return sum(size for name, size in sizes.items() if name.startswith(f"{part}."))
