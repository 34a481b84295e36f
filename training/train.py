"""Make the embedded checkpoint: `python -m training.train --preset cpu`.

Stages vq (with its polish), vision, decoder, masks, joint, export and eval; each but the last two
is boxed in time, and a preset that gives a stage no minutes leaves it out. State lies under
runs/<preset>/ and is never older than a minute. `--resume` goes on from there, `--stage` runs one
stage alone, `--minutes` stops after so many minutes of whatever is left.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer

from gemma_vision.optimization.clock import Clock, TimeUp
from gemma_vision.optimization.precision import pick_dtype, quick_attention
from gemma_vision.optimization.stage import state_file
from gemma_vision.optimization.training_state import StateError, read_progress
from gemma_vision.synthetic.atlas import load_atlas
from postprocess.errors import UserError
from postprocess.vqvae import MaskVQVAE
from training.curves import write_curves
from training.data.sampling import SceneRecipe
from training.evaluation import evaluate_checkpoint
from training.export import export
from training.model.decoder import train_decoder, train_joint
from training.model.language import SequenceLoss
from training.model.learner import Learner
from training.model.mask_vae import polish_decoder, train_mask_vae
from training.model.tiny import build_model
from training.model.tokenizer import build_tokenizer
from training.model.vision import train_vision
from training.presets import PRESETS, STAGES, Preset
from training.run import (
    MAX_SEED,
    DeviceError,
    TrainingRun,
    check_seed,
    pick_device,
    pick_workers,
)


class OrderError(UserError):
    """A stage that is asked for before what it builds on is there."""

    CODE = "E_STAGES"


def train(run: TrainingRun, plan: Preset, out: Path, stages: Sequence[str] = STAGES) -> None:
    """Run the stages that are named, on top of what earlier ones made; `out` gets the checkpoint.

    Raises TimeUp when the run's clock is up, with everything saved.
    """
    with quick_attention(run.device):
        vae = train_mask_vae(run, plan.paces["vq"], pool=plan.pool, names=plan.num_names)
        polish_decoder(run, vae, plan.paces["polish"], pool=plan.pool, names=plan.num_names)
        if set(stages) <= {"vq"}:
            return
        tokenizer = build_tokenizer()
        learner = prepare(run, plan, vae, tokenizer)
        train_language(run, plan, learner)
    if "export" in stages:
        export(learner, tokenizer, out)
    if "eval" in stages:
        names, scenes = plan.num_names, plan.scenes
        report = evaluate_checkpoint(run, out, vae, names=names, scenes=scenes)
        print(json.dumps(report, indent=2))


def prepare(run: TrainingRun, plan: Preset, vae: MaskVQVAE, tokenizer: Tokenizer) -> Learner:
    """What the stages after vq share, before any of them: a model with weights to begin from."""
    names = load_atlas().names[: plan.num_names]
    model = build_model(plan.sizes, tokenizer, run.seed).to(run.device)
    language = SequenceLoss(tokenizer, names)
    recipe = SceneRecipe(plan.sizes.side, plan.sizes.grid, plan.num_names, renewal=plan.renewal)
    learner = Learner(model, vae, language, names, recipe)
    language.smooth_place_gradients(learner.embeddings)
    return learner


def train_language(run: TrainingRun, plan: Preset, learner: Learner) -> None:
    """Stages vision, decoder, masks and joint, in place; finished ones only load what they made."""
    tower = learner.model.model.vision_tower
    head = train_vision(run, tower, learner.vae, learner.recipe, plan.paces["vision"])
    for stage in ("decoder", "masks"):
        if stage in plan.paces:
            pace, is_first = plan.paces[stage], stage == "decoder"
            train_decoder(run, learner, pace, bank=plan.bank, is_first=is_first)
    if "joint" in plan.paces:
        train_joint(run, learner, head, plan.paces["joint"])


def check_order(plan: Preset, folder: Path, stage: str, out: Path) -> None:
    """Raise OrderError where what a stage builds on is not there; see --stage."""
    before = STAGES[: STAGES.index(stage)]
    if stage == "eval" and not (out / "model.safetensors").exists():
        raise OrderError(f"There is no checkpoint in {out} to evaluate; run --stage export first.")
    if stage in ("export", "eval"):
        before = ("vq", "vision", "decoder")  # the rest may be under way or not begun
    elif not plan.parts(stage):
        raise OrderError(f"This preset gives stage {stage} no minutes; it is left out.")
    for name in before:
        for part in plan.parts(name):
            reached, budget = read_progress(state_file(folder, part)), 60 * plan.paces[part].minutes
            is_ready = reached.steps if stage in ("export", "eval") else reached.seconds >= budget
            if not is_ready:
                raise OrderError(f"Stage {stage} builds on {name}; run --stage {name} first.")


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train and export the embedded checkpoint.")
    parser.add_argument("--preset", choices=PRESETS, default="cpu")
    parser.add_argument("--stage", choices=STAGES, help="this one alone")
    parser.add_argument("--minutes", type=float, help="stop after so many, with the state saved")
    parser.add_argument("--resume", action="store_true", help="go on where an earlier run stopped")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of the state")
    parser.add_argument("--out", type=Path, help="default: checkpoint, in the folder of the run")
    parser.add_argument("--seed", type=int, default=1, help=f"0 to {MAX_SEED}")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--workers", type=int, help="processes that draw scenes")
    return parser.parse_args(arguments)


def check_arguments(args: argparse.Namespace, folder: Path) -> None:
    """Leave with a sentence where the arguments cannot be meant."""
    check_seed(args.seed)
    if args.minutes is not None and args.minutes <= 0:
        sys.exit(f"--minutes is {args.minutes:g}; it has to be more than 0.")
    if folder.exists() and not args.resume:
        sys.exit(f"{folder} holds an earlier run; pass --resume to go on, or remove it.")


def open_run(args: argparse.Namespace, folder: Path) -> TrainingRun:
    """The run that arguments ask for."""
    plan, device = PRESETS[args.preset], pick_device(args.device)
    stages = [args.stage] if args.stage else STAGES
    return TrainingRun(
        folder,
        frozenset(part for stage in stages for part in plan.parts(stage)),
        seed=args.seed,
        device=device,
        dtype=pick_dtype(device),
        compositor="torch" if device.type == "cuda" else "opencv",
        workers=pick_workers(device) if args.workers is None else args.workers,
        save_every=plan.save_every,
        report_every=plan.report_every,
        clock=Clock(args.minutes),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    args = parse_arguments(arguments)
    folder, plan = args.runs / args.preset, PRESETS[args.preset]
    out = args.out or folder / "checkpoint"
    check_arguments(args, folder)
    torch.set_num_threads(args.threads)
    try:
        run = open_run(args, folder)
        if args.stage:
            check_order(plan, folder, args.stage, out)
        train(run, plan, out, [args.stage] if args.stage else STAGES)
    except TimeUp as where:
        print(f"{args.minutes:g} minutes are used: {where}. --resume goes on.", file=sys.stderr)
    except (DeviceError, OrderError, StateError) as error:
        sys.exit(str(error))
    finally:
        if folder.exists():
            write_curves(folder, f"Training: {args.preset}")


if __name__ == "__main__":
    main()
