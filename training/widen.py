"""Widen the embedded checkpoint from one artist to many: `python -m training.widen`.

Begins with the checkpoint of `training.train`, grown where the plan is larger. Each stage is
boxed in minutes of the processor and resumable: state lies under --runs and is never older than a
minute of it.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from gemma_vision.optimization.clock import Clock, TimeUp
from gemma_vision.optimization.precision import pick_dtype, quick_attention
from gemma_vision.optimization.stage import state_file
from gemma_vision.optimization.training_state import StateError
from training.presets import WIDENING_PLANS, WIDENING_STAGES
from training.run import TrainingRun, check_seed
from training.widening import (
    open_widening,
    polish_masks,
    train_answers,
    train_tower,
    write_checkpoint,
)


def parse_arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m training.widen",
        description="Widen the embedded checkpoint to many artists.",
    )
    parser.add_argument(
        "--plan",
        choices=WIDENING_PLANS,
        default="hands",
        help="what is learned, and for how long; docs/training.md tells of each",
    )
    parser.add_argument("--seed", type=int, help="of the scenes; default: the plan's")
    parser.add_argument("--heads", type=Path, help="an earlier run of the same names to begin with")
    parser.add_argument("--base", type=Path, default=Path("runs/cpu/checkpoint"))
    parser.add_argument("--data", type=Path, default=Path("runs/drawings"))
    parser.add_argument("--runs", type=Path, help="the state's folder; default: runs/PLAN")
    parser.add_argument("--out", type=Path, help="default: checkpoint, in the folder of the state")
    parser.add_argument("--stage", choices=(*WIDENING_STAGES, "export"), help="this one alone")
    parser.add_argument("--minutes", type=float, help="stop after so many of the processor's")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Go on where an earlier run stopped, to the end or until the minutes are used."""
    args = parse_arguments(words)
    torch.set_num_threads(args.threads)
    runs = args.runs or Path("runs") / args.plan
    cpu, out = torch.device("cpu"), args.out or runs / "checkpoint"
    files = [args.base / "model.safetensors", args.data / "atlas.npz"]
    if args.heads is not None:
        paces = WIDENING_PLANS[args.plan].paces
        files += [state_file(args.heads, name) for name in ("vision", "decoder") if name in paces]
    for file in files:
        if not file.exists():
            sys.exit(f"{file} is not there; make train makes it, in docs/training.md stands how.")
    plan = WIDENING_PLANS[args.plan]
    seed = plan.seed if args.seed is None else args.seed
    check_seed(seed)
    run = TrainingRun(
        runs,
        frozenset([args.stage] if args.stage else WIDENING_STAGES),
        seed=seed,
        dtype=pick_dtype(cpu),
        clock=Clock(args.minutes, now=time.thread_time),
    )
    try:
        with quick_attention(cpu):
            wide = open_widening(run, plan, args.base, args.data, args.heads)
            train_tower(wide)
            polish_masks(wide)
            train_answers(wide)
        if args.stage in (None, "export"):
            write_checkpoint(wide, out)
    except TimeUp as where:
        print(f"{args.minutes:g} minutes are used: {where}. It goes on there.", file=sys.stderr)
    except StateError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
