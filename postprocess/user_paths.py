"""User paths: a path as a person gives it, ~ and all, from a command, a file or a program."""

from __future__ import annotations

import os
from pathlib import Path

from postprocess.argument_kinds import check_kind
from postprocess.errors import UserError


class PathError(UserError):
    """What names no file and no folder."""

    CODE = "E_PATH"


def expanded(path: str | os.PathLike[str]) -> Path:
    """A path whose ~ is somebody's home; one that is nobody's is a name like others.

    PathError for what is neither a str nor a path.
    """
    check_kind(
        path, (str, os.PathLike), "the path of a file or folder, as a str or Path", PathError
    )
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)
