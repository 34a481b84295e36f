"""Processes: one run on several GPUs, a process each, as `accelerate launch` starts them.

    accelerate launch --num_processes 2 -m gemma_vision finetune ...

Every process has the whole model; gradients are averaged after each update's backward pass, so that
all take the same step. The first one alone scores and writes.
"""

import os
from collections.abc import Sequence

import torch
from torch import Tensor

from gemma_vision.extras import require


class Processes:
    """The processes of a run: this one's place among them. One alone where none were started."""

    def __init__(self, index: int = 0, count: int = 1) -> None:
        self.index, self.count = index, count

    @property
    def is_first(self) -> bool:
        """Whether this process scores and writes."""
        return self.index == 0

    def is_turn(self, turn: int) -> bool:
        """Whether a batch is this process's."""
        return turn % self.count == self.index

    def average(self, gradients: Sequence[Tensor]) -> None:
        """The mean over all processes, in place."""
        if self.count == 1:
            return
        for gradient in gradients:
            torch.distributed.all_reduce(gradient)
            gradient.div_(self.count)

    def wait(self) -> None:
        """Until all processes are here."""
        if self.count > 1:
            torch.distributed.barrier()

    def agree(self, value: float) -> float:
        """What the first process says, in all of them."""
        if self.count == 1:
            return value
        said = torch.tensor([value], dtype=torch.float64, device=self._device)
        torch.distributed.broadcast(said, 0)
        return float(said.item())

    @property
    def _device(self) -> torch.device:
        is_gpu = torch.distributed.get_backend() == "nccl"
        return torch.device("cuda", torch.cuda.current_device()) if is_gpu else torch.device("cpu")


def started_processes(device: str | None) -> tuple[Processes, str | None]:
    """The processes that a launcher started, and the device of this one."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return Processes(), device
    require("spread")
    from accelerate import PartialState  # type: ignore[import-untyped]

    state = PartialState(cpu=device == "cpu")
    return Processes(state.process_index, state.num_processes), str(state.device)
