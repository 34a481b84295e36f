"""Quantized: a base in 4 bits that stays as it is while LoRA learns beside it (QLoRA).

NF4 with double quantisation, products in bfloat16 (Dettmers et al., 2023), through bitsandbytes.
Tower, projector and embeddings stay whole: boxes and masks hang on them.
"""

from pathlib import Path
from typing import Any

import torch
from transformers import BitsAndBytesConfig, PaliGemmaForConditionalGeneration

from gemma_vision.extras import require

WHOLE = ["vision_tower", "multi_modal_projector", "lm_head"]


def quantization() -> Any:
    """What transformers is told about the bits."""
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
        llm_int8_skip_modules=WHOLE,
    )


def load_in_4_bits(folder: Path, device: torch.device) -> PaliGemmaForConditionalGeneration:
    """The model of a folder, its decoder's matrices packed. Needs bitsandbytes."""
    require("quantize", instead=", or leave --qlora out for --lora")
    model: PaliGemmaForConditionalGeneration = PaliGemmaForConditionalGeneration.from_pretrained(
        folder,
        dtype=torch.bfloat16,
        quantization_config=quantization(),
        device_map={"": str(device)},
    )
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return model
