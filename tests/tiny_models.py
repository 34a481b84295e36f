"""Tiny random models of every family, as transformers builds them, for comparison with ours.

`python tests/tiny_models.py DIR` writes a Gemma 3 of the published shape, to chat nonsense with.

All weights are random, norms and projectors included: fresh models of transformers have zeros
there, and a comparison of zeros proves nothing.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import (
    Gemma3Config,
    Gemma3ForConditionalGeneration,
    Gemma3Processor,
    PaliGemmaConfig,
    PaliGemmaForConditionalGeneration,
    PaliGemmaProcessor,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    ProcessorMixin,
)
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

SIDE, PATCH, TOKENS = 56, 14, 16
NUM_LOCS, NUM_SEGS = 1024, 128
WORDS = ("detect", "segment", "caption", "answer", "en", "cat", "dog", "what", "is", "it", ";", "a")
GEMMA4_MARKS = ("<|turn>", "<turn|>", "<|image>", "<image|>", "<|channel>", "<channel|>")
GEMMA4_MARKS += ("<|think|>", "<|tool_response>")
GEMMA3_MARKS = ("<start_of_turn>", "<end_of_turn>", "<start_of_image>", "<end_of_image>")
MARKS = {
    **dict.fromkeys(("gemma3", "shieldgemma2"), GEMMA3_MARKS),
    **dict.fromkeys(("gemma4", "gemma4e"), GEMMA4_MARKS),
}
SOFT = dict.fromkeys(("gemma3", "shieldgemma2"), "<image_soft_token>") | {
    "gemma4": "<|image|>",
    "gemma4e": "<|image|>",
}
FORMS = ("A", "B", "C", "D")


def vision_sizes(**changes: Any) -> dict[str, Any]:
    return {
        "model_type": "siglip_vision_model",
        "hidden_size": 48,
        "intermediate_size": 100,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "image_size": SIDE,
        "patch_size": PATCH,
        "vision_use_head": False,
    } | changes


def text_sizes(family: str, vocab_size: int) -> dict[str, Any]:
    """Windows shorter than a picture, soft caps that bite, unusual query scales, long ropes."""
    shared = {
        "vocab_size": vocab_size,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "max_position_embeddings": 512,
    }
    own: dict[str, dict[str, Any]] = {
        "paligemma": {"model_type": "gemma", "num_hidden_layers": 3, "num_key_value_heads": 1},
        "paligemma2": {
            "model_type": "gemma2",
            "num_hidden_layers": 4,
            "query_pre_attn_scalar": 20,
            "sliding_window": 8,
            "attn_logit_softcapping": 5.0,
            "final_logit_softcapping": 3.0,
        },
        "gemma3": {
            "model_type": "gemma3_text",
            "num_hidden_layers": 7,
            "query_pre_attn_scalar": 24,
            "sliding_window": 6,
            "rope_parameters": {
                "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
                "sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
            },
        },
    }
    return shared | own[family]


def make_tokenizer(family: str = "paligemma") -> Tokenizer:
    """A byte-level-free BPE like Gemma's: "▁" for spaces, bytes for all it does not know."""
    pieces = ["<pad>", "<eos>", "<bos>", "<unk>", *(f"<0x{i:02X}>" for i in range(256))]
    pieces += ["▁", *"abcdefghijklmnopqrstuvwxyz;?.,", *(f"▁{word}" for word in WORDS)]
    merges = []
    for word in WORDS:
        built = "▁"
        for letter in word:
            merges.append((built, letter))
            built += letter
            pieces.append(built)
    vocab = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    bpe = models.BPE(vocab, list(dict.fromkeys(merges)), unk_token="<unk>", byte_fallback=True)
    tokenizer = Tokenizer(bpe)
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    add_marks(tokenizer, family)
    return tokenizer


def add_marks(tokenizer: Tokenizer, family: str) -> None:
    """The tokens that are read as wholes; positions and codes are ordinary ones, as published."""
    tokenizer.add_special_tokens(["<pad>", "<eos>", "<bos>", "<unk>"])
    lines = ["\n", "\n\n", "\n\n\n", "\n\n\n\n"] if family == "gemma3" else ["\n"]
    marks = lines + list(MARKS.get(family, ()))
    if family not in SOFT:  # nor do the published ones of chats need positions and codes
        marks += [f"<loc{i:04d}>" for i in range(NUM_LOCS)]
        marks += [f"<seg{i:03d}>" for i in range(NUM_SEGS)]
    # as published, the marks of Gemma 4 are special: they vanish where a text is decoded
    special = set(GEMMA4_MARKS if family.startswith("gemma4") else ())
    tokenizer.add_tokens(
        [AddedToken(mark, normalized=False, special=mark in special) for mark in marks]
    )
    image = AddedToken(SOFT.get(family, "<image>"), normalized=False, special=True)
    tokenizer.add_special_tokens([image])


