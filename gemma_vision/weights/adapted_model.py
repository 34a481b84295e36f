"""Adapted model: the folder of the model that an adapter was made for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gemma_vision.checkpoints.access_token import AccessToken
from gemma_vision.checkpoints.file_names import ADAPTER_CONFIG, name_of
from gemma_vision.checkpoints.hub import find
from gemma_vision.checkpoints.progress import ProgressReporter
from gemma_vision.errors import CheckpointError

CODE = "E_ADAPTER_BASE"
REMEDY = "Name it with --base, or base= in Python: a folder or a Hub id."


def find_base(
    folder: Path,
    adapter: Mapping[str, Any],
    base: str | Path | None = None,
    reporter: ProgressReporter | None = None,
    token: AccessToken | None = None,
) -> Path:
    """The folder of an adapter's base, fetched where need be; `base` instead of the one it names.

    adapter: the folder's configuration. Raises CheckpointError where the base is not to be had.
    """
    named = str(base or adapter.get("base_model_name_or_path") or "")
    shown = name_of(folder)
    if not named:
        message = f"The {ADAPTER_CONFIG} of {shown} does not name the model that it was made for. "
        raise CheckpointError(message + REMEDY, CODE)
    if not base:
        check_revision(named, adapter)
        beside = folder / named
        if not Path(named).is_absolute() and (beside / "config.json").is_file():
            named = str(beside.resolve())  # written so by fine-tuning, and carried along
        elif set(named) <= set("./\\"):  # the folder where PEFT ran, whatever lies in ours
            message = (
                f"The adapter {shown} says {named!r} of the model that it was made for, which "
            )
            raise CheckpointError(f"{message}names none. {REMEDY}", CODE)
    try:
        found = find(named, reporter, token=token)
    except CheckpointError as error:
        if error.code not in ("E_MODEL_UNKNOWN", "E_MODEL_NAME"):
            raise
        what = f"was made for {named!r}" if base is None else f"got {named!r} as its base"
        where = "neither on this machine nor public on the Hub"
        message = f"The adapter {shown} {what}, which is {where}. {REMEDY}"
        raise CheckpointError(message, CODE) from error
    if not (found / "config.json").is_file() and (found / ADAPTER_CONFIG).is_file():
        what = "was made for" if base is None else "got as its base"
        message = f"The adapter {shown} {what} {named!r}, which is an adapter itself. "
        raise CheckpointError(message + "Merge that one with PEFT and name the result.", CODE)
    return found


def check_revision(named: str, adapter: Mapping[str, Any]) -> None:
    """Refuse an adapter for another revision of a Hub's model than the newest one."""
    revision = adapter.get("revision") or "main"
    if revision != "main" and not Path(named).expanduser().is_dir():
        raise CheckpointError(
            f"The adapter was made for the revision {revision} of {named}. Fetch that with "
            f"`hf download {named} --revision {revision} --local-dir DIR` and name DIR with --base "
            "(base= in Python).",
            CODE,
        )
