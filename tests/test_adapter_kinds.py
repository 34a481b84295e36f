"""Every kind of adapter that PEFT writes gives PEFT's own logits, or is refused by its name."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_models import make_model, save
from transformers import PreTrainedModel

from gemma_vision.checkpoints.adapter_config import KNOWN, UNMERGEABLE, VARIANTS
from gemma_vision.errors import CheckpointError
from gemma_vision.weights.checkpoint import open_checkpoint

peft = pytest.importorskip("peft", reason="PEFT is not installed")

FAMILIES = ("paligemma", "gemma3")
Q = ["q_proj"]
MERGED = {
    "attention and mlp": {"target_modules": ["q_proj", "v_proj", "o_proj", "down_proj"]},
    "all linear": {"target_modules": "all-linear"},
    "tower": {"target_modules": ["fc1", "out_proj"]},
    "a pattern of names": {"target_modules": r".*language_model.*\.(k_proj|up_proj)"},
    "some layers": {"target_modules": Q, "layers_to_transform": [1]},
    "without some": {"target_modules": Q, "exclude_modules": r".*vision_tower.*"},
    "rslora": {"target_modules": Q, "use_rslora": True},
    "ranks": {"target_modules": [*Q, "v_proj"], "rank_pattern": {"v_proj": 2}},
    "alphas": {"target_modules": Q, "alpha_pattern": {r"layers\.1\.self_attn\.q_proj": 3}},
    "dropout": {"target_modules": Q, "lora_dropout": 0.5},
    "gaussian": {"target_modules": Q, "init_lora_weights": "gaussian"},
    "random": {"target_modules": Q, "init_lora_weights": False},
    "orthogonal": {"target_modules": Q, "init_lora_weights": "orthogonal"},
    "eva": {"target_modules": Q, "init_lora_weights": "eva"},
    "mica": {"target_modules": Q, "init_lora_weights": "mica"},
    "patches": {"target_modules": ["patch_embedding"]},
    "places": {"target_modules": ["position_embedding"]},
    "embedding": {"target_modules": ["embed_tokens"]},
    "head": {"target_modules": ["lm_head"]},
    "embedding and head": {"target_modules": ["embed_tokens", "lm_head"]},
    "embedding, tied": {"target_modules": ["embed_tokens"], "ensure_weight_tying": True},
    "whole embedding": {"target_modules": Q, "modules_to_save": ["embed_tokens"]},
    "whole head": {"target_modules": Q, "modules_to_save": ["lm_head"]},
    "both whole": {"target_modules": "all-linear", "modules_to_save": ["lm_head", "embed_tokens"]},
    "whole embedding, tied": {
        "target_modules": Q,
        "modules_to_save": ["embed_tokens"],
        "ensure_weight_tying": True,
    },
    "whole projector": {"target_modules": Q, "modules_to_save": ["multi_modal_projector"]},
    "whole norms": {"target_modules": Q, "modules_to_save": ["input_layernorm", "layer_norm1"]},
    "dora": {"target_modules": [*Q, "fc1"], "use_dora": True},
    "dora of patches": {"target_modules": ["patch_embedding"], "use_dora": True},
    "dora of the embedding": {"target_modules": ["embed_tokens"], "use_dora": True},
    "all biases": {"target_modules": ["fc1"], "bias": "all"},
    "biases of its layers": {"target_modules": ["fc1"], "bias": "lora_only"},
    "biases of its factors": {"target_modules": ["fc1"], "lora_bias": True},
    "rows": {"target_modules": Q, "trainable_token_indices": [300, 5, 7]},
    "rows by name": {"target_modules": Q, "trainable_token_indices": {"embed_tokens": [5, 300]}},
}
LEARNED = ("lora_", "modules_to_save", "trainable_tokens_delta", ".bias")


@pytest.fixture(scope="module", params=FAMILIES)
def base(request, tmp_path_factory) -> Path:
    return save(make_model(request.param), tmp_path_factory.mktemp("base"))


def adapted(base: Path, folder: Path, **options: Any) -> None:
    """Write an adapter as PEFT does after some training: every number that learns is another."""
    theirs = make_model(family(base))
    theirs.name_or_path = str(base)
    config = peft.LoraConfig(r=4, lora_alpha=10, **options)
    learning = peft.get_peft_model(theirs, config)
    torch.manual_seed(5)
    with torch.no_grad():
        for name, parameter in learning.named_parameters():
            if parameter.requires_grad or any(part in name for part in LEARNED):
                parameter.mul_(1 + 0.3 * torch.rand_like(parameter))
                parameter.add_(0.1 * torch.randn_like(parameter) * ("magnitude" not in name))
    learning.save_pretrained(folder)


def family(base: Path) -> str:
    kind = json.loads((base / "config.json").read_text())["model_type"]
    return str(kind)


def prompt(image: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and pixels of a picture and five words."""
    torch.manual_seed(3)
    return torch.tensor([[2, *[image] * count, 5, 300, 7, 301, 302]]), torch.rand(1, 3, 56, 56)


