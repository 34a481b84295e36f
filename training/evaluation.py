"""Stage eval: what the exported checkpoint reaches on scenes that no training ever sees."""

import hashlib
import json
import sys
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
import torch

from gemma_vision import load
from gemma_vision.evaluate import evaluate, read_dataset
from gemma_vision.optimization.atomic_write import write_atomically
from gemma_vision.optimization.clock import TimeUp
from gemma_vision.synthetic.poses import EVALUATION_SEEDS
from gemma_vision.synthetic.scene_dataset import write_dataset
from postprocess.vqvae import MaskVQVAE
from training.data.masks import draw_masks
from training.model.mask_vae import evaluate_mask_vae
from training.run import TrainingRun

SEED = EVALUATION_SEEDS + 123
SIDE = 224  # of the scenes
NUM_MASKS = 600  # held-out masks of things, for the mask VQ-VAE by itself
REPORT = "eval.json"

Scores = dict[str, Any]


def evaluate_checkpoint(
    run: TrainingRun, checkpoint: Path, vae: MaskVQVAE, *, names: int, scenes: int
) -> Scores:
    """Ask about `scenes` scenes of `names` names, greedily and in float32 -> the figures.

    They are also written to eval.json in the folder of the run. What was asked is kept, so that an
    interrupted evaluation goes on; a checkpoint exported anew begins anew. Raises TimeUp.
    """
    digest = fingerprint(checkpoint)
    dataset = read_dataset(_scenes(run.folder / f"scenes-{SEED}-{scenes}", names, scenes))

    def report_progress(done: int, total: int) -> None:
        print(json.dumps({"stage": "eval", "done": done, "of": total}), file=sys.stderr)
        if run.clock.is_up and done < total:
            raise TimeUp(f"stage eval is at {done / total:.0%}")

    pipeline = load(str(checkpoint), device=run.device.type, dtype="float32")
    answers = run.folder / f"answers-{digest}.jsonl"
    figures = evaluate(pipeline, dataset, results=answers, progress=report_progress)
    held_out = draw_masks(np.random.default_rng(SEED), NUM_MASKS, shapes=0.0, names=names)
    codes = {f"vq_{key}": value for key, value in evaluate_mask_vae(vae, held_out).items()}
    report = {"checkpoint": digest, "names": names, "device": _name(run.device)} | codes | figures
    write_atomically(run.folder / REPORT, f"{json.dumps(report, indent=2)}\n")
    return report


def fingerprint(checkpoint: Path) -> str:
    """Twelve letters that change with the weights of a checkpoint or its mask decoder."""
    digest = hashlib.sha256()
    for file in ("model.safetensors", "mask_decoder.npz"):
        digest.update((checkpoint / file).read_bytes())
    return digest.hexdigest()[:12]


def _scenes(folder: Path, names: int, count: int) -> Path:
    """The folder of scenes, drawn when it is not there yet; whole or not at all."""
    if not folder.exists():
        draft = folder.with_name(f".{folder.name}.new")
        rmtree(draft, ignore_errors=True)
        write_dataset(SEED, count, draft, side=SIDE, names=names)
        draft.replace(folder)
    return folder


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
