"""Extras: packages that only some uses need, by the extra of this package that brings them.

`EXTRAS` is the table of pyproject.toml's optional dependencies, by the names they are imported by;
a test holds one against the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from postprocess.errors import UserError


@dataclass(frozen=True)
class Extra:
    """What an extra is needed for, and the modules of the packages that it brings."""

    use: str
    modules: tuple[str, ...]
    code: str = "E_PACKAGE"


EXTRAS: Mapping[str, Extra] = {
    "app": Extra("The web app", ("gradio", "av")),
    "video": Extra("Video", ("av",)),
    "finetune": Extra("Fine-tuning", ("transformers",)),
    "tune": Extra("LoRA", ("transformers", "peft")),
    "spread": Extra("A checkpoint over several devices", ("accelerate",)),
    "quantize": Extra("A checkpoint in 8 or 4 bits", ("bitsandbytes",), "E_QUANTISE"),
    "tensorboard": Extra("TensorBoard", ("tensorboard",)),
    "trackio": Extra("trackio", ("trackio",)),
    "heic": Extra("A HEIC picture", ("pillow_heif",)),
    "ray": Extra("An engine on Ray", ("ray",)),
    "cvat": Extra("A function for CVAT", ("cvat_sdk",)),
    "mcp": Extra("MCP", ("mcp",)),
    "limits": Extra("A rate of requests", ("limits",)),
}


class MissingPackageError(UserError, ImportError):
    """A package that this use needs is not installed."""

    CODE = "E_PACKAGE"


def require(extra: str, *, instead: str = "") -> None:
    """Refuse in one sentence where a package of that extra is missing: MissingPackageError.

    instead: what can be done without it, as the end of the sentence: ", or take another dtype".
    """
    wanted = EXTRAS[extra]
    missing = [name for name in wanted.modules if not is_installed(name)]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise MissingPackageError(
            f"{wanted.use} needs {' and '.join(missing)}, which {verb} not installed. "
            f"Run `{install_command(extra)}`{instead}.",
            wanted.code,
        )


def install_command(extra: str) -> str:
    """What installs that extra, for any shell."""
    return f'pip install "gemma-vision[{extra}]"'


def is_installed(module: str) -> bool:
    """Whether a package can be imported, without importing it."""
    try:
        return find_spec(module) is not None
    except ValueError:  # `sys.modules` has it as None: known to be missing
        return False
