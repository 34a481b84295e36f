"""Adapt a checkpoint to a COCO folder.

`python -m gemma_vision.finetune --data DIR --name NAME --out OUT`

Exit code 0; 2 with one sentence where something cannot work.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from gemma_vision.checkpoints.mask_decoder_files import DecoderError
from gemma_vision.errors import CheckpointError
from gemma_vision.evaluate import DatasetError
from gemma_vision.finetune.plan import FinetuneError, FinetunePlan
from gemma_vision.finetune.program import finetune
from gemma_vision.finetune.trainee import RANK, LoraOptions
from gemma_vision.optimization.training_state import StateError

DEFAULTS = FinetunePlan(Path(), "", Path())


def read(words: Sequence[str]) -> argparse.Namespace:
    """The command line as options."""
    parser = argparse.ArgumentParser(
        prog="python -m gemma_vision.finetune",
        description="Teach a checkpoint the things of your pictures.",
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, help="COCO folder: annotations.json and pictures")
    add("--name", required=True, help="of the checkpoint that comes out")
    add("--out", type=Path, required=True, help="folder to write it into")
    add("--model", default=DEFAULTS.model, help="embedded, a folder, or a Hub id")
    add("--lora", action="store_true", help="small matrices beside the large ones (needs PEFT)")
    add("--rank", type=int, default=RANK, help=f"of LoRA (default: {RANK})")
    add("--tower", action="store_true", help="LoRA in the vision tower too")
    add("--minutes", type=float, default=DEFAULTS.minutes, help="of learning")
    add("--resume", action="store_true", help="go on where an earlier run stopped")
    add("--device", help="cpu, cuda or mps (default: the best there is)")
    add("--threads", type=int, default=torch.get_num_threads(), help="of the processor")
    add("--seed", type=int, default=DEFAULTS.seed)
    add("--batch", type=int, default=DEFAULTS.batch, help="pictures in an update")
    add("--rate", type=float, help="peak learning rate (default: by the kind of model)")
    add("--held-out", type=float, default=DEFAULTS.share_held_out, help="share to test with")
    add("--old-scenes", type=int, default=DEFAULTS.num_old_scenes, help="to test old names with")
    add("--rehearse", type=Path, help="second COCO folder, of what should not be forgotten")
    add("--no-mirror", action="store_true", help="left and right mean something in the pictures")
    add("--runs", type=Path, default=DEFAULTS.runs, help="folder of the state")
    return parser.parse_args(words)


def plan_of(options: argparse.Namespace) -> FinetunePlan:
    """What the options ask for."""
    return FinetunePlan(
        data=options.data,
        name=options.name,
        out=options.out,
        model=options.model,
        lora=LoraOptions(options.rank, options.tower) if options.lora else None,
        minutes=options.minutes,
        seed=options.seed,
        batch=options.batch,
        peak=options.rate,
        share_held_out=options.held_out,
        num_old_scenes=options.old_scenes,
        rehearse=options.rehearse,
        mirrored=not options.no_mirror,
        runs=options.runs,
    )


def main(words: Sequence[str] | None = None) -> int:
    """Run the program -> its exit code."""
    options = read(sys.argv[1:] if words is None else words)
    try:
        if options.threads < 1:
            raise FinetuneError(f"--threads is {options.threads}; it has to be 1 or more.")
        torch.set_num_threads(options.threads)
        finetune(plan_of(options), device=options.device, resume=options.resume)
    except (FinetuneError, CheckpointError, DatasetError, DecoderError, StateError) as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"{where}{error.strerror or error}.", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
