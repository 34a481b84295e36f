"""LoRA adapters in PEFT's folders, merged on load."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tiny_models import make_model, make_tokenizer, save

from gemma_vision.checkpoints.adapter_config import strength
from gemma_vision.errors import CheckpointError
from gemma_vision.registry.loading import load
from gemma_vision.weights.checkpoint import open_checkpoint

Q = "language_model.model.layers.1.self_attn.q_proj.weight"
A = "base_model.model.model.language_model.layers.1.self_attn.q_proj.lora_A.weight"
B = A.replace("lora_A", "lora_B")
OURS = "text.layers.1.self_attn.q_proj.weight"
TABLE = "model.language_model.embed_tokens.weight"
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
    assert strength(CONFIG | changes, Q.removesuffix(".weight")) == pytest.approx(expected)


def test_parts_trained_whole_replace_those_of_the_model(base: Path, tmp_path: Path) -> None:
    name = "base_model.model.model.multi_modal_projector.modules_to_save.linear.bias"
    folder = write(tmp_path, base, {name: torch.full((32,), 7.0)})
    assert (open_checkpoint(folder, "cpu").model.projector.linear.bias == 7).all()


@pytest.mark.parametrize(
    "tensors, changes, said",
    [
        pytest.param(
            factors(),
            {"r": 3},
            "rank 3: its two files are not of one",
            id="another rank than it says",
        ),
        pytest.param(
            {A: factors()[A][0], B: factors()[B]}, {}, r"\(32,\)", id="gathered from no shards"
        ),
        pytest.param(factors() | {f"{B[:-6]}bias": torch.ones(64)}, {}, "no", id="a bias too many"),
        pytest.param(
            {f"base_model.model.{TABLE}": torch.ones(1491, 32)}, {}, r"\(1491", id="longer table"
        ),
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
        pytest.param(
            factors(), {"use_dora": True}, "is DoRA and has no lengths", id="half of DoRA"
        ),
        pytest.param(
            factors(),
            {"modules_to_save": ["multi_modal_projector"]},
            "names multi_modal_projector among what was trained whole",
            id="a whole part is missing",
        ),
        pytest.param({}, {"base_model_name_or_path": "/home/me/pg"}, "--base", id="my path"),
        pytest.param(
            {}, {"base_model_name_or_path": "a/b", "revision": "v2"}, "revision v2", id="revision"
        ),
    ],
)
def test_adapters_that_do_not_fit_are_refused_in_words(
    tensors, changes, said, base, tmp_path
) -> None:
    folder = write(tmp_path, base, tensors, **changes)
    with pytest.raises(CheckpointError, match=said):
        open_checkpoint(folder, "cpu")


def test_another_base_may_be_named(base: Path, tmp_path: Path) -> None:
    folder = write(tmp_path, Path("/home/me/paligemma"), factors())
    merged = load(folder, "cpu", base=base).engine.checkpoint.model
    assert not torch.equal(
        merged.state_dict()[OURS], open_checkpoint(base).model.state_dict()[OURS]
    )


def test_what_is_missing_of_an_adapter_is_told_as_it_came(base: Path, tmp_path: Path) -> None:
    folder = write(tmp_path, base, factors())
    with pytest.raises(CheckpointError, match="got 'gone' as its base, which is neither"):
        open_checkpoint(folder, "cpu", base="gone")
    (folder / "adapter_config.json").unlink()
    with pytest.raises(CheckpointError, match="an adapter of which half is missing") as caught:
        open_checkpoint(folder, "cpu")
    assert caught.value.code == "E_CHECKPOINT_INCOMPLETE"


def test_parts_that_the_model_lacks_may_be_named_as_trained_whole(base: Path, tmp_path) -> None:
    """PEFT writes those of other tasks: classifier, score."""
    open_checkpoint(write(tmp_path, base, factors(), modules_to_save=["classifier"]), "cpu")


@pytest.mark.parametrize("named", [".", "./", "..", ".\\"])
def test_a_base_named_by_the_folder_of_its_training_is_asked_for(
    named: str, base: Path, tmp_path: Path, monkeypatch
) -> None:
    """What lies where somebody happens to work is another model, or none."""
    (tmp_path / "in").mkdir()
    folder = write(tmp_path / "in" / "adapter", base, factors(), base_model_name_or_path=named)
    elsewhere = Path(shutil.copytree(base, tmp_path / "work" / "whole"))
    monkeypatch.chdir(elsewhere)
    with pytest.raises(CheckpointError, match="which names none") as caught:
        open_checkpoint(folder, "cpu")
    assert caught.value.code == "E_ADAPTER_BASE"
    open_checkpoint(folder, "cpu", base=base)


def test_a_base_is_named_for_adapters_alone(base: Path) -> None:
    with pytest.raises(CheckpointError, match="is no adapter"):
        open_checkpoint(base, "cpu", base="tiny")


def test_an_adapter_of_an_adapter_is_refused(base: Path, tmp_path: Path) -> None:
    inner = write(tmp_path / "inner", base, factors())
    with pytest.raises(CheckpointError, match="an adapter itself") as caught:
        open_checkpoint(write(tmp_path / "outer", inner, factors()), "cpu")
    assert caught.value.code == "E_ADAPTER_BASE"


def test_a_model_with_an_adapter_beside_it_is_its_base_as_in_transformers(base, tmp_path) -> None:
    whole = Path(shutil.copytree(base, tmp_path / "whole"))
    merged = open_checkpoint(write(whole, Path("/gone"), factors()), "cpu").model.state_dict()
    plain = open_checkpoint(base, "cpu").model.state_dict()
    assert torch.allclose(merged[OURS], plain[OURS] + 3 * factors()[B] @ factors()[A], atol=1e-6)


def test_a_pickled_adapter_is_not_opened(base: Path, tmp_path: Path) -> None:
    folder = write(tmp_path, base, factors())
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    with pytest.raises(CheckpointError, match=r"it has adapter_model\.bin") as caught:
        open_checkpoint(folder, "cpu")
    assert caught.value.code == "E_CHECKPOINT_INCOMPLETE"


def test_the_tokenizer_of_the_training_comes_before_that_of_the_base(base, tmp_path) -> None:
    tokenizer = make_tokenizer()
    tokenizer.add_tokens(["<mine>"])
    tokenizer.save(str(write(tmp_path, base, factors()) / "tokenizer.json"))
    assert len(open_checkpoint(tmp_path, "cpu").tokenizer.encode("<mine>").ids) == 1


def test_an_adapters_own_notes_come_before_those_of_its_base(base: Path, tmp_path: Path) -> None:
    both = shutil.copytree(base, tmp_path / "base")
    (both / "gemma_vision.json").write_text(json.dumps({"names": ["base"], "policy": "space"}))
    folder = write(tmp_path / "adapter", both, factors())
    assert load(folder, "cpu").card["names"] == ["base"]
    own = {"names": ["cone"], "policy": "bigvision"}
    (folder / "gemma_vision.json").write_text(json.dumps(own))
    pipeline = load(folder, "cpu")
    assert (pipeline.card["names"], pipeline.policy) == (["cone"], "bigvision")