@torch.no_grad()
def their_logits(model: PreTrainedModel, ids: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
    is_image = ids == model.config.image_token_id
    types = is_image.long() if model.config.model_type == "gemma3" else torch.zeros_like(ids)
    given = {"input_ids": ids, "pixel_values": pixels, "token_type_ids": types}
    return model(**given, attention_mask=torch.ones_like(ids)).logits


@torch.no_grad()
def our_logits(folder: Path, ids: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
    model = open_checkpoint(folder, "cpu").model
    real = torch.ones_like(ids, dtype=torch.bool)
    hidden, _ = model.hidden_states(ids, real, [model.encode(pixels)])
    return model.logits(hidden)


@pytest.mark.filterwarnings("ignore")  # of PEFT, about what is asked of it here
@pytest.mark.parametrize("options", MERGED.values(), ids=MERGED.keys())
def test_merged_kinds_give_the_logits_of_peft(options, base: Path, tmp_path: Path) -> None:
    adapted(base, tmp_path, **options)
    theirs = peft.PeftModel.from_pretrained(make_model(family(base)), str(tmp_path)).eval()
    count = 4 if family(base) == "gemma3" else 16
    ids, pixels = prompt(theirs.config.image_token_id, count)
    expected = their_logits(theirs, ids, pixels)
    assert (our_logits(tmp_path, ids, pixels) - expected).abs().max() < 1e-5
    assert (our_logits(base, ids, pixels) - expected).abs().max() > 0.01


def configured(folder: Path, **values: Any) -> Path:
    """A folder that says this of itself; nothing else is needed to refuse it."""
    config = {"peft_type": "LORA", "base_model_name_or_path": "nobody/nothing"} | values
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(folder, "cpu")
    assert caught.value.code == "E_ADAPTER"
    return str(caught.value)


@pytest.mark.parametrize("kind", sorted({kind.value for kind in peft.PeftType} - {"LORA"}))
def test_other_methods_are_refused_by_name_before_a_base_is_asked_for(kind, tmp_path) -> None:
    said = refusal(configured(tmp_path, peft_type=kind))
    assert f"kind {kind}. " in said
    assert ("run it with PEFT" in said) == (kind in UNMERGEABLE)


@pytest.mark.parametrize("key", VARIANTS)
def test_variants_of_lora_are_refused_by_name(key: str, tmp_path: Path) -> None:
    said = refusal(configured(tmp_path, **{key: [5]}))
    assert VARIANTS[key][0] in said and "PEFT" in said


@pytest.mark.parametrize(
    "beginning", ["pissa", "pissa_niter_16", "olora", "corda", "loftq", "lora_ga", "tomorrow"]
)
def test_beginnings_that_change_the_base_are_refused(beginning: str, tmp_path: Path) -> None:
    said = refusal(configured(tmp_path, init_lora_weights=beginning))
    assert f"begun with {beginning!r}, which changes the base" in said
    assert "merge_and_unload" in said


def test_a_key_that_is_not_known_is_refused_where_it_is_set(tmp_path: Path) -> None:
    assert "LoRA with use_next_year" in refusal(configured(tmp_path, use_next_year=True))
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(configured(tmp_path, use_next_year=False, base_model_name_or_path=""))
    assert caught.value.code == "E_ADAPTER_BASE"


def test_every_key_that_peft_writes_is_known() -> None:
    names = {field.name for field in dataclasses.fields(peft.LoraConfig)} - {"runtime_config"}
    assert names - set(KNOWN) == set(VARIANTS)


def test_methods_that_learn_prompts_cannot_be_merged() -> None:
    kinds = peft.mapping.PEFT_TYPE_TO_CONFIG_MAPPING.items()
    prompts = {kind.value for kind, made in kinds if issubclass(made, peft.PromptLearningConfig)}
    assert len(prompts) > 4
    assert prompts <= UNMERGEABLE
