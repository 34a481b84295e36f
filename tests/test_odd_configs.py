"""An odd config.json gives the logits of transformers, or is refused while loading."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import make_model, save
from transformers import AutoModelForImageTextToText
from transformers.models.siglip.modeling_siglip import SiglipMultiheadAttentionPoolingHead

from gemma_vision.errors import CheckpointError
from gemma_vision.weights.checkpoint import open_checkpoint

EMBEDDING = "language_model.model.embed_tokens.weight"
TOKENS = {"paligemma": 16, "paligemma2": 16, "gemma3": 4}


def changed(folder: Path, part: str, **values: Any) -> None:
    """Write other values into a part of a folder's config.json; "" is the outermost."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    (config[part] if part else config).update(values)
    path.write_text(json.dumps(config))


@torch.no_grad()
def difference(folder: Path) -> float:
    """How far our logits are from those of transformers, at every place of a prompt."""
    theirs = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()
    ours = open_checkpoint(folder, "cpu").model
    image, family = theirs.config.image_token_id, ours.config.family
    ids = torch.tensor([[2, *[image] * TOKENS[family], 5, 300, 7, 301, 302, 9, 8, 7, 6]])
    torch.manual_seed(3)
    pixels = torch.rand(1, 3, 56, 56) * 2 - 1
    types = (ids == image).long() if family == "gemma3" else torch.zeros_like(ids)
    given = {"input_ids": ids, "pixel_values": pixels, "token_type_ids": types}
    expected = theirs(**given, attention_mask=torch.ones_like(ids)).logits
    real = torch.ones_like(ids, dtype=torch.bool)
    hidden, _ = ours.hidden_states(ids, real, [ours.encode(pixels)])
    return float((ours.logits(hidden) - expected).abs().max())


@pytest.mark.parametrize(
    "family, part, values",
    [
        pytest.param("paligemma", "text_config", {"hidden_act": "gelu"}, id="early gelu"),
        pytest.param(
            "paligemma", "text_config", {"final_logit_softcapping": 3.0}, id="a cap of Gemma 1"
        ),
        pytest.param(
            "paligemma", "text_config", {"attn_logit_softcapping": 3.0}, id="a cap it ignores"
        ),
        pytest.param("paligemma2", "text_config", {"attn_logit_softcapping": None}, id="no cap"),
        pytest.param("gemma3", "text_config", {"final_logit_softcapping": 3.0}, id="Gemma 3's cap"),
        pytest.param("gemma3", "text_config", {"attn_logit_softcapping": 3.0}, id="its other cap"),
        pytest.param("paligemma", "text_config", {"num_image_tokens": 99}, id="another count"),
        pytest.param("paligemma", "vision_config", {"num_image_tokens": 99}, id="in the tower"),
        pytest.param("gemma3", "text_config", {"attention_dropout": 0.5}, id="dropout"),
        pytest.param("paligemma2", "text_config", {"hidden_act": "relu"}, id="a key of Gemma 1"),
        pytest.param("paligemma2", "text_config", {"sliding_window": 3}, id="a short window"),
        pytest.param("gemma3", "text_config", {"sliding_window": 2}, id="Gemma 3's short window"),
        pytest.param(
            "gemma3", "text_config", {"layer_types": ["full_attention"] * 7}, id="no window at all"
        ),
        pytest.param("gemma3", "text_config", {"tie_word_embeddings": False}, id="tied within"),
    ],
)
def test_what_transformers_computes_or_ignores_is_equal(family, part, values, tmp_path) -> None:
    folder = save(make_model(family), tmp_path)
    changed(folder, part, **values)
    assert difference(folder) < 1e-5


