"""Endings: what ends a run from outside (disk, memory, Ctrl-C), told in a sentence.

The state on the disk is whole whatever happened: it is written beside its place and moved there.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

from safetensors import SafetensorError

from gemma_vision.finetuning.learning.interrupts import Interrupted
from gemma_vision.finetuning.plan import FinetuneError, FinetunePlan
from gemma_vision.finetuning.run_folder import has_learned
from gemma_vision.images.opening import ImageError
from postprocess.errors import UserError

DISK = "E_DISK"
MEMORY = "E_MEMORY"
NO_MEMORY = re.compile(
    r"out of memory|not enough memory|can't allocate memory|cannot allocate memory|alloc_cpu",
    re.IGNORECASE,
)
FULL = re.compile(r"no space left|disk quota|os error 28|os error 122", re.IGNORECASE)
TOO_LONG = re.compile(r"file too large|os error 27", re.IGNORECASE)


class Stopped(KeyboardInterrupt):
    """Ctrl-C, after everything was written down; the message says how to go on."""


@contextmanager
def in_words(plan: FinetunePlan) -> Iterator[None]:
    """Whatever ends the run from outside is told as one sentence."""
    try:
        yield
    except Interrupted as error:
        raise Stopped(
            f"Stopped. The state is in {plan.state}; go on with the same command and --resume."
        ) from error
    except UserError as error:
        if isinstance(error, ImageError):
            raise FinetuneError(
                f"A picture cannot be read any more: {error} {go_on(plan)}", error.code
            ) from error
        raise
    except (OSError, SafetensorError, MemoryError, RuntimeError) as error:
        told = describe_ending(error, plan)
        if told is None:
            raise
        raise told from error


def describe_ending(error: Exception, plan: FinetunePlan) -> FinetuneError | None:
    """The sentence of an error of the machine; None where it is not one."""
    said, number = str(error), getattr(error, "errno", None)
    is_memory = NO_MEMORY.search(said) and not isinstance(error, OSError)
    if isinstance(error, MemoryError) or is_memory:
        return FinetuneError(
            "There is too little memory. Take a smaller --batch with --accumulate, "
            f"--checkpointing, --lora, or a smaller model. {go_on(plan)}",
            MEMORY,
        )
    if number == errno.ENOMEM:
        return FinetuneError(f"There is too little memory. {go_on(plan)}", MEMORY)
    if number in (errno.ENOSPC, errno.EDQUOT) or FULL.search(said):
        return FinetuneError(f"The disk is full. Make room. {go_on(plan)}", DISK)
    if number == errno.EFBIG or TOO_LONG.search(said):
        return FinetuneError(
            f"A file became larger than this machine lets it (see `ulimit -f`). {go_on(plan)}", DISK
        )
    return None


def go_on(plan: FinetunePlan) -> str:
    """What can be done with what is there."""
    if has_learned(plan):
        return f"What was learned until the last state is in {plan.state}: go on with --resume."
    return "Nothing was learned yet; begin again by the same command."
