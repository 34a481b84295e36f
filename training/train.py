"""Make the embedded checkpoint: `python -m training.train --preset cpu`.

Stages vq (with its polish), vision, decoder, masks, joint and export, each boxed in time; a
preset that gives a stage no minutes leaves it out. State lies under runs/<preset>/; `--resume` goes
on from there, `--until` stops after a stage.
"""

import argparse
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from training.decoder import BANK, Learner, train_decoder, train_joint
from training.export import export
from training.language import Language
from training.mask_vae import POOL, polish_decoder, train_mask_vae
from training.poses import EVALUATION_SEEDS
from training.samples import Recipe
from training.sprites import load_atlas
from training.tiny import Sizes, build_model
from training.tokenizer import build_tokenizer
from training.vision import train_vision

STAGES = ("vq", "vision", "decoder", "masks", "joint", "export")


@dataclass(frozen=True)
class Preset:
    """Sizes, and minutes of each stage, of one way to train."""

    minutes: dict[str, float]
    sizes: Sizes = field(default_factory=Sizes)
    num_names: int = 16
    bank: int = BANK
    pool: int = POOL


PRESETS = {
    # For tests: everything runs, nothing is learned.
    "smoke": Preset(
        {"vq": 0.04, "polish": 0.02, "vision": 0.05, "decoder": 0.05, "masks": 0.03, "joint": 0.05},
        Sizes(
            side=56,
            vision_width=48,
            vision_layers=2,
            text_width=64,
            text_layers=2,
            text_heads=2,
            head_dim=32,
        ),
        num_names=4,
        bank=48,
        pool=64,
    ),
    # Two cores.
    "cpu": Preset({"vq": 9.0, "polish": 6.0, "vision": 38.0, "decoder": 44.0, "masks": 10.0}),
}


def train(
    preset: str, folder: Path, out: Path, *, stages: tuple[str, ...], seed: int, workers: int
) -> None:
    """Run the stages in order; a finished one only loads what it made."""
    plan, minutes = PRESETS[preset], PRESETS[preset].minutes
    tokenizer, names = build_tokenizer(), load_atlas().names[: plan.num_names]
    recipe = Recipe(plan.sizes.side, plan.sizes.grid, plan.num_names)
    vae = train_mask_vae(folder, minutes=minutes["vq"], seed=seed, pool=plan.pool)
    polish_decoder(folder, vae, minutes=minutes["polish"], seed=seed, pool=plan.pool)
    if "vision" not in stages:
        return
    model = build_model(plan.sizes, tokenizer, seed)
    language = Language(tokenizer, names)
    language.keep_places_smooth(model.model.language_model.embed_tokens.weight)
    learner = Learner(model, vae, language, names, recipe)
    tower = model.model.vision_tower
    head = train_vision(
        folder, tower, vae, recipe, minutes=minutes["vision"], seed=seed, workers=workers
    )
    for stage in ("decoder", "masks"):
        if stage in stages and stage in minutes:
            train_decoder(
                folder,
                learner,
                minutes=minutes[stage],
                seed=seed,
                bank=plan.bank,
                workers=workers,
                is_first=stage == "decoder",
            )
    if "joint" in stages and "joint" in minutes:
        train_joint(folder, learner, head, minutes=minutes["joint"], seed=seed, workers=workers)
    if "export" in stages:
        export(learner, tokenizer, out)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train and export the embedded checkpoint.")
    parser.add_argument("--preset", choices=PRESETS, default="cpu")
    parser.add_argument("--until", choices=STAGES, default="export", help="the last stage to run")
    parser.add_argument("--resume", action="store_true", help="go on where an earlier run stopped")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of the state")
    parser.add_argument("--out", type=Path, default=Path("gemma_vision/checkpoints/tiny"))
    parser.add_argument("--seed", type=int, default=1, help=f"under {EVALUATION_SEEDS}")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--workers", type=int, default=1, help="processes that draw scenes")
    args = parser.parse_args()
    folder = args.runs / args.preset
    if args.seed >= EVALUATION_SEEDS:
        sys.exit(f"Seed {args.seed} is for evaluation only; take one under {EVALUATION_SEEDS}.")
    if folder.exists() and not args.resume:
        sys.exit(f"{folder} holds an earlier run; pass --resume to go on, or remove it.")
    torch.set_num_threads(args.threads)
    started = time.monotonic()
    stages = STAGES[: STAGES.index(args.until) + 1]
    # The fused kernel's backward in bfloat16 costs a CPU a fifth more than plain products.
    with sdpa_kernel(SDPBackend.MATH):
        train(args.preset, folder, args.out, stages=stages, seed=args.seed, workers=args.workers)
    print(f"done in {(time.monotonic() - started) / 60:.1f} minutes", file=sys.stderr)


if __name__ == "__main__":
    main()
