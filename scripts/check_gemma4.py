"""Compare a downloaded Gemma 4 with transformers on a picture of this repository.

    python scripts/check_gemma4.py google/gemma-4-E2B-it

Pixels, soft tokens, the logits of the first token and 32 greedy tokens; a table that can be sent to
the project's issues. Real weights cannot be fetched where the project is built, so that this is how
they are checked. Both models are in memory, one after the other.
"""

from __future__ import annotations

import argparse
import gc
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from gemma_vision.images.opening import open_image  # noqa: E402
from gemma_vision.model.config import PatchVisionConfig  # noqa: E402
from gemma_vision.requests.request import Request  # noqa: E402
from gemma_vision.runtime.engine import Prompt  # noqa: E402
from gemma_vision.runtime.local_engine import LocalEngine  # noqa: E402
from gemma_vision.weights.checkpoint import DTYPES, open_checkpoint  # noqa: E402

PICTURE = ROOT / "gemma_vision" / "web" / "examples" / "scene-1.jpg"
STEPS = 32
Row = tuple[str, str, str]  # what is compared, how far apart, what it ought to be


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Compare a Gemma 4 with transformers.")
    parser.add_argument("model", help="a folder or a Hub id, such as google/gemma-4-E2B-it")
    parser.add_argument("--picture", type=Path, default=PICTURE)
    parser.add_argument("--budget", type=int, default=280)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="bfloat16", choices=list(DTYPES))
    given = parser.parse_args(arguments)
    rows = compare(given.model, given.picture, given.budget, given.device, given.dtype)
    print(f"\n{given.model}, {given.picture.name}, budget {given.budget}, {given.dtype}\n")
    print("| compared | apart | ought to be |\n|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    return 0


def compare(model: str, picture: Path, budget: int, device: str, dtype: str) -> list[Row]:
    """The rows of the table."""
    ours = ask_ours(model, picture, budget, device, dtype)
    gc.collect()
    theirs = ask_theirs(ours, picture, budget, device, dtype)
    rounding = "1e-4" if dtype == "float32" else "a few per cent of their size"
    alike = next(
        (place for place, pair in enumerate(zip(ours["tokens"], theirs["tokens"], strict=False))
         if pair[0] != pair[1]),
        len(ours["tokens"]),
    )  # fmt: skip
    return [
        ("pixels", distance(ours["pixels"], theirs["pixels"]), "0"),
        ("soft tokens", distance(ours["soft"], theirs["soft"]), rounding),
        ("first logits", distance(ours["logits"], theirs["logits"]), rounding),
        ("first token", f"{ours['tokens'][0]} and {theirs['tokens'][0]}", "equal"),
        ("greedy tokens alike", f"{alike} of {len(ours['tokens'])}", "all, or nearly in bfloat16"),
        ("size of soft tokens, logits", f"{size(theirs['soft'])}, {size(theirs['logits'])}", ""),
        ("what ours says", ours["text"].replace("\n", " ").replace("|", "/"), ""),
    ]


@torch.inference_mode()
def ask_ours(name: str, picture: Path, budget: int, device: str, dtype: str) -> dict[str, Any]:
    """What this project makes of the picture."""
    engine = LocalEngine(open_checkpoint(name, device, dtype))
    family, model = engine.checkpoint.family, engine.checkpoint.model
    assert isinstance(model.config.vision, PatchVisionConfig), f"{name} is no Gemma 4"
    image = open_image(picture)
    text = family.write_prompt(Request(image, "ask", "What is shown in this image?"))
    prompt = Prompt((image,), text, STEPS, budget=budget)
    (view,) = engine.views(prompt)[0]
    batch, row = engine.watch(prompt)
    assert batch.logits is not None, "the first token is there"
    logits, told = batch.logits[0].float().cpu(), ""
    tokens: list[int] = []
    while row.outbox:
        chunk = row.outbox.popleft()
        tokens += chunk.token_ids
        told += chunk.text
        if not chunk.finish:
            batch.advance()
    pixels = torch.from_numpy(view.pixels)[None].to(device)
    return {
        "folder": engine.checkpoint.folder,
        "config": model.config,
        "ids": engine.ids(prompt),
        "pixels": view.pixels,
        "soft": model.encode(pixels, view.grid)[0].float().cpu(),
        "logits": logits,
        "tokens": tokens,
        "text": told,
    }


@torch.inference_mode()
def ask_theirs(
    ours: dict[str, Any], picture: Path, budget: int, device: str, dtype: str
) -> dict[str, Any]:
    """What transformers makes of it, from the same ids."""
    from transformers import AutoModelForImageTextToText
    from transformers.models.gemma4.image_processing_pil_gemma4 import Gemma4ImageProcessorPil

    vision, image = ours["config"].vision, ours["config"].image_token_id
    processor = Gemma4ImageProcessorPil(
        patch_size=vision.patch_size, pooling_kernel_size=vision.pooling, max_soft_tokens=budget
    )
    made = processor(open_image(picture), return_tensors="pt").to(device)
    model = AutoModelForImageTextToText.from_pretrained(ours["folder"], dtype=DTYPES[dtype])
    model = model.to(device).eval()
    ids = torch.tensor([ours["ids"]], device=device)
    seen = model.model.get_image_features(made["pixel_values"], made["image_position_ids"])
    answer = model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        mm_token_type_ids=(ids == image).long(),
        pixel_values=made["pixel_values"],
        image_position_ids=made["image_position_ids"],
        do_sample=False,
        max_new_tokens=len(ours["tokens"]),
        output_logits=True,
        return_dict_in_generate=True,
    )
    return {
        "pixels": made["pixel_values"][0, : len(ours["pixels"])].cpu().numpy(),
        "soft": seen.pooler_output[0].float().cpu(),
        "logits": answer.logits[0][0].float().cpu(),
        "tokens": answer.sequences[0, ids.shape[1] :].tolist(),
    }


def distance(ours: Any, theirs: Any) -> str:
    """The largest difference, or that the shapes differ."""
    if ours.shape != theirs.shape:
        return f"shapes {tuple(ours.shape)} and {tuple(theirs.shape)}"
    return f"{float(np.abs(np.asarray(ours) - np.asarray(theirs)).max()):.2g}"


def size(numbers: Any) -> str:
    """How large they are, on the whole."""
    return f"{float(np.asarray(numbers).std()):.3g}"


if __name__ == "__main__":
    sys.exit(main())
