"""Plan: which checkpoint is to learn what, checked before anything is opened."""

import json
import math
import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from gemma_vision.synthetic.poses import EVALUATION_SEEDS
from postprocess.errors import UserError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
SETTINGS = "settings.json"


class FinetuneError(UserError):
    """A fine-tune that cannot be made; the message says why and what to do."""

    CODE = "E_FINETUNE"


@dataclass(frozen=True)
class LoraOptions:
    """Small matrices beside the large ones: W + 2 B A, rank rows and columns each."""

    rank: int = 16
    tower: bool = False  # also in the vision tower


@dataclass(frozen=True)
class FinetunePlan:
    """Options of the command. Folders: `data` is learned from, `runs` holds the state."""

    data: Path
    name: str
    out: Path
    model: str = "embedded"
    lora: LoraOptions | None = None
    minutes: float = 10.0
    seed: int = 1
    batch: int = 8  # pictures, those rehearsed included
    peak: float | None = None  # learning rate
    share_held_out: float = 0.15
    num_old_scenes: int = 100
    rehearse: Path | None = None
    mirrored: bool = True
    runs: Path = Path("runs/finetune")

    @property
    def state(self) -> Path:
        """The folder of this name's state."""
        return self.runs / self.name

    @property
    def settings(self) -> dict[str, Any]:
        """What has to be the same when a run is gone on with."""
        free = ("name", "out", "runs")
        fixed = [one.name for one in fields(self) if one.name not in free]
        return {key: plain(getattr(self, key)) for key in fixed}


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, LoraOptions):
        return asdict(value)
    return str(value.resolve()) if isinstance(value, Path) else value


def check_plan(plan: FinetunePlan, *, resume: bool) -> None:
    """Refuse, in a sentence, what cannot work; note the settings of a run that begins."""
    if not NAME.fullmatch(plan.name):
        raise FinetuneError(
            f"{plan.name!r} cannot be a name; take letters, digits, dots, dashes and underscores."
        )
    if plan.seed >= EVALUATION_SEEDS or plan.seed < 0:
        raise FinetuneError(
            f"Seed {plan.seed} is not for learning; take one from 0 to {EVALUATION_SEEDS - 1}."
        )
    check_numbers(plan)
    if plan.out.is_dir() and any(plan.out.iterdir()) and not resume:
        raise FinetuneError(f"{plan.out} holds files already; name a new folder, or remove it.")
    make_folder(plan.out)  # now, for learning takes long
    check_state(plan, resume=resume)


def check_numbers(plan: FinetunePlan) -> None:
    """Numbers as the command line calls them, each in its range."""
    more = {"minutes": plan.minutes, "batch": plan.batch}
    more |= {} if plan.peak is None else {"rate": plan.peak}
    more |= {} if plan.lora is None else {"rank": plan.lora.rank}
    for word, value in more.items():
        if not (math.isfinite(value) and value > 0):
            raise FinetuneError(f"--{word} is {value}; it has to be a number of more than nothing.")
    if not 0 < plan.share_held_out < 1:
        raise FinetuneError(f"--held-out is {plan.share_held_out}; it is a share between 0 and 1.")
    if plan.num_old_scenes < 0:
        raise FinetuneError(f"--old-scenes is {plan.num_old_scenes}; it has to be 0 or more.")


def make_folder(folder: Path) -> None:
    """Make a folder that may be there already; FinetuneError where it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FinetuneError(f"{folder} cannot be made ({error.strerror}); name another.") from error


def check_state(plan: FinetunePlan, *, resume: bool) -> None:
    """A run is gone on with only if it was asked for, and only with its own settings."""
    path = plan.state / SETTINGS
    if not path.is_file():
        if resume:
            raise FinetuneError(f"{plan.state} holds no run to go on with; leave --resume out.")
        make_folder(plan.state)
        path.write_text(json.dumps(plan.settings, indent=1))
        return
    if not resume:
        raise FinetuneError(f"{plan.state} holds an earlier run; pass --resume, or remove it.")
    before = json.loads(path.read_text())
    if other := [key for key, value in plan.settings.items() if before.get(key) != value]:
        differing = ", ".join(f"{key} {before.get(key)}" for key in other)
        raise FinetuneError(
            f"The run in {plan.state} was begun with {differing}; go on with the same."
        )
