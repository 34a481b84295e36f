"""Sizes read from config.json are those that transformers reads from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from transformers import Gemma3Config, PaliGemmaConfig

from gemma_vision.checkpoints.config import parse_config, read_config
from gemma_vision.errors import CheckpointError
from gemma_vision.model.config import FULL, SLIDING

VISION = {"hidden_size": 1152, "intermediate_size": 4304, "num_attention_heads": 16}
VISION |= {"num_hidden_layers": 27, "patch_size": 14, "vision_use_head": False}
VISION |= {"model_type": "siglip_vision_model"}
PALIGEMMA_224: dict[str, Any] = {  # as sparse as the published file is
    "model_type": "paligemma",
    "image_token_index": 257152,
    "projection_dim": 2048,
    "hidden_size": 2048,
    "torch_dtype": "float32",
    "text_config": {
        "model_type": "gemma",
        "hidden_size": 2048,
        "intermediate_size": 16384,
        "num_attention_heads": 8,
        "num_hidden_layers": 18,
        "num_key_value_heads": 1,
        "vocab_size": 257216,
    },
    "vision_config": VISION,
}
PALIGEMMA2_448: dict[str, Any] = {
    "model_type": "paligemma",
    "image_token_index": 257152,
    "projection_dim": 2304,
    "text_config": {
        "model_type": "gemma2",
        "hidden_size": 2304,
        "intermediate_size": 9216,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "num_hidden_layers": 26,
        "query_pre_attn_scalar": 256,
        "sliding_window": 4096,
        "vocab_size": 257216,
    },
    "vision_config": VISION | {"image_size": 448},
}
GEMMA3_4B: dict[str, Any] = {
    "model_type": "gemma3",
    "mm_tokens_per_image": 256,
    "image_token_index": 262144,
    "eos_token_id": [1, 106],
    "text_config": {
        "model_type": "gemma3_text",
        "hidden_size": 2560,
        "intermediate_size": 10240,
        "num_hidden_layers": 34,
        "rope_scaling": {"factor": 8.0, "rope_type": "linear"},
        "sliding_window": 1024,
    },
    "vision_config": VISION | {"image_size": 896},
}
PUBLISHED = [
    pytest.param(PALIGEMMA_224, "paligemma", id="paligemma-3b-224"),
    pytest.param(PALIGEMMA2_448, "paligemma2", id="paligemma2-3b-448"),
    pytest.param(GEMMA3_4B, "gemma3", id="gemma-3-4b"),
    pytest.param(
        {
            "model_type": "paligemma",
            "text_config": {"model_type": "gemma2"},
            "vision_config": VISION,
        },
        "paligemma2",
        id="paligemma2 with hardly a key",
    ),
]


@pytest.mark.parametrize("values, family", PUBLISHED)
def test_sizes_are_those_transformers_reads(values: dict[str, Any], family: str) -> None:
    kind = Gemma3Config if family == "gemma3" else PaliGemmaConfig
    theirs = kind.from_dict(json.loads(json.dumps(values)))
    ours = parse_config(values)
    text, vision = theirs.text_config, theirs.vision_config
    assert ours.family == family
    assert ours.image_token_id == theirs.image_token_id
    assert (
        ours.vision.width,
        ours.vision.num_layers,
        ours.vision.num_heads,
        ours.vision.mlp_width,
        ours.vision.image_size,
        ours.vision.patch_size,
        ours.vision.eps,
    ) == (
        vision.hidden_size,
        vision.num_hidden_layers,
        vision.num_attention_heads,
        vision.intermediate_size,
        vision.image_size,
        vision.patch_size,
        vision.layer_norm_eps,
    )
    assert (
        ours.text.vocab_size,
        ours.text.width,
        ours.text.num_layers,
        ours.text.num_heads,
        ours.text.num_kv_heads,
        ours.text.head_width,
        ours.text.mlp_width,
        ours.text.eps,
    ) == (
        text.vocab_size,
        text.hidden_size,
        text.num_hidden_layers,
        text.num_attention_heads,
        text.num_key_value_heads,
        text.head_dim,
        text.intermediate_size,
        text.rms_norm_eps,
    )


@pytest.mark.parametrize("values, family", PUBLISHED)
def test_rules_are_those_transformers_reads(values: dict[str, Any], family: str) -> None:
    kind = Gemma3Config if family == "gemma3" else PaliGemmaConfig
    text = kind.from_dict(json.loads(json.dumps(values))).text_config
    ours = parse_config(values).text
    assert list(ours.layer_types) == list(getattr(text, "layer_types", [FULL] * ours.num_layers))
    assert ours.window == getattr(text, "sliding_window", None)
    assert ours.query_scale == getattr(text, "query_pre_attn_scalar", text.head_dim) ** -0.5
    assert ours.logit_cap == getattr(text, "final_logit_softcapping", None)
    assert ours.attention_cap == getattr(text, "attn_logit_softcapping", None)
    ropes = text.rope_parameters
    for layer_type in (FULL, SLIDING):
        theirs = ropes.get(layer_type, ropes)
        assert ours.ropes[layer_type].theta == theirs["rope_theta"]
        assert ours.ropes[layer_type].factor == theirs.get("factor", 1.0)


@pytest.mark.parametrize("values, family", PUBLISHED)
def test_what_transformers_writes_reads_the_same(values: dict[str, Any], family: str) -> None:
    kind = Gemma3Config if family == "gemma3" else PaliGemmaConfig
    written = json.loads(kind.from_dict(json.loads(json.dumps(values))).to_json_string())
    ours, again = parse_config(values), parse_config(written)
    assert (again.vision, again.text) == (ours.vision, ours.text)


def test_tokens_per_picture_follow_the_grid_or_the_file() -> None:
    assert parse_config(PALIGEMMA_224).vision.num_soft_tokens == 256
    assert parse_config(PALIGEMMA2_448).vision.num_soft_tokens == 1024
    gemma3 = parse_config(GEMMA3_4B)
    assert (gemma3.vision.num_soft_tokens, gemma3.vision.num_patches) == (256, 4096)


def test_a_null_cap_switches_the_cap_off() -> None:
    text = PALIGEMMA2_448["text_config"] | {"final_logit_softcapping": None}
    assert parse_config(PALIGEMMA2_448 | {"text_config": text}).text.logit_cap is None


def changed(**changes: Any) -> dict[str, Any]:
    return PALIGEMMA_224 | changes


@pytest.mark.parametrize(
    "values, said",
    [
        pytest.param(changed(model_type="llava"), "'llava'", id="another model"),
        pytest.param({"model_type": "gemma3_text"}, "'gemma3_text'", id="no vision"),
        pytest.param(
            changed(vision_config=VISION | {"image_size": 60}), "whole number", id="60 px"
        ),
        pytest.param(
            changed(vision_config=VISION | {"image_size": [224, 448]}), r"\[224, 448\]", id="oblong"
        ),
        pytest.param(changed(vision_config=VISION | {"image_size": "big"}), "'big'", id="words"),
        pytest.param(
            changed(text_config=PALIGEMMA_224["text_config"] | {"hidden_act": "relu"}),
            "'relu'",
            id="relu",
        ),
        pytest.param(
            changed(text_config=PALIGEMMA_224["text_config"] | {"num_key_value_heads": 3}),
            "key heads",
            id="heads",
        ),
        pytest.param(
            changed(text_config=PALIGEMMA_224["text_config"] | {"rope_scaling": {"type": "yarn"}}),
            "'yarn'",
            id="rope",
        ),
        pytest.param(
            changed(text_config=PALIGEMMA_224["text_config"] | {"num_hidden_layers": "x"}),
            "num_hidden_layers",
            id="a word for a number",
        ),
        pytest.param(changed(text_config=[]), "list as text_config", id="a list for an object"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_in_words(values, said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        parse_config(values)


def test_early_files_say_gelu_and_mean_its_tanh_form() -> None:
    text = PALIGEMMA_224["text_config"] | {"hidden_act": "gelu", "hidden_activation": None}
    assert parse_config(changed(text_config=text)).text.width == 2048


@pytest.mark.parametrize(
    "generation, expected",
    [
        pytest.param({"eos_token_id": [1, 106]}, (1, 106), id="several"),
        pytest.param({"eos_token_id": 7}, (7,), id="one"),
        pytest.param({}, (5,), id="from config.json"),
    ],
)
def test_stop_tokens_come_from_the_generation_config(generation, expected, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(changed(eos_token_id=5)))
    (tmp_path / "generation_config.json").write_text(json.dumps(generation))
    assert read_config(tmp_path).stop_ids == expected


@pytest.mark.parametrize("content", [None, "{", "[]", "\ufeff{}x"])
def test_a_missing_or_broken_file_is_refused_in_words(content, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "config.json").write_text(content, encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"config\.json"):
        read_config(tmp_path)
