"""Precision: which number type products are computed in. Weights keep their own."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

TRIALS, TRIAL_SIDE = 12, 384  # of `pick_dtype`: a fifth of a second


def autocast(device: torch.device, dtype: torch.dtype) -> AbstractContextManager[object]:
    """Autocast to a precision; nothing at all for float32."""
    return nullcontext() if dtype == torch.float32 else torch.autocast(device.type, dtype)


@contextmanager
def quick_attention(device: torch.device) -> Iterator[None]:
    """On a CPU plain products, in bfloat16 where tensors are: widened to float32, as they are by
    default, they cost a sixth of a step of the tower, and the fused kernel's backward costs more.

    The setting is torch's for the whole process and is put back at the end.
    """
    if device.type != "cpu":
        yield
        return
    allowed = torch.backends.cuda.fp16_bf16_reduction_math_sdp_allowed()  # type: ignore[no-untyped-call]
    torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(True)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(allowed)


def pick_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the device multiplies faster in it, else float32; a CPU is tried out."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    faster = _seconds(torch.bfloat16) < 0.9 * _seconds(torch.float32)
    return torch.bfloat16 if faster else torch.float32


def _seconds(dtype: torch.dtype) -> float:
    """How long a product of two matrices takes at best."""
    a = torch.ones(TRIAL_SIDE, TRIAL_SIDE, dtype=dtype)
    times = []
    for _ in range(TRIALS):
        began = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - began)
    return min(times)
