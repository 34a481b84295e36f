"""Plan: what a fine-tune can be told, as fields. Loads nothing.

Each field is an option: the command line, the configuration file, `gemma_vision.finetune` and the
tables of the docs are made from its name, default and sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from gemma_vision.finetuning.option_rows import (
    DATA,
    LARGE,
    LORA,
    METHOD,
    MINUTES,
    MODEL,
    OUTCOME,
    option,
)
from postprocess.errors import UserError

DEFAULT_MINUTES = 10.0
PARTS = ("tower", "projector", "embeddings", "decoder")
SCHEDULES = ("cosine", "linear", "constant")
TRACKERS = ("tensorboard", "trackio")
TARGETS = ("text", "attention", "tower", "all")


class FinetuneError(UserError):
    """A fine-tune that cannot be made; the message says why and what to do."""

    CODE = "E_FINETUNE"


@dataclass(frozen=True)
class LoraOptions:
    """Small matrices beside the large ones: W + (alpha / rank) B A, rank rows and columns each."""

    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.0
    targets: str = "text"


@dataclass(frozen=True)
class FinetunePlan:
    """Options of a fine-tune. Folders: `data` is learned from, `runs` holds the state."""

    data: Path
    name: str
    out: Path

    model: str = option("embedded", "embedded, a folder, or a Hub id", MODEL)
    mask_decoder: str | None = option(
        None,
        "published, embedded, none, or a file: what makes codes of masks",
        MODEL,
        metavar="FILE",
        told="the model's own",
    )

    val: Path | None = option(
        None,
        "a data set to test with, in place of a share",
        DATA,
        kind=Path,
        metavar="FOLDER",
    )
    held_out: float = option(
        0.15, "share of the pictures to test with", DATA, kind=float, metavar="SHARE"
    )
    layout: str | None = option(
        None,
        "coco, yolo, labelme, voc, csv, label-studio or paligemma",
        DATA,
        metavar="FORMAT",
        told="told from the files",
    )
    mirror: bool = option(True, "left and right mean something in the pictures", DATA, kind=bool)
    collages: float | None = option(
        None,
        "share of images made of cut-outs along the masks",
        DATA,
        kind=float,
        metavar="SHARE",
        told="0.4 for a small checkpoint, else 0",
    )
    rehearse: tuple[Path, ...] = option(
        (),
        "one more data set, of what is to be kept; may be given several times",
        DATA,
        kind=Path,
        metavar="FOLDER",
        is_many=True,
    )
    old_scenes: int = option(100, "scenes to test old names with", DATA, kind=int, metavar="N")

    minutes: float | None = option(
        None,
        "of learning; may be raised when going on",
        MINUTES,
        kind=float,
        metavar="M",
        told=f"{DEFAULT_MINUTES:g}",
        is_free=True,
    )
    steps: int | None = option(
        None, "updates, in place of minutes", MINUTES, kind=int, metavar="N", is_free=True
    )
    epochs: float | None = option(
        None,
        "times that each picture is seen, in place of minutes",
        MINUTES,
        kind=float,
        metavar="N",
        is_free=True,
    )
    scorings: int = option(
        8, "times that the test pictures are asked about while learning", MINUTES, kind=int
    )
    patience: int | None = option(
        None,
        "end after so many scorings without a better one",
        MINUTES,
        kind=int,
        metavar="N",
        told="never",
        is_free=True,
    )

    seed: int = option(1, "of everything that is drawn", METHOD, kind=int, metavar="N")
    batch: int = option(8, "pictures in an update", METHOD, kind=int, metavar="N")
    accumulate: int = option(
        1, "batches whose gradients make one update", METHOD, kind=int, metavar="N"
    )
    rate: float | None = option(
        None, "peak learning rate", METHOD, kind=float, told="by the kind of model"
    )
    schedule: str = option(
        "cosine", "how the rate falls: cosine, linear or constant", METHOD, choices=SCHEDULES
    )
    warm_up: float = option(
        0.02, "share of the run in which the rate rises", METHOD, kind=float, metavar="SHARE"
    )
    freeze: tuple[str, ...] = option(
        (),
        "a part that does not learn: tower, projector, embeddings or decoder",
        METHOD,
        choices=PARTS,
        is_many=True,
    )

    lora: bool = option(False, "small matrices beside the large ones (needs PEFT)", LORA, kind=bool)
    rank: int = option(16, "of LoRA's matrices", LORA, kind=int, metavar="N")
    alpha: float | None = option(
        None, "LoRA counts times alpha / rank", LORA, kind=float, metavar="A", told="twice the rank"
    )
    dropout: float = option(0.0, "of what LoRA's matrices read", LORA, kind=float, metavar="SHARE")
    targets: str | None = option(
        None,
        "text, attention, tower, all, or a regular expression of module names",
        LORA,
        metavar="WHERE",
        told="text; all in a small checkpoint",
    )

    tower: bool = option(False, "LoRA in the vision tower too", LORA, kind=bool)

    qlora: bool = option(False, "LoRA over a base in 4 bits (needs bitsandbytes)", LARGE, kind=bool)
    checkpointing: bool | None = option(
        None,
        "compute activations twice, to save memory",
        LARGE,
        kind=bool,
        told="from a billion parameters on",
        is_free=True,
    )

    log_to: str | None = option(
        None, "tensorboard or trackio", OUTCOME, choices=TRACKERS, told="neither", is_free=True
    )
    push_to_hub: str | None = option(
        None, "repository to push what comes out to", OUTCOME, metavar="ID", is_free=True
    )
    runs: Path = option(
        Path("runs/finetune"), "for the state", OUTCOME, kind=Path, metavar="DIR", is_free=True
    )

    @property
    def state(self) -> Path:
        """The folder of this name's state."""
        return self.runs / self.name

    @property
    def is_lora(self) -> bool:
        """Whether small matrices learn, and not the model's own."""
        return self.lora or self.qlora

    @property
    def budget(self) -> tuple[str, float]:
        """How long it learns, and in what: "steps", "epochs" or "minutes"."""
        if self.steps is not None:
            return "steps", self.steps
        if self.epochs is not None:
            return "epochs", self.epochs
        return "minutes", DEFAULT_MINUTES if self.minutes is None else self.minutes

    def lora_options(self, *, is_small: bool) -> LoraOptions | None:
        """What LoRA is told; None where the model's own matrices learn."""
        if not self.is_lora:
            return None
        alpha = 2.0 * self.rank if self.alpha is None else self.alpha
        usual = "tower" if self.tower else "text"
        targets = self.targets or ("all" if is_small else usual)
        return LoraOptions(self.rank, alpha, self.dropout, targets)


OPTIONS = {one.name: one for one in fields(FinetunePlan) if one.metadata}


def default_text(name: str) -> str:
    """The default of an option as a sentence ends with it; "" where there is none to tell."""
    row = OPTIONS[name]
    told, default = row.metadata["told"], row.default
    if told or default is None or isinstance(default, (bool, tuple)):
        return str(told)
    return f"{default:g}" if isinstance(default, float) else str(default)


def settings_of(plan: FinetunePlan) -> Mapping[str, Any]:
    """What has to be the same when a run is gone on with; paths by their last names."""
    fixed = [name for name, row in OPTIONS.items() if not row.metadata["is_free"]]
    return {name: plain(getattr(plan, name)) for name in fixed}


def plain(value: Any) -> Any:
    """A value as JSON has it. Nobody's folders are written down: they are shown around."""
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    if isinstance(value, str) and ("/" in value or "\\" in value) and Path(value).exists():
        value = Path(value)
    return value.resolve().name if isinstance(value, Path) else value
