"""What others packed is told by its marks and refused, with what to take instead."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import make_model, save

from gemma_vision.errors import CheckpointError
from gemma_vision.weights.checkpoint import open_checkpoint


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return save(make_model(), tmp_path_factory.mktemp("whole"))


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def refusal(folder: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(folder, "cpu")
    assert caught.value.code == "E_PREQUANTISED"
    assert "--dtype int4" in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "noted, said",
    [
        pytest.param(
            {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}},
            "bitsandbytes, 4 bits",
            id="bitsandbytes",
        ),
        pytest.param(
            {"quantization_config": {"load_in_8bit": True}}, "bitsandbytes, 8 bits", id="unnamed"
        ),
        *(
            pytest.param({"quantization_config": {"quant_method": name}}, f": {name})", id=name)
            for name in (
                *("gptq", "awq", "compressed-tensors", "fp8", "fbgemm_fp8", "hqq", "torchao"),
                *("quanto", "aqlm", "mxfp4", "modelopt", "higgs", "eetq", "bitnet", "auto-round"),
            )
        ),
        pytest.param({"quantization": {"group_size": 64, "bits": 4}}, "MLX, 4 bits", id="mlx"),
        pytest.param({"compression_config": {"format": "x"}}, "compressed-tensors", id="of old"),
        pytest.param({"text_config": {"quantization_config": {"bits": 4}}}, "4 bits", id="inside"),
    ],
)
def test_packing_noted_in_the_config_is_refused(noted, said: str, copy: Path) -> None:
    values = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(values | noted))
    (copy / "model.safetensors").unlink()  # nothing large is asked for
    assert said in refusal(copy)


@pytest.mark.parametrize("name", ["quantize_config.json", "quant_config.json"])
def test_packing_noted_beside_the_config_is_refused(name: str, copy: Path) -> None:
    (copy / name).write_text("{}")
    assert name in refusal(copy)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.float8_e4m3fn])
def test_numbers_that_do_not_stand_alone_are_refused(dtype: torch.dtype, copy: Path) -> None:
    tensors = load_file(copy / "model.safetensors")
    packed = {key: one.to(dtype) if "q_proj" in key else one for key, one in tensors.items()}
    save_file(packed, copy / "model.safetensors")
    said = refusal(copy)
    assert f"type {str(dtype).removeprefix('torch.')} in " in said
    assert "and 4 more)" in said and said.count("q_proj") == 5


def test_an_empty_note_of_packing_is_none(copy: Path) -> None:
    values = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(values | {"quantization_config": None}))
    open_checkpoint(copy, "cpu")


@pytest.mark.parametrize("name", ["model-Q4.gguf", "pytorch_model.bin"])
def test_other_weights_in_a_folder_are_named(name: str, copy: Path) -> None:
    (copy / "model.safetensors").rename(copy / name)
    with pytest.raises(CheckpointError, match=f"it has {name}") as caught:
        open_checkpoint(copy, "cpu")
    assert caught.value.code == "E_CHECKPOINT_INCOMPLETE"


def test_a_folder_of_checkpoints_names_one_of_them(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "checkpoint-500")
    with pytest.raises(CheckpointError, match="it has some in checkpoint-500"):
        open_checkpoint(tmp_path, "cpu")
