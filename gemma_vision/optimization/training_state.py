"""Training state: a module, its optimiser and how far they are, as one safetensors file.

The numbers lie in the file's own metadata, so that weights and numbers cannot belong to different
moments. Knows nothing of what is trained.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from gemma_vision.optimization.atomic_write import atomic_file
from postprocess.errors import UserError

KEY = "reached"  # in the metadata of the file


class StateError(UserError):
    """A file of state that cannot be gone on from; the message says what to do."""

    CODE = "E_STATE"


@dataclass(frozen=True)
class StageProgress:
    """How far a stage is."""

    seconds: float = 0.0
    steps: int = 0
    notes: Mapping[str, Any] = field(default_factory=dict)  # what else its loop has to know


def save_state(path: Path, module: nn.Module, opt: Optimizer, progress: StageProgress) -> None:
    """Write everything that going on needs, whole or not at all."""
    tensors = {f"module.{k}": v.contiguous() for k, v in module.state_dict().items()}
    tensors = _unshared(tensors) | {f"opt.{k}": v for k, v in _moments(opt)}
    with atomic_file(path) as draft:
        save_file(tensors, draft, metadata={KEY: json.dumps(asdict(progress))})


def load_state(path: Path, module: nn.Module, opt: Optimizer) -> StageProgress:
    """Put a saved state into a module and its optimiser -> how far it is."""
    progress, tensors = read_progress(path), load_file(path)
    wanted = _unshared({f"module.{k}": v for k, v in module.state_dict().items()})
    shapes = {k: v.shape for k, v in tensors.items() if k.startswith("module.")}
    if shapes != {k: v.shape for k, v in wanted.items()}:
        raise StateError(
            f"{path} is of a model with other sizes; remove its folder to begin anew, or give the "
            "preset it was trained with."
        )
    module.load_state_dict({k.removeprefix("module."): tensors[k] for k in wanted}, strict=False)
    for index, parameter in enumerate(_parameters(opt)):
        keys = [k for k in tensors if k.startswith(f"opt.{index}.")]
        if keys:
            named = {k.split(".", 2)[2]: tensors[k] for k in keys}
            opt.state[parameter] = {k: _beside(v, parameter) for k, v in named.items()}
    return progress


def read_progress(path: Path) -> StageProgress:
    """How far the state in a file is; nothing where there is no file."""
    if not path.exists():
        return StageProgress()
    try:
        with safe_open(path, "pt") as file:
            notes = (file.metadata() or {})[KEY]
    except (SafetensorError, KeyError) as error:
        raise StateError(
            f"{path} is no state of this program; remove it to train its stage anew."
        ) from error
    return StageProgress(**json.loads(notes))


def _beside(value: Tensor, parameter: nn.Parameter) -> Tensor:
    """Averages live where their parameter does; the optimiser counts its steps on the CPU."""
    return value if value.ndim == 0 else value.to(parameter.device)


def _parameters(opt: Optimizer) -> Iterator[nn.Parameter]:
    for group in opt.param_groups:
        yield from group["params"]


def _moments(opt: Optimizer) -> Iterator[tuple[str, Tensor]]:
    for index, parameter in enumerate(_parameters(opt)):
        for key, value in opt.state.get(parameter, {}).items():
            yield f"{index}.{key}", torch.as_tensor(value).contiguous()


def _unshared(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Leave out second names of one tensor (a tied head): the format stores each once."""
    stored: set[int] = set()
    unique = {}
    for key, value in tensors.items():
        if value.numel() == 0 or value.data_ptr() not in stored:
            unique[key] = value
            stored.add(value.data_ptr())
    return unique
