"""The published widths, two layers each, float32, random weights: as exact as the tiny models."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from test_config import GEMMA3_4B, PALIGEMMA2_448, PALIGEMMA_224
from tiny_models import family_of, randomise
from transformers import (
    Gemma3Config,
    Gemma3ForConditionalGeneration,
    PaliGemmaConfig,
    PaliGemmaForConditionalGeneration,
)

from gemma_vision.checkpoints.config import parse_config
from gemma_vision.model.vision_language_model import VisionLanguageModel
from gemma_vision.weights.safetensors_files import our_name

pytestmark = pytest.mark.slow


def two_layers(values: dict[str, Any], side: int) -> dict[str, Any]:
    """The published widths with two layers and a smaller picture; the vocabulary stays."""
    values = copy.deepcopy(values)
    for part in ("vision_config", "text_config"):
        values[part]["num_hidden_layers"] = 2
    values["vision_config"]["image_size"] = side
    return values


@pytest.mark.parametrize(
    "values, side",
    [
        pytest.param(PALIGEMMA_224, 224, id="paligemma-3b"),
        pytest.param(PALIGEMMA2_448, 224, id="paligemma2-3b"),
        pytest.param(GEMMA3_4B, 896, id="gemma-3-4b"),
    ],
)
@torch.no_grad()
def test_logits_equal_transformers_at_full_width(values: dict[str, Any], side: int) -> None:
    values = two_layers(values, side)
    is_chat = values["model_type"] == "gemma3"
    kind, config = (
        (Gemma3ForConditionalGeneration, Gemma3Config)
        if is_chat
        else (PaliGemmaForConditionalGeneration, PaliGemmaConfig)
    )
    theirs = kind(config.from_dict(copy.deepcopy(values))).eval()
    scale_down(theirs)
    with torch.device("meta"):
        ours = VisionLanguageModel(parse_config(values))
    weights = {
        our_name(key): one for key, one in theirs.state_dict().items() if "lm_head" not in key
    }
    ours.load_state_dict(weights, strict=True, assign=True)
    assert family_of(theirs) == ours.family.name
    image = ours.config.image_token_id
    ids = torch.tensor([[2, *[image] * ours.config.vision.num_soft_tokens, 500, 600, 700, 108]])
    pixels = torch.rand(1, 3, side, side, generator=torch.manual_seed(1)) * 2 - 1
    types = (ids == image).long() if is_chat else torch.zeros_like(ids)
    expected = theirs(
        input_ids=ids,
        pixel_values=pixels,
        attention_mask=torch.ones_like(ids),
        token_type_ids=types,
        logits_to_keep=4,
    ).logits
    hidden, _ = ours.hidden_states(ids, torch.ones_like(ids).bool(), [ours.encode(pixels)])
    got = ours.logits(hidden[:, -4:])
    assert expected.std() > 0.1
    assert (got - expected).abs().max() < 1e-4
    assert got.argmax(-1).tolist() == expected.argmax(-1).tolist()


def scale_down(model: torch.nn.Module) -> None:
    """Random weights that keep numbers near 1 through wide layers."""
    randomise(model)
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1:
            fan_in = parameter[0].numel() if "mm_input" not in name else parameter.shape[0]
            parameter.mul_(fan_in**-0.5 / 0.15)
