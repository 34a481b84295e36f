"""8 and 4 bits: the decoder is packed, what sees stays whole, and answers stay near."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from tiny_models import make_model, save

from gemma_vision.extras import MissingPackageError
from gemma_vision.weights.checkpoint import open_checkpoint


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return save(make_model(), tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("dtype", ["int8", "int4"])
def test_without_bitsandbytes_the_error_says_what_to_do(dtype, folder, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with pytest.raises(MissingPackageError, match=r"gemma-vision\[quantize\].*another dtype"):
        open_checkpoint(folder, "cpu", dtype)


@pytest.mark.filterwarnings("ignore")  # of bitsandbytes
@pytest.mark.parametrize("dtype, near", [("int8", 0.999), ("int4", 0.8)])
@torch.no_grad()
def test_the_decoder_is_packed_and_the_tower_is_not(dtype: str, near: float, folder: Path) -> None:
    pytest.importorskip("bitsandbytes", reason="bitsandbytes is not installed")
    whole, packed = (
        open_checkpoint(folder, "cpu").model,
        open_checkpoint(folder, "cpu", dtype).model,
    )
    kinds = {
        parameter.dtype
        for name, parameter in packed.named_parameters()
        if name.startswith("text.layers.") and "norm" not in name
    }
    assert kinds <= {torch.int8, torch.uint8}
    pixels = torch.rand(1, 3, 56, 56, generator=torch.manual_seed(1)) * 2 - 1
    assert torch.equal(whole.encode(pixels), packed.encode(pixels))
    ids = torch.tensor([[whole.config.image_token_id] * 16 + [2, 300, 301, 302]])
    real = torch.ones_like(ids).bool()
    logits = [model.prefill(ids, real, [model.encode(pixels)])[0] for model in (whole, packed)]
    assert near < torch.cosine_similarity(*logits).item() < 1 - 1e-7
