"""Run folder: what a run was begun with, so that it is gone on with by the same or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gemma_vision.finetuning.plan import FinetuneError, FinetunePlan, settings_of
from gemma_vision.optimization.atomic_write import write_atomically
from gemma_vision.optimization.folder_lock import locked
from gemma_vision.optimization.training_state import StateError

SETTINGS, STATE = "settings.json", "finetune.safetensors"
DIGITS = 16


@dataclass(frozen=True)
class Beginning:
    """What a run hangs on. base, data: fingerprints of the checkpoint and of every data set."""

    settings: Mapping[str, Any]
    base: str
    data: Mapping[str, str]

    @property
    def key(self) -> str:
        """Equal for equal settings, base and data."""
        text = json.dumps([self.settings, self.base, self.data], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


@contextmanager
def only_run(plan: FinetunePlan) -> Iterator[None]:
    """Hold the folders that a run writes; FinetuneError where another run holds one of them."""
    with held(plan.state), held(plan.out):
        yield


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder, made where it is not there; nothing is left behind where it stays empty."""
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder) as is_ours:
        if not is_ours:
            raise FinetuneError(
                f"Another run writes into {folder}; wait for it, or give another --name and --out."
            )
        try:
            yield
        finally:
            with suppress(OSError):  # what holds files stays
                for one in made:
                    one.rmdir()


def beginning_of(plan: FinetunePlan, base: str, data: Mapping[str, str]) -> Beginning:
    """Of a plan, with what was found where it leads."""
    settings = dict(settings_of(plan))
    for name in ("model", "val", "rehearse"):  # their content is what counts
        settings.pop(name)
    return Beginning(settings, base, dict(data))


def check_begun(plan: FinetunePlan, *, resume: bool) -> None:
    """A run is gone on with only if it was asked for, and begun anew only where there is none.

    One that learned nothing yet is none: who mends an option begins again by the same command.
    """
    there = (plan.state / SETTINGS).is_file()
    if there and has_learned(plan) and not resume:
        raise FinetuneError(
            f"{plan.state} holds an earlier run; pass --resume to go on with it, remove the "
            "folder, or give another --name."
        )
    if resume and not there:
        raise FinetuneError(f"{plan.state} holds no run to go on with; leave --resume out.")


def has_learned(plan: FinetunePlan) -> bool:
    """Whether there is a state to go on from."""
    return (plan.state / STATE).is_file()


def begin(plan: FinetunePlan, beginning: Beginning) -> None:
    """Note what a run begins with, or refuse to go on with one that began with something else."""
    path = plan.state / SETTINGS
    if not path.is_file() or not has_learned(plan):
        plan.state.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(vars(beginning), indent=1))
        return
    before = read_beginning(path)
    check_same(plan, before.settings, beginning.settings)
    if before.base != beginning.base:
        raise FinetuneError(
            f"The run in {plan.state} was begun with another checkpoint than {plan.model}. Give "
            "that one, or begin anew under another --name."
        )
    for what, said in beginning.data.items():
        if said not in before.data.values():  # by whatever name its folder goes now
            raise FinetuneError(
                f"The pictures or annotations of {what} have changed since the run in {plan.state} "
                "began, and what it learned would not be theirs. Put them back, or begin anew "
                "under another --name."
            )


def read_beginning(path: Path) -> Beginning:
    """What was noted."""
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        return Beginning(known["settings"], known["base"], known["data"])
    except (ValueError, KeyError, TypeError) as error:
        raise StateError(
            f"{path} is not of this version of the program; remove {path.parent} to begin anew."
        ) from error


def check_same(plan: FinetunePlan, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse other settings than a run was begun with, naming those that it was."""
    other = [key for key, value in now.items() if before.get(key) != value]
    if other:
        differing = ", ".join(f"{key} {before.get(key)}" for key in other)
        raise FinetuneError(
            f"The run in {plan.state} was begun with {differing}; go on with the same, or begin "
            "anew under another --name."
        )
