"""API: fine-tuning from Python, `gemma_vision.finetune(...)`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from gemma_vision.extras import EXTRAS, require
from gemma_vision.finetuning.endings import in_words
from gemma_vision.finetuning.options import plan_of, read_config_file
from gemma_vision.finetuning.program import FinetuneResult, finetune_plan
from gemma_vision.finetuning.results.reporting import print_sentence


def finetune(
    data: str | Path | None = None,
    *,
    name: str | None = None,
    out: str | Path | None = None,
    config: str | Path | None = None,
    device: str | None = None,
    threads: int | None = None,
    resume: bool = False,
    tell: Callable[[str], None] | None = print_sentence,
    **options: Any,
) -> FinetuneResult:
    """Teach a checkpoint the things of a folder of pictures -> what came of it.

        result = gemma_vision.finetune("cups", name="cups", out="cups-model", minutes=8)
        result.after["new"]["recall50"];  result.load().detect("photo.jpg", "cup")

    data: a data set in any of the layouts that are read. name: of the checkpoint. out: the folder
    to write. config: a YAML, TOML or JSON file of options; what is given here wins. threads: of the
    processor. resume: go on where an earlier run of this name stopped. tell: takes each sentence
    about how it goes; None tells nobody. options: the fields of `FinetunePlan`, such as minutes,
    model, lora, val.
    Raises UserError with a sentence; KeyboardInterrupt once the state is written.
    """
    given = {} if config is None else read_config_file(Path(config).expanduser())
    plan = plan_of(given, {"data": data, "name": name, "out": out, **options})
    require("tune" if plan.is_lora else "finetune")
    for extra in (plan.log_to, "quantize" if plan.qlora else None):
        if extra is not None and extra in EXTRAS:  # another word is refused by its option
            require(extra)
    with in_words(plan):
        return finetune_plan(
            plan,
            device=device,
            resume=resume,
            threads=threads,
            tell=tell or (lambda sentence: None),
        )
