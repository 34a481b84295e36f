"""LoRA adapters in PEFT's folders, merged on load."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import make_model, save

from gemma_vision.checkpoints.checkpoint import open_checkpoint
from gemma_vision.checkpoints.lora import strength
from gemma_vision.errors import CheckpointError

Q = "language_model.model.layers.1.self_attn.q_proj.weight"
A = "base_model.model.model.language_model.layers.1.self_attn.q_proj.lora_A.weight"
B = A.replace("lora_A", "lora_B")
CONFIG = {"peft_type": "LORA", "r": 2, "lora_alpha": 6, "bias": "none"}


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    return save(make_model(), tmp_path_factory.mktemp("base"))


def write(folder: Path, base: Path, tensors: dict[str, torch.Tensor], **changes) -> Path:
    folder.mkdir(exist_ok=True)
    config = CONFIG | {"base_model_name_or_path": str(base)} | changes
    (folder / "adapter_config.json").write_text(json.dumps(config))
    save_file(tensors, folder / "adapter_model.safetensors")
    return folder


def factors(rows: int = 64, columns: int = 32) -> dict[str, torch.Tensor]:
    generator = torch.manual_seed(3)
    return {
        A: torch.randn(2, columns, generator=generator),
        B: torch.randn(rows, 2, generator=generator),
    }


@pytest.mark.parametrize("prefix", ["model.language_model", "language_model.model"])
def test_a_matrix_gains_alpha_over_r_times_its_factors(prefix: str, base: Path, tmp_path) -> None:
    both = {key.replace("model.language_model", prefix, 1): one for key, one in factors().items()}
    both = {
        key.replace("base_model.model.model.", "base_model.model."): one
        for key, one in both.items()
    }
    merged = open_checkpoint(write(tmp_path, base, both), "cpu").model.state_dict()
    plain = open_checkpoint(base, "cpu").model.state_dict()
    changed = [key for key in plain if not torch.equal(plain[key], merged[key])]
    assert changed == ["text.layers.1.self_attn.q_proj.weight"]
    expected = plain[changed[0]] + 3 * factors()[B] @ factors()[A]
    assert torch.allclose(merged[changed[0]], expected, atol=1e-6)


@pytest.mark.parametrize(
    "changes, expected",
    [
        pytest.param({}, 3.0, id="alpha over r"),
        pytest.param({"use_rslora": True}, 6 / math.sqrt(2), id="rslora"),
        pytest.param({"rank_pattern": {"q_proj": 4}}, 1.5, id="rank of its own"),
        pytest.param({"alpha_pattern": {"layers.1.self_attn.q_proj": 1}}, 0.5, id="own alpha"),
        pytest.param({"rank_pattern": {"k_proj": 4}}, 3.0, id="another's rank"),
    ],
)
def test_strength(changes, expected: float) -> None:
    assert strength(CONFIG | changes, Q) == pytest.approx(expected)


def test_parts_trained_whole_replace_those_of_the_model(base: Path, tmp_path: Path) -> None:
    name = "base_model.model.model.multi_modal_projector.modules_to_save.linear.bias"
    folder = write(tmp_path, base, {name: torch.full((32,), 7.0)})
    assert (open_checkpoint(folder, "cpu").model.projector.linear.bias == 7).all()


@pytest.mark.parametrize(
    "tensors, changes, said",
    [
        pytest.param(factors(), {"use_dora": True}, "no plain LoRA", id="dora"),
        pytest.param(factors(), {"peft_type": "IA3"}, "'IA3'", id="another method"),
        pytest.param(factors(), {"bias": "all"}, "bias 'all'", id="biases"),
        pytest.param(factors(rows=48), {}, r"\(48, 32\) instead of \(64, 32\)", id="shape"),
        pytest.param({A: factors()[A]}, {}, "only half", id="half"),
        pytest.param(
            {key.replace("layers.1", "layers.9"): one for key, one in factors().items()},
            {},
            "does not have",
            id="no such layer",
        ),
        pytest.param({"base_model.model.odd": torch.zeros(1)}, {}, "does not have", id="odd part"),
        pytest.param(factors(), {"base_model_name_or_path": ""}, "does not name", id="no base"),
        pytest.param(factors(), {"base_model_name_or_path": "gone"}, "'gone'", id="base is gone"),
    ],
)
def test_adapters_that_do_not_fit_are_refused_in_words(
    tensors, changes, said, base, tmp_path
) -> None:
    folder = write(tmp_path, base, tensors, **changes)
    with pytest.raises(CheckpointError, match=said):
        open_checkpoint(folder, "cpu")


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")  # of PEFT
@torch.no_grad()
def test_logits_equal_those_of_peft(base: Path, tmp_path: Path) -> None:
    peft = pytest.importorskip("peft", reason="PEFT is not installed")
    theirs = make_model()
    config = peft.LoraConfig(
        r=4,
        lora_alpha=10,
        target_modules=["q_proj", "v_proj", "down_proj", "fc1", "linear"],
        rank_pattern={"v_proj": 2},
    )
    adapted = peft.get_peft_model(theirs, config)
    torch.manual_seed(5)
    for name, parameter in adapted.named_parameters():
        if "lora_" in name:
            parameter.normal_(0, 0.1)
    adapted.peft_config["default"].base_model_name_or_path = str(base)
    adapted.save_pretrained(tmp_path)
    assert len(load_file(tmp_path / "adapter_model.safetensors")) > 20
    ours = open_checkpoint(tmp_path, "cpu")
    image = ours.config.image_token_id
    ids = torch.tensor([[image] * 16 + [2, 300, 301, 302]])
    pixels = torch.rand(1, 3, 56, 56) * 2 - 1
    expected = adapted(
        input_ids=ids,
        pixel_values=pixels,
        attention_mask=torch.ones_like(ids),
        token_type_ids=torch.zeros_like(ids),
    ).logits[:, -1]
    real = torch.ones_like(ids, dtype=torch.bool)
    got, _ = ours.model.prefill(ids, real, [ours.model.encode(pixels)])
    assert (got - expected).abs().max() < 1e-5
    plain = open_checkpoint(base, "cpu").model
    without, _ = plain.prefill(ids, real, [plain.encode(pixels)])
    assert (without - expected).abs().max() > 0.01
