"""Small model: PaliGemma of 177 million parameters and 257,216 words, with random weights.

Sizes between the embedded checkpoint and PaliGemma-3B: what the large vocabulary costs shows here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

from benchmarks.full_size import CONFIG, write_checkpoint

WORDS = ("detect", "segment", "caption", "en", "cat", ";", "what", "is", "it")
FIRST_LOC, FIRST_SEG = 256_000, 257_024
IMAGE = 257_152
TEXT = {"hidden_size": 512, "intermediate_size": 2048, "num_hidden_layers": 8, "head_dim": 64}
VISION = {
    "hidden_size": 384,
    "intermediate_size": 1536,
    "num_hidden_layers": 8,
    "num_attention_heads": 6,
}
SEED = 7


def write_small_model(folder: Path) -> Path:
    """The checkpoint's folder, as transformers and we open it; written once."""
    if (folder / "model.safetensors").exists():
        return folder
    from transformers import PaliGemmaConfig, PaliGemmaForConditionalGeneration

    folder.mkdir(parents=True, exist_ok=True)
    config: dict[str, Any] = CONFIG | {"hidden_size": 512, "projection_dim": 512}
    config["text_config"] = CONFIG["text_config"] | TEXT
    config["vision_config"] = CONFIG["vision_config"] | VISION
    torch.manual_seed(SEED)
    model = PaliGemmaForConditionalGeneration(PaliGemmaConfig(**config)).to(torch.bfloat16)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(0.0, 0.1 if "norm" in name else 0.03)
    model.tie_weights()
    model.config.save_pretrained(folder)
    state = {key: value for key, value in model.state_dict().items() if key != "lm_head.weight"}
    save_file(
        {rename(key): value.contiguous() for key, value in state.items()},
        folder / "model.safetensors",
    )
    make_tokenizer().save(str(folder / "tokenizer.json"))
    write_processor(folder)
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": 1}))
    return folder


def write_full_model(folder: Path) -> Path:
    """PaliGemma-3B's folder, with random weights and the same few words; written once."""
    if not (folder / "generation_config.json").exists():
        write_checkpoint(folder)
        make_tokenizer().save(str(folder / "tokenizer.json"))
        write_processor(folder)
        (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": 1}))
    return folder


def rename(key: str) -> str:
    """The parameter's name as it was published first."""
    key = key.removeprefix("model.")
    return key.replace("language_model.", "language_model.model.", 1)


def make_tokenizer() -> Tokenizer:
    """A few words, and positions, codes and the image token at the ids that PaliGemma has."""
    pieces = ["<pad>", "<eos>", "<bos>", "<unk>", "\u2581", *"abcdefghijklmnopqrstuvwxyz;?.,"]
    merges, made = [], set(pieces)
    for word in WORDS:
        built = "\u2581"
        for letter in word:
            merges.append((built, letter))
            built += letter
            if built not in made:
                pieces.append(built)
                made.add(built)
    pieces += [f"<unused{number}>" for number in range(len(pieces), FIRST_LOC - 1)]
    vocab = {piece: number for number, piece in enumerate(pieces)}
    bpe = models.BPE(vocab, list(dict.fromkeys(merges)), unk_token="<unk>")
    tokenizer = Tokenizer(bpe)
    tokenizer.normalizer = normalizers.Replace(" ", "\u2581")
    tokenizer.pre_tokenizer = pre_tokenizers.Split("\u2581", "merged_with_next")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.Fuse()])
    tokenizer.add_special_tokens(["<pad>", "<eos>", "<bos>", "<unk>"])
    marks = ["\n", *(f"<loc{i:04d}>" for i in range(1024)), *(f"<seg{i:03d}>" for i in range(128))]
    tokenizer.add_tokens([AddedToken(mark, normalized=False) for mark in marks])
    tokenizer.add_special_tokens([AddedToken("<image>", normalized=False, special=True)])
    assert tokenizer.token_to_id("<loc0000>") == FIRST_LOC, "positions are where PaliGemma's are"
    assert tokenizer.token_to_id("<image>") == IMAGE, "and so is the image token"
    return tokenizer


def write_processor(folder: Path) -> None:
    """What transformers reads a prompt with."""
    from transformers import PaliGemmaProcessor, PreTrainedTokenizerFast
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"),
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        padding_side="left",
        extra_special_tokens={"image_token": "<image>"},
    )
    images = SiglipImageProcessorPil(size={"height": 224, "width": 224}, resample=3)
    images.image_seq_length = 256
    PaliGemmaProcessor(images, tokenizer).save_pretrained(folder)
