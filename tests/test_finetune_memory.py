"""Memory needs: more of anything takes more, and what does not fit is refused beforehand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_models import make_model, save

from gemma_vision.checkpoints.config import read_config
from gemma_vision.checkpoints.file_names import CHECKPOINTS
from gemma_vision.finetuning.learning import memory_needs as module
from gemma_vision.finetuning.learning.bases import find_base
from gemma_vision.finetuning.learning.memory_needs import memory_needs, tell_memory, text_matrices
from gemma_vision.finetuning.learning.trainee import open_trainee
from gemma_vision.finetuning.plan import FinetuneError, LoraOptions

TINY = CHECKPOINTS / "tiny"
SIZE = 3_270_000


def needs(**changes):
    options = {"lora": None, "batch": 8, "prompts_each": 2} | changes
    return memory_needs(read_config(TINY), SIZE, **options)


@pytest.mark.parametrize(
    "less, more",
    [
        pytest.param({"batch": 1}, {"batch": 8}, id="batch"),
        pytest.param({"checkpointing": True}, {}, id="checkpointing"),
        pytest.param({"number_bytes": 2}, {}, id="half the bytes"),
        pytest.param({"is_4_bit": True, "number_bytes": 2}, {"number_bytes": 2}, id="4 bits"),
        pytest.param({"lora": LoraOptions(4)}, {"lora": LoraOptions(64)}, id="rank"),
        pytest.param(
            {"lora": LoraOptions(4)}, {"lora": LoraOptions(4, targets="all")}, id="targets"
        ),
        pytest.param({"lora": LoraOptions(4)}, {}, id="LoRA"),
    ],
)
def test_more_takes_more(less, more) -> None:
    few, many = needs(**less), needs(**more)
    assert few.total - few.program < many.total - many.program


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")  # of PEFT
@pytest.mark.parametrize("targets", ["text", "attention"])
def test_loras_own_numbers_are_counted_as_peft_makes_them(targets, tmp_path: Path) -> None:
    pytest.importorskip("peft", reason="PEFT is not installed")
    base = find_base(str(save(make_model(), tmp_path / "base")))
    lora = LoraOptions(4, targets=targets)
    trainee = open_trainee(base, torch.device("cpu"), lora, seed=1)
    made = sum(parameter.numel() for parameter in trainee.trained.values())
    assert module.lora_bytes(trainee.config, lora) == 16 * made


def test_the_decoders_matrices_are_those_of_the_model(tmp_path: Path) -> None:
    model = make_model()
    config = read_config(save(model, tmp_path / "base"))
    layers = model.model.language_model.layers
    made = sum(p.numel() for name, p in layers.named_parameters() if name.endswith("proj.weight"))
    assert module.decoder_numbers(config) == made
    assert len(text_matrices(config)) == 7


def test_what_does_not_fit_is_refused_with_what_to_do(monkeypatch) -> None:
    monkeypatch.setattr(module, "free", lambda device: 2**40)
    said = tell_memory(needs(), torch.device("cpu"))
    assert "GiB of memory" in said and "1024.0 GiB are free" in said
    monkeypatch.setattr(module, "free", lambda device: 2**20)
    large = replace(needs(), weights=2**34)
    with pytest.raises(FinetuneError, match=r"--batch with --accumulate") as caught:
        tell_memory(large, torch.device("cpu"))
    assert caught.value.code == "E_MEMORY"
