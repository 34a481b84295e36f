"""Large tuning: LoRA on a model of PaliGemma 3B's shape with random weights, on a CPU.

    python -m benchmarks.large_tuning FOLDER --steps 2 [--qlora]

Writes the model into FOLDER/base (5.9 GB) unless it is there, fine-tunes it on a few drawn pictures
and prints as JSON what memory was foretold, the peak, the seconds of a step, and how many
matrices of the adapter PEFT puts back over the base.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import torch
from safetensors.torch import save_file

from benchmarks.new_things import write_pictures
from gemma_vision.checkpoints.file_names import CHECKPOINTS
from gemma_vision.finetuning.learning.learn import learn, needs_of
from gemma_vision.finetuning.learning.processes import Processes
from gemma_vision.finetuning.options import plan_of
from gemma_vision.finetuning.preparation import prepare

VOCABULARY = 257_216
NAMES = ("traffic cone", "mug", "key")
SHARD = 400_000_000  # numbers of a file
BLOCK = 1_000_003  # random numbers, repeated: drawing three billion would take longer than learning
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "generation_config.json")


def large_config(side: int) -> dict[str, Any]:
    """The published sizes, with the embedded checkpoint's own tokens."""
    config = json.loads((CHECKPOINTS / "tiny" / "config.json").read_text("utf-8"))
    config |= {"hidden_size": 2048, "projection_dim": 2048, "vocab_size": VOCABULARY}
    config["text_config"] |= {
        "head_dim": 256,
        "hidden_size": 2048,
        "intermediate_size": 16384,
        "num_attention_heads": 8,
        "num_hidden_layers": 18,
        "num_key_value_heads": 1,
        "num_image_tokens": (side // 14) ** 2,
        "vocab_size": VOCABULARY,
        "max_position_embeddings": 8192,
    }
    config["vision_config"] |= {
        "hidden_size": 1152,
        "image_size": side,
        "intermediate_size": 4304,
        "num_attention_heads": 16,
        "num_hidden_layers": 27,
        "num_image_tokens": (side // 14) ** 2,
        "projection_dim": 2048,
    }
    return dict(config)


def write_model(folder: Path, side: int) -> None:
    """A checkpoint folder of random numbers in bfloat16, in shards."""
    from transformers import AutoConfig, PaliGemmaForConditionalGeneration

    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(large_config(side)))
    for name in TOKENIZER:
        shutil.copyfile(CHECKPOINTS / "tiny" / name, folder / name)
    with torch.device("meta"):
        model = PaliGemmaForConditionalGeneration(AutoConfig.from_pretrained(folder))
    shapes = {k: v.shape for k, v in model.state_dict().items() if k != "lm_head.weight"}
    shards: list[dict[str, torch.Tensor]] = [{}]
    index: dict[str, int] = {}
    block = torch.randn(BLOCK, generator=torch.Generator().manual_seed(1)).bfloat16()
    for name, shape in shapes.items():
        if sum(one.numel() for one in shards[-1].values()) > SHARD:
            write_shard(folder, len(shards), shards[-1])
            shards.append({})
        scale = 0.02 if len(shape) > 1 else 0.1
        repeated = block.repeat(-(-shape.numel() // BLOCK))[: shape.numel()]
        shards[-1][name] = (scale * repeated).view(shape)
        index[name] = len(shards)
    write_shard(folder, len(shards), shards[-1])
    files = {name: shard_name(number) for name, number in index.items()}
    index_file = {"metadata": {}, "weight_map": files}  # transformers wants both
    (folder / "model.safetensors.index.json").write_text(json.dumps(index_file))


def shard_name(number: int) -> str:
    """model-00003.safetensors"""
    return f"model-{number:05d}.safetensors"


def write_shard(folder: Path, number: int, tensors: dict[str, torch.Tensor]) -> None:
    """Write and let go of some tensors."""
    save_file(tensors, folder / shard_name(number), metadata={"format": "pt"})
    tensors.clear()


def measure(folder: Path, *, steps: int, batch: int, is_4_bit: bool) -> dict[str, Any]:
    """Fine-tune for some steps -> what was foretold, the peak in bytes, the seconds of a step."""
    for name in ("out", "runs"):
        shutil.rmtree(folder / name, ignore_errors=True)
    data = write_pictures(folder / "data", seed=5, count=6, names=NAMES)
    options = {"data": data, "name": "large", "out": folder / "out", "runs": folder / "runs"}
    options |= {"model": str(folder / "base"), "steps": steps, "batch": batch}
    options |= {"qlora": True} if is_4_bit else {"lora": True}
    options |= {"mask_decoder": "embedded", "scorings": 0, "held_out": 0.2}
    device = torch.device("cpu")
    prepared = prepare(plan_of(options), resume=False, tell=print)
    needs = needs_of(prepared, device)
    with highest_private() as private:
        learned = learn(prepared, device, Processes())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "parameters": prepared.base.size,
        "foretold": needs.total,
        "peak": peak,
        "peak_private": max(private),
        "peak_over_foretold": round(peak / needs.total, 3),
        "seconds_per_step": round(learned.seconds / learned.steps, 1),
        "matrices_in_peft": matrices_in_peft(folder / "base", folder / "out"),
    }


@contextmanager
def highest_private() -> Iterator[list[int]]:
    """Bytes that are no pages of a file, which the system may let go of; ten times a second."""
    seen, over, process = [0], threading.Event(), psutil.Process()

    def watch() -> None:
        while not over.wait(0.1):
            memory = process.memory_info()
            seen.append(memory.rss - memory.shared)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def matrices_in_peft(base: Path, adapter: Path) -> int:
    """PEFT's own loading of an adapter -> its matrices that are not as they began."""
    from peft import PeftModel
    from transformers import PaliGemmaForConditionalGeneration

    model = PaliGemmaForConditionalGeneration.from_pretrained(base, dtype="auto")
    names = PeftModel.from_pretrained(model, str(adapter)).named_parameters()
    return sum(bool(tensor.any()) for name, tensor in names if "lora_B" in name)


def main(words: Sequence[str] | None = None) -> None:
    """Print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large_tuning")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--qlora", action="store_true", help="the base in 4 bits")
    options = parser.parse_args(words)
    torch.set_num_threads(1)
    if not (options.folder / "base").is_dir():
        write_model(options.folder / "base", options.side)
    measured = measure(
        options.folder, steps=options.steps, batch=options.batch, is_4_bit=options.qlora
    )
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
