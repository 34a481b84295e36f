"""An audit of devices where there is only one: which tensors would lie elsewhere than the model.

Follows tensors through a computation. Those of the model, those moved with `.to(device)` and those
made with `device=` are there; what is computed from them is there too. All others are here, on the
CPU of a machine whose model is on a GPU, and an operation that mixes the two would fail.
"""

import traceback
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary

CUDA_LIKE = torch.device("cpu", 0)  # the CPU, and yet not equal to a tensor's own "cpu"
MOVES = {Tensor.to, Tensor.cpu}
PICKS = {Tensor.__getitem__, Tensor.__setitem__}  # an index may lie on the CPU
QUESTIONS = {"__get__", "__set__"}  # attributes


class DeviceAudit(TorchFunctionMode):
    """Within it, `mixes` collects every operation on tensors from both places."""

    def __init__(self, *modules: nn.Module) -> None:
        super().__init__()
        self.there = WeakIdKeyDictionary()
        self.mixes: list[str] = []
        for module in modules:
            for tensor in (*module.parameters(), *module.buffers()):
                self.there[tensor] = True

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func == Tensor.device.__get__ and args[0] in self.there:
            return CUDA_LIKE
        result = func(*args, **kwargs)
        if getattr(func, "__name__", "") in QUESTIONS:
            same = args and isinstance(args[0], Tensor) and args[0] in self.there
            return self._mark(result) if same else result
        if func in MOVES:
            moves = any(isinstance(one, torch.device) for one in (*args, *kwargs.values()))
            return self._mark(result) if moves or args[0] in self.there else result
        tensors = list(self._tensors(func, args, kwargs))
        num_there = sum(one in self.there for one in tensors)
        if num_there and num_there < len(tensors):
            self.mixes.append(f"{func.__name__} in {_caller()}")
        return self._mark(result) if num_there or kwargs.get("device") is not None else result

    def _tensors(self, func: Any, args: Any, kwargs: Any) -> Iterator[Tensor]:
        """Those that have to lie side by side: single numbers may come from anywhere."""
        for one in tree_leaves((args, kwargs)):
            if isinstance(one, Tensor) and one.dim() > 0:
                yield one
                if func in PICKS and one in self.there:
                    return

    def _mark(self, result: Any) -> Any:
        for one in tree_leaves(result):
            if isinstance(one, Tensor):
                self.there[one] = True
        return result


def _caller() -> str:
    """Where the project called what mixes."""
    ours = ("/training/", "/gemma_vision/")
    frames = [one for one in traceback.extract_stack() if any(p in one.filename for p in ours)]
    return f"{frames[-1].filename}:{frames[-1].lineno} {frames[-1].line}" if frames else "a test"
