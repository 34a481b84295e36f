"""User paths: a path as a person gives it, ~ and all, from a command, a file or a program."""

from __future__ import annotations

import os
from pathlib import Path


def expanded(path: str | os.PathLike[str]) -> Path:
    """A path whose ~ is somebody's home; one that is nobody's is a name like others."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)
