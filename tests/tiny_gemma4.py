"""Tiny random models of Gemma 4 in its five shapes, as transformers builds them.

Everything is random, buffers too: a fresh model has scalars of 1, infinite bounds and tables of 1,
which prove nothing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tiny_models import make_tokenizer
from transformers import Gemma4Config, Gemma4ForConditionalGeneration

S, F = "sliding_attention", "full_attention"
VISION = {
    "model_type": "gemma4_vision",
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "patch_size": 4,
    "pooling_kernel_size": 3,
    "position_embedding_size": 400,
}
TEXT = {
    "model_type": "gemma4_text",
    "hidden_size": 48,
    "intermediate_size": 64,
    "num_attention_heads": 4,
    "head_dim": 8,
    "global_head_dim": 16,
    "sliding_window": 6,
    "final_logit_softcapping": 30.0,
}
LARGE = {
    "layer_types": [S, S, F, S, S, S, F],
    "num_key_value_heads": 2,
    "num_global_key_value_heads": 1,
    "attention_k_eq_v": True,
    "use_bidirectional_attention": "vision",
    "hidden_size_per_layer_input": 0,
}
SHAPES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {  # of the text, of the tower
    "E2B": (
        {
            "layer_types": [S, S, F] * 3,
            "num_key_value_heads": 1,
            "hidden_size_per_layer_input": 8,
            "num_kv_shared_layers": 5,
            "use_double_wide_mlp": True,
        },
        {"use_clipped_linears": True},
    ),
    "E4B": (
        {
            "layer_types": [S, S, F] * 3,
            "num_key_value_heads": 2,
            "hidden_size_per_layer_input": 8,
            "num_kv_shared_layers": 3,
        },
        {"use_clipped_linears": True},
    ),
    "31B": (LARGE, {"standardize": True}),
    "26B": (
        LARGE
        | {
            "enable_moe_block": True,
            "num_experts": 6,
            "top_k_experts": 2,
            "moe_intermediate_size": 16,
        },
        {"standardize": True},
    ),
    "control": (
        {
            "layer_types": [S, S, F, S, S, S, F],
            "num_key_value_heads": 1,
            "hidden_size_per_layer_input": 0,
        },
        {},
    ),
}


def published_config(shape: str) -> dict[str, Any]:
    """A config.json in the form of published files."""
    text, vision = SHAPES[shape]
    size = make_tokenizer("gemma4").get_vocab_size() + 6  # rows that no token uses
    config = TEXT | text | {"vocab_size": size, "vocab_size_per_layer_input": size}
    return {
        "model_type": "gemma4",
        "image_token_id": make_tokenizer("gemma4").token_to_id("<|image|>"),
        "boi_token_id": make_tokenizer("gemma4").token_to_id("<|image>"),
        "eoi_token_id": make_tokenizer("gemma4").token_to_id("<image|>"),
        "video_token_id": size - 2,
        "audio_token_id": size - 1,
        "audio_config": None,
        "eos_token_id": [1, 106],
        "tie_word_embeddings": True,
        "text_config": config | {"num_hidden_layers": len(config["layer_types"])},
        "vision_config": VISION | vision,
    }


def make_gemma4(shape: str, seed: int = 0) -> Gemma4ForConditionalGeneration:
    """A random model of transformers in float32, read from the published form."""
    values = published_config(shape)
    config = Gemma4Config.from_dict(json.loads(json.dumps(values)))
    model = Gemma4ForConditionalGeneration(config).eval()
    randomise(model, seed)
    return model


@torch.no_grad()
def randomise(model: torch.nn.Module, seed: int = 0) -> None:
    """Every parameter and every stored buffer anew."""
    generator = torch.manual_seed(seed)
    for name, parameter in model.named_parameters():
        if "norm" in name or name.endswith("scale"):
            parameter.normal_(1.0, 0.3, generator=generator)
        else:
            parameter.normal_(0.0, 0.15, generator=generator)
    for name, buffer in model.named_buffers():
        kind = name.rsplit(".", 1)[-1]
        if kind == "layer_scalar":
            buffer.uniform_(0.7, 1.0, generator=generator)
        elif kind in ("input_max", "output_max"):
            buffer.uniform_(0.8, 1.1, generator=generator)
        elif kind in ("input_min", "output_min"):
            buffer.uniform_(-1.1, -0.8, generator=generator)
        elif kind == "std_bias":
            buffer.normal_(0.0, 0.5, generator=generator)
        elif kind == "std_scale":
            buffer.uniform_(0.3, 0.5, generator=generator)
    model.tie_weights()


def save_gemma4(model: Gemma4ForConditionalGeneration, folder: Path, shape: str) -> Path:
    """Write a checkpoint folder in the published form."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(published_config(shape)))
    make_tokenizer("gemma4").save(str(folder / "tokenizer.json"))
    tensors = {n: t.clone() for n, t in model.state_dict().items() if n != "lm_head.weight"}
    save_file(tensors, folder / "model.safetensors")
    return folder