def make_config(family: str, tokenizer: Tokenizer, **vision: Any) -> PaliGemmaConfig | Gemma3Config:
    vocab_size = tokenizer.get_vocab_size() + 6  # rows that no token uses, as published
    image_id = tokenizer.token_to_id(SOFT.get(family, "<image>"))
    parts = {
        "vision_config": vision_sizes(**vision),
        "text_config": text_sizes(family, vocab_size),
        "tie_word_embeddings": True,
    }
    if family == "gemma3":
        return Gemma3Config(
            **parts,
            image_token_index=image_id,
            boi_token_index=tokenizer.token_to_id("<start_of_image>"),
            eoi_token_index=tokenizer.token_to_id("<end_of_image>"),
            mm_tokens_per_image=4,
        )
    return PaliGemmaConfig(**parts, image_token_index=image_id, projection_dim=32, hidden_size=32)


def make_model(family: str = "paligemma", seed: int = 0, **vision: Any) -> PreTrainedModel:
    """A random model of transformers in float32."""
    config = make_config(family, make_tokenizer(family), **vision)
    kind = (
        Gemma3ForConditionalGeneration if family == "gemma3" else PaliGemmaForConditionalGeneration
    )
    model = kind(config).eval()
    randomise(model, seed)
    return model


@torch.no_grad()
def randomise(model: PreTrainedModel, seed: int = 0) -> None:
    """Every parameter anew: norms spread by 0.3, all else by 0.15."""
    torch.manual_seed(seed)
    for name, parameter in model.named_parameters():
        parameter.normal_(0.0, 0.3 if "norm" in name else 0.15)
    model.tie_weights()


def save(model: PreTrainedModel, folder: Path, form: str = "D", shards: int = 1) -> Path:
    """Write a checkpoint folder with one of the four forms of names."""
    folder.mkdir(parents=True, exist_ok=True)
    family = family_of(model)
    config = json.loads(model.config.to_json_string(use_diff=False))
    (folder / "config.json").write_text(json.dumps(config))
    make_tokenizer(family).save(str(folder / "tokenizer.json"))
    tensors = named(model, form)
    if shards == 1:
        save_file(tensors, folder / "model.safetensors")
        return folder
    keys = sorted(tensors)
    places = {
        key: f"model-{i % shards + 1:05d}-of-{shards:05d}.safetensors" for i, key in enumerate(keys)
    }
    for file in sorted(set(places.values())):
        save_file({key: tensors[key] for key in keys if places[key] == file}, folder / file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    return folder


def named(model: PreTrainedModel, form: str) -> dict[str, torch.Tensor]:
    """The weights under the names of a form; C has a tied head, written out."""
    text, vision, rest = {
        "A": ("language_model.model.", "vision_tower.vision_model.", ""),
        "B": ("model.language_model.", "model.vision_tower.vision_model.", "model."),
        "C": ("model.language_model.", "model.vision_tower.", "model."),
        "D": ("language_model.model.", "vision_tower.", ""),
    }[form]
    renamed = {}
    for key, tensor in model.state_dict().items():
        if key == "lm_head.weight":
            continue
        key = key.removeprefix("model.")
        for ours, theirs in (
            ("language_model.", text),
            ("vision_tower.", vision),
            ("multi_modal_projector.", rest + "multi_modal_projector."),
        ):
            if key.startswith(ours):
                renamed[theirs + key.removeprefix(ours)] = tensor.clone()
    if form == "C":
        renamed["lm_head.weight"] = model.state_dict()["lm_head.weight"].clone()
    return renamed


def family_of(model: PreTrainedModel) -> str:
    kind = model.config.text_config.model_type
    return {"gemma": "paligemma", "gemma2": "paligemma2", "gemma3_text": "gemma3"}[kind]


def make_processor(folder: Path, config: PaliGemmaConfig | Gemma3Config) -> ProcessorMixin:
    """The processor of transformers over the folder's tokenizer, with the Pillow resizing."""
    is_chat = config.model_type == "gemma3"
    marks = {"image_token": "<image_soft_token>" if is_chat else "<image>"}
    if is_chat:
        marks |= {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>"}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"),
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        padding_side="left",
        extra_special_tokens=marks,
    )
    side = config.vision_config.image_size
    size = {"height": side, "width": side}
    if is_chat:
        images = Gemma3ImageProcessorPil(size=size)
        return Gemma3Processor(images, tokenizer, image_seq_length=config.mm_tokens_per_image)
    images = SiglipImageProcessorPil(size=size, resample=3)
    images.image_seq_length = (side // config.vision_config.patch_size) ** 2
    return PaliGemmaProcessor(images, tokenizer)


def write_gemma3(folder: Path) -> None:
    """A Gemma 3 of random weights and small widths, but of the published shape: 896 pixels, 256
    soft tokens, a window of 1024, six layers to a full one."""
    config = make_config("gemma3", make_tokenizer("gemma3"), image_size=896)
    config.mm_tokens_per_image = 256
    config.text_config.sliding_window = 1024
    model = Gemma3ForConditionalGeneration(config).eval()
    randomise(model)
    save(model, folder)
    make_processor(folder, config).save_pretrained(folder)
    ends = [1, make_tokenizer("gemma3").token_to_id("<end_of_turn>")]
    generation = {"bos_token_id": 2, "eos_token_id": ends, "pad_token_id": 0}
    (folder / "generation_config.json").write_text(json.dumps(generation))


if __name__ == "__main__":
    write_gemma3(Path(sys.argv[1]))
