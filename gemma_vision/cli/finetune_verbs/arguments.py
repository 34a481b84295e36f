"""Finetune: the verb that teaches a checkpoint the things of a COCO folder."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from gemma_vision.cli.command_parser import CommandParser
from gemma_vision.extras import require

if TYPE_CHECKING:
    from gemma_vision.finetuning.plan import FinetunePlan

PLAN_FIELDS = {  # of `FinetunePlan`, by what the command line calls them otherwise
    "rate": "peak",
    "held_out": "share_held_out",
    "old_scenes": "num_old_scenes",
}
NOT_OF_THE_PLAN = ("verb", "lora", "rank", "tower", "resume", "device", "threads", "no_mirror")


def add_finetune(parser: CommandParser) -> None:
    """A folder to learn from, and how. What is left out is as in `FinetunePlan`."""
    add = parser.add_argument
    add("data", type=Path, metavar="FOLDER", help="COCO folder: annotations.json and pictures")
    add("--name", required=True, help="of the checkpoint that comes out")
    add("--out", type=Path, required=True, metavar="DIR", help="folder to write it into")
    add("--model", help="embedded, a folder, or a Hub id (default: embedded)")
    add("--lora", action="store_true", help="small matrices beside the large ones (needs PEFT)")
    add("--rank", type=int, metavar="N", help="of LoRA (default: 16)")
    add("--tower", action="store_true", help="LoRA in the vision tower too")
    add("--minutes", type=float, metavar="M", help="of learning (default: 10)")
    add("--resume", action="store_true", help="go on where an earlier run stopped")
    add("--device", help="cpu, cuda or mps (default: the best there is)")
    add("--threads", type=int, metavar="N", help="of the processor (default: as torch has it)")
    add("--seed", type=int, metavar="N", help="of everything that is drawn (default: 1)")
    add("--batch", type=int, metavar="N", help="pictures in an update (default: 8)")
    add("--rate", type=float, help="peak learning rate (default: by the kind of model)")
    add("--held-out", type=float, metavar="SHARE", help="to test with (default: 0.15)")
    add("--old-scenes", type=int, metavar="N", help="to test old names with (default: 100)")
    add("--rehearse", type=Path, metavar="FOLDER", help="second one, of what is to be kept")
    add("--no-mirror", action="store_true", help="left and right mean something in the pictures")
    add("--runs", type=Path, metavar="DIR", help="for the state (default: runs/finetune)")


def run(options: argparse.Namespace) -> int:
    """Score, learn, write, score again, and give 0; progress goes to standard error."""
    require("tune" if options.lora else "finetune")
    from gemma_vision.finetuning.program import finetune

    plan = plan_of(options)
    finetune(plan, device=options.device, resume=options.resume, threads=options.threads)
    return 0


def plan_of(options: argparse.Namespace) -> FinetunePlan:
    """What the options ask for."""
    from gemma_vision.finetuning.plan import FinetunePlan, LoraOptions

    given = {name: value for name, value in vars(options).items() if value is not None}
    fields = {
        PLAN_FIELDS.get(name, name): value
        for name, value in given.items()
        if name not in NOT_OF_THE_PLAN
    }
    lora = LoraOptions(given.get("rank", LoraOptions.rank), options.tower)
    return FinetunePlan(
        **fields, lora=lora if options.lora else None, mirrored=not options.no_mirror
    )
