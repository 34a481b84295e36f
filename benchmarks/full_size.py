"""Full size: PaliGemma-3B in bfloat16 with random weights, ours and transformers on one CPU.

    python -m benchmarks.full_size --folder DIR [--threads 2]

Writes a checkpoint of 5.5 GiB into DIR (once), then runs each side in a process of its own over
one picture and ten prompt tokens. Both take the tokens that ours picks, for eight steps. Prints one
JSON object: seconds, peak memory beyond the imports as a multiple of the weights, the largest
difference of logits and at how many steps the best token is the same.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from gemma_vision.checkpoints.config import parse_config, read_config
from gemma_vision.model.vision_language_model import VisionLanguageModel
from gemma_vision.weights.loading import load_model

CONFIG: dict[str, Any] = {
    "model_type": "paligemma",
    "architectures": ["PaliGemmaForConditionalGeneration"],
    "image_token_index": 257152,
    "projection_dim": 2048,
    "hidden_size": 2048,
    "dtype": "bfloat16",
    "text_config": {
        "model_type": "gemma",
        "hidden_size": 2048,
        "intermediate_size": 16384,
        "num_attention_heads": 8,
        "num_hidden_layers": 18,
        "num_key_value_heads": 1,
        "vocab_size": 257216,
    },
    "vision_config": {
        "model_type": "siglip_vision_model",
        "hidden_size": 1152,
        "intermediate_size": 4304,
        "num_attention_heads": 16,
        "num_hidden_layers": 27,
        "image_size": 224,
        "patch_size": 14,
        "vision_use_head": False,
    },
}
PUBLISHED = {"text.": "language_model.model.", "vision.": "vision_tower.vision_model."}
PUBLISHED |= {"projector.": "multi_modal_projector."}
PROMPT = [2, 500, 501, 502, 503, 504, 505, 506, 507, 108]
STEPS = 8


def main() -> None:
    """Run one side, or both and compare."""
    options = read_options()
    if options.side:
        torch.set_num_threads(options.threads)
        run_side(options.side, options.folder)
        return
    if not (options.folder / "model.safetensors.index.json").is_file():
        write_checkpoint(options.folder)
    for side in ("ours", "theirs"):
        command = [sys.executable, "-m", "benchmarks.full_size", "--side", side]
        command += ["--folder", str(options.folder), "--threads", str(options.threads)]
        subprocess.run(command, check=True)
    print(json.dumps(compare(options.folder), indent=1))


def run_side(side: str, folder: Path) -> None:
    """Logits of every step and what they cost, written beside the checkpoint."""
    if side == "theirs":
        import transformers  # noqa: F401  counted as an import, not as the model
    imports = peak()
    start = time.perf_counter()
    logits, times = (run_ours if side == "ours" else run_theirs)(folder, start)
    np.save(folder / f"{side}.npy", logits.float().numpy())
    cost = times | {"peak_beyond_imports": peak() - imports}
    (folder / f"{side}.json").write_text(json.dumps(cost))


@torch.inference_mode()
def run_ours(folder: Path, start: float) -> tuple[Tensor, dict[str, float]]:
    config = read_config(folder)
    model = load_model(folder, config, torch.device("cpu"), None)
    loaded = time.perf_counter()
    ids = prompt_ids()
    soft = [model.encode(pixels())]
    logits, state = model.prefill(ids, torch.ones_like(ids).bool(), soft, room=STEPS)
    return walk(logits, lambda token: model.step(token, state), folder, (start, loaded))


@torch.inference_mode()
def run_theirs(folder: Path, start: float) -> tuple[Tensor, dict[str, float]]:
    from transformers import PaliGemmaForConditionalGeneration

    model = PaliGemmaForConditionalGeneration.from_pretrained(folder, dtype=torch.bfloat16).eval()
    loaded = time.perf_counter()
    ids = prompt_ids()
    types = torch.zeros_like(ids)
    made = model(input_ids=ids, pixel_values=pixels(), token_type_ids=types, logits_to_keep=1)
    cache, mask = made.past_key_values, torch.ones_like(ids)

    def step(token: Tensor) -> Tensor:
        nonlocal mask
        mask = torch.cat([mask, torch.ones(1, 1, dtype=torch.long)], 1)
        at = torch.tensor([[mask.shape[1]]])  # positions count from 1
        more = model(token[:, None], attention_mask=mask, position_ids=at, past_key_values=cache)
        logits: Tensor = more.logits[:, -1]
        return logits

    return walk(made.logits[:, -1], step, folder, (start, loaded))


def walk(
    logits: Tensor, step: Callable[[Tensor], Tensor], folder: Path, times: tuple[float, float]
) -> tuple[Tensor, dict[str, float]]:
    """Logits of eight steps over the tokens that ours picks."""
    first = time.perf_counter()
    path = folder / "tokens.json"
    given = json.loads(path.read_text()) if (folder / "ours.npy").is_file() else None
    tokens, every = [], [logits]
    for index in range(STEPS):
        token = every[-1].argmax(-1) if given is None else torch.tensor([given[index]])
        tokens.append(int(token))
        every.append(step(token))
    path.write_text(json.dumps(tokens if given is None else given))
    start, loaded = times
    seconds = {"load": loaded - start, "first": first - loaded}
    return torch.cat(every), seconds | {"token": (time.perf_counter() - first) / STEPS}


def compare(folder: Path) -> dict[str, Any]:
    """Both sides side by side."""
    ours, theirs = (np.load(folder / f"{side}.npy") for side in ("ours", "theirs"))
    costs = {side: json.loads((folder / f"{side}.json").read_text()) for side in ("ours", "theirs")}
    weights = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    for cost in costs.values():
        cost["peak_over_weights"] = round(cost.pop("peak_beyond_imports") / weights, 3)
    same = int((ours.argmax(-1) == theirs.argmax(-1)).sum())
    difference = float(np.abs(ours - theirs).max())
    return costs | {"same_best_token": same, "of": len(ours), "largest_difference": difference}


def write_checkpoint(folder: Path) -> None:
    """Random weights of the published names and shapes, in two shards with an index."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    for stale in folder.glob("*.npy"):
        stale.unlink()
    with torch.device("meta"):
        shapes = VisionLanguageModel(parse_config(CONFIG)).state_dict()
    torch.manual_seed(0)
    names = list(shapes)
    halves = {f"model-0000{i + 1}-of-00002.safetensors": names[i::2] for i in range(2)}
    places: dict[str, str] = {}
    for file, keys in halves.items():
        tensors = {published(key): noise(key, tuple(shapes[key].shape)) for key in keys}
        save_file(tensors, folder / file, metadata={"format": "pt"})
        places |= dict.fromkeys(tensors, file)
    index = {"metadata": {}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def published(name: str) -> str:
    """text.norm.weight  ->  language_model.model.norm.weight"""
    prefix = next(prefix for prefix in PUBLISHED if name.startswith(prefix))
    return PUBLISHED[prefix] + name.removeprefix(prefix)


def noise(name: str, shape: tuple[int, ...]) -> Tensor:
    """Norms and biases spread by 0.1, matrices by the root of their inputs."""
    spread = 0.1 if len(shape) == 1 else float(np.prod(shape[1:])) ** -0.5
    return (torch.randn(shape) * spread).to(torch.bfloat16)


def prompt_ids() -> Tensor:
    return torch.tensor([[CONFIG["image_token_index"]] * 256 + PROMPT])


def pixels() -> Tensor:
    return torch.rand(1, 3, 224, 224, generator=torch.manual_seed(1)) * 2 - 1


def peak() -> int:
    """The most memory this process has held, in bytes (Linux); pages of mapped files count."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--side", choices=("ours", "theirs"), help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
