"""Plan checks: what cannot work is refused in a sentence, before anything is opened."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path

from gemma_vision.checkpoints.file_names import ADAPTER_CONFIG, ADAPTER_WEIGHTS, SINGLE
from gemma_vision.checkpoints.model_names import is_folder
from gemma_vision.finetuning.plan import PARTS, SCHEDULES, TRACKERS, FinetuneError, FinetunePlan
from gemma_vision.optimization.atomic_write import DRAFT
from gemma_vision.synthetic.poses import EVALUATION_SEEDS
from postprocess.datasets import READERS

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
POSITIVE = (
    *("minutes", "steps", "epochs", "batch", "accumulate", "rate", "rank", "alpha"),
    "patience",
)
SHARES = {"dropout": (0.0, 1.0), "warm_up": (0.0, 1.0), "collages": (0.0, 1.0)}
HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")


def check_plan(plan: FinetunePlan, *, resume: bool) -> None:
    """Refuse, in a sentence, what cannot work; make the folder that is written into."""
    if not NAME.fullmatch(plan.name):
        raise FinetuneError(
            f"{plan.name!r} cannot be a name; take letters, digits, dots, dashes and underscores."
        )
    if plan.seed >= EVALUATION_SEEDS or plan.seed < 0:
        raise FinetuneError(
            f"Seed {plan.seed} is not for learning; take one from 0 to {EVALUATION_SEEDS - 1}."
        )
    check_numbers(plan)
    check_choices(plan)
    check_out(plan, resume=resume)
    for folder in (plan.out, plan.state):
        check_folder(folder)


def check_out(plan: FinetunePlan, *, resume: bool) -> None:
    """Refuse a folder that holds other files than an earlier end of this run."""
    if is_folder(plan.model) and plan.out.resolve() == Path(plan.model).expanduser().resolve():
        raise FinetuneError(
            f"{plan.out} is the model itself; name a new folder for what comes out."
        )
    if plan.out.resolve() == plan.state.resolve():
        raise FinetuneError(
            f"{plan.out} is where the state of the run goes; give another --out or --name."
        )
    there = {path.name for path in plan.out.iterdir()} if plan.out.is_dir() else set()
    is_checkpoint = not there.isdisjoint((SINGLE, ADAPTER_CONFIG))
    if there and not (resume and (is_checkpoint or all(map(is_begun, there)))):
        raise FinetuneError(f"{plan.out} holds files already; name a new folder.")


def is_begun(name: str) -> bool:
    """Whether a file is what a run leaves that is killed while it writes its first."""
    return name == ADAPTER_WEIGHTS or (name.startswith(".") and name.endswith(DRAFT))


def flag(name: str) -> str:
    """An option as the command line has it.   "held_out" -> "--held-out" """
    return f"--{name.replace('_', '-')}"


def check_numbers(plan: FinetunePlan) -> None:
    """Numbers as the command line calls them, each in its range."""
    for name in POSITIVE:
        value = getattr(plan, name)
        if value is not None and not (math.isfinite(value) and value > 0):
            raise FinetuneError(
                f"{flag(name)} is {value}; it has to be a number of more than nothing."
            )
    if not 0 < plan.held_out < 1:
        raise FinetuneError(f"--held-out is {plan.held_out}; it is a share between 0 and 1.")
    for name, (low, high) in SHARES.items():
        value = getattr(plan, name)
        if value is not None and not low <= value < high + (name == "collages"):
            raise FinetuneError(f"{flag(name)} is {value}; it is a share from {low:g} to {high:g}.")
    for name in ("old_scenes", "scorings"):
        if getattr(plan, name) < 0:
            raise FinetuneError(f"{flag(name)} is {getattr(plan, name)}; it has to be 0 or more.")
    if sum(value is not None for value in (plan.minutes, plan.steps, plan.epochs)) > 1:
        raise FinetuneError(
            "--minutes, --steps and --epochs are three ways to say one thing; give one."
        )


def check_choices(plan: FinetunePlan) -> None:
    """Words that have to be one of a few."""
    wanted = {
        "schedule": SCHEDULES,
        "log_to": TRACKERS,
        "layout": tuple(READERS),
    }
    for name, choices in wanted.items():
        value = getattr(plan, name)
        if value is not None and value not in choices:
            raise FinetuneError(f"{flag(name)} is {value!r}; take one of {', '.join(choices)}.")
    for part in plan.freeze:
        if part not in PARTS:
            raise FinetuneError(f"--freeze is {part!r}; take one of {', '.join(PARTS)}.")
    if set(plan.freeze) == set(PARTS):
        raise FinetuneError("Every part is frozen, so that nothing could learn; leave one out.")
    if plan.targets is not None:
        try:
            re.compile(plan.targets)
        except re.error as error:
            raise FinetuneError(
                f"--targets is {plan.targets!r}, which is no regular expression ({error})."
            ) from error
    if plan.push_to_hub is not None and not HUB_ID.fullmatch(plan.push_to_hub):
        raise FinetuneError(
            f"--push-to-hub is {plan.push_to_hub!r}; wanted is a name like user/my-model."
        )


def check_folder(folder: Path) -> None:
    """Whether a folder is there or can be made and written into. Nothing is left behind."""
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return
    why = "it is a file" if not there.is_dir() else "it may not be written into"
    raise FinetuneError(f"{folder} cannot be made ({there.name}: {why}); name another.")
