"""Mapped files: weights that stay in their files, and whether those are still what was loaded.

A large checkpoint on a CPU is mapped, not read. Who cuts such a file short ends the process that
touches a page behind its new end; who writes over it in place changes weights between two steps.
A file that is replaced or removed by name does neither: its pages stay until they are let go.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Sequence
from pathlib import Path

from gemma_vision.checkpoints.weight_files import weight_files
from gemma_vision.errors import CheckpointError
from gemma_vision.weights.checkpoint import Checkpoint
from gemma_vision.weights.memory import LARGE

IN_FILES = ("cpu", "meta")  # where tensors may be pages of a file, or are read from it when needed


class MappedFiles:
    """Files that must not change; to look at them costs a microsecond each."""

    def __init__(self, paths: Sequence[Path]) -> None:
        opened = [os.open(path, os.O_RDONLY) for path in paths]
        weakref.finalize(self, close, opened)
        self._files = [
            (path.name, file, state_of(file)) for path, file in zip(paths, opened, strict=True)
        ]

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> MappedFiles:
        """Those of a checkpoint; none where all of it was copied."""
        parameters = list(checkpoint.model.parameters())
        is_large = sum(one.numel() for one in parameters) > LARGE
        is_mapped = is_large and any(one.device.type in IN_FILES for one in parameters)
        return cls(weight_files(checkpoint.folder) if is_mapped else [])

    def check(self) -> None:
        """CheckpointError where one was cut or written over since it was loaded."""
        for name, file, before in self._files:
            if state_of(file) != before:
                raise CheckpointError(
                    f"{name} was written over while its checkpoint was in use. Load the "
                    "checkpoint again; put a new file in the place of an old one by renaming it.",
                    "E_CHECKPOINT_DAMAGED",
                )


def state_of(file: int) -> tuple[int, int]:
    """Bytes and time of the last change of an open file."""
    told = os.fstat(file)
    return told.st_size, told.st_mtime_ns


def close(files: Sequence[int]) -> None:
    """Let go of files by their numbers."""
    for file in files:
        os.close(file)