@pytest.mark.parametrize("family", TOKENS)
@pytest.mark.parametrize("is_said", [True, False])
def test_a_pooling_head_is_left_out(family: str, is_said: bool, tmp_path: Path) -> None:
    model = make_model(family)
    folder = save(model, tmp_path)
    head = SiglipMultiheadAttentionPoolingHead(model.config.vision_config)
    tensors = load_file(folder / "model.safetensors")
    named = {f"vision_tower.head.{key}": one.clone() for key, one in head.state_dict().items()}
    assert len(named) > 5
    save_file(tensors | named, folder / "model.safetensors")
    changed(folder, "vision_config", vision_use_head=is_said)
    assert difference(folder) < 1e-5


@pytest.mark.parametrize(
    "family, part, values, said",
    [
        pytest.param("paligemma", "vision_config", {"hidden_act": "gelu"}, "'gelu'", id="exact"),
        pytest.param(
            "paligemma2", "text_config", {"hidden_activation": "gelu"}, "'gelu'", id="exact text"
        ),
        pytest.param(
            "gemma3", "text_config", {"hidden_activation": "gelu"}, "'gelu'", id="exact of Gemma 3"
        ),
        pytest.param(
            "gemma3", "text_config", {"use_bidirectional_attention": True}, "True", id="both ways"
        ),
        pytest.param(
            "paligemma", "text_config", {"use_bidirectional_attention": False}, "False", id="causal"
        ),
        *(
            pytest.param(family, "text_config", {"attention_bias": True}, "attention_bias", id=name)
            for family, name in (("paligemma", "bias"), ("gemma3", "bias of Gemma 3"))
        ),
        pytest.param(
            "gemma3", "text_config", {"layer_types": ["full_attention"] * 6}, "disagree", id="six"
        ),
        pytest.param(
            "gemma3",
            "text_config",
            {"layer_types": ["full_attention"] * 6 + ["chunked_attention"]},
            "chunked_attention",
            id="unknown layer",
        ),
        pytest.param(
            "paligemma2", "text_config", {"sliding_window": None}, "window of None", id="no window"
        ),
        pytest.param(
            "paligemma",
            "text_config",
            {"rope_parameters": {"rope_type": "yarn", "factor": 4.0, "rope_theta": 1e4}},
            "'yarn'",
            id="yarn",
        ),
        pytest.param(
            "paligemma",
            "text_config",
            {"rope_parameters": {"rope_type": "linear", "factor": 2, "partial_rotary_factor": 0.5}},
            "whole heads",
            id="half a head",
        ),
        pytest.param(
            "paligemma2",
            "text_config",
            {"rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 1.0}}},
            "full_attention",
            id="positions by layer",
        ),
        pytest.param(
            "paligemma", "vision_config", {"model_type": "clip_vision_model"}, "clip", id="tower"
        ),
        pytest.param("paligemma", "", {"tie_word_embeddings": False}, "no lm_head", id="no head"),
        pytest.param("paligemma", "", {"transformers_weights": "b.safetensors"}, "b.s", id="file"),
        pytest.param("paligemma", "text_config", {"vocab_size": 9000}, "9000", id="rows"),
        pytest.param("paligemma", "vision_config", {"image_size": 84}, "position_emb", id="side"),
        pytest.param("gemma3", "", {"mm_tokens_per_image": 9}, "tile", id="tokens"),
    ],
)
def test_what_would_differ_is_refused_while_loading(family, part, values, said, tmp_path) -> None:
    folder = save(make_model(family), tmp_path)
    changed(folder, part, **values)
    with pytest.raises(CheckpointError, match=said) as caught:
        open_checkpoint(folder, "cpu")
    assert "\n" not in str(caught.value)


def test_a_head_of_its_own_is_used_where_the_config_says_so(tmp_path: Path) -> None:
    folder = save(make_model("paligemma"), tmp_path)
    changed(folder, "", tie_word_embeddings=False)
    tensors = load_file(folder / "model.safetensors")
    torch.manual_seed(1)
    head = {"lm_head.weight": torch.randn(tensors[EMBEDDING].shape)}
    save_file(tensors | head, folder / "model.safetensors")
    assert difference(folder) < 1e-4
