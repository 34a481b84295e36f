"""Packed matrices: the same numbers, made where they pay and where memory has room for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tiny_gemma4 import make_gemma4, save_gemma4
from tiny_models import make_model, save
from torch import Tensor

from gemma_vision.model.fused import packing
from gemma_vision.model.vision_language_model import VisionLanguageModel
from gemma_vision.weights import packed_matrices
from gemma_vision.weights.checkpoint import open_checkpoint

FAMILIES = ("paligemma", "paligemma2", "gemma3", "gemma4")
Open = Callable[..., VisionLanguageModel]

needs_packing = pytest.mark.skipif(
    not packing.packing_pays(), reason="this processor reads plain matrices as soon"
)


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = tmp_path_factory.mktemp(request.param)
    if request.param == "gemma4":
        return save_gemma4(make_gemma4("E2B"), made, "E2B")
    return save(make_model(request.param), made)


@torch.inference_mode()
def read(model: VisionLanguageModel) -> Tensor:
    """Logits of a prompt's end, of a word, and of four."""
    numbers = torch.Generator().manual_seed(3)
    ids = torch.randint(4, 90, (1, 9), generator=numbers)
    logits, state = model.prefill(ids, torch.ones_like(ids, dtype=torch.bool), [ids.new_zeros(0)])
    found = [logits.flatten()]
    for count in (1, 4):
        ids = torch.randint(4, 90, (1, count), generator=numbers)
        found.append(model.extend(ids, state).flatten())
    return torch.cat(found).float()


def opened(folder: Path, dtype: str = "bfloat16") -> VisionLanguageModel:
    return open_checkpoint(folder, "cpu", dtype).model


@needs_packing
def test_packed_matrices_say_what_plain_ones_say(folder, monkeypatch):
    packed = opened(folder)
    assert packed.packed_head is not None and packed.packed_head.is_mkldnn
    monkeypatch.setattr(packed_matrices, "packing_pays", lambda: False)
    plain = opened(folder)
    assert plain.packed_head is None
    ours, theirs = read(packed), read(plain)
    assert (ours - theirs).abs().max() <= 0.02 * theirs.abs().max()
    for name, weight in plain.state_dict().items():
        assert torch.equal(weight, packed.state_dict()[name]), name


@needs_packing
def test_a_tower_with_packed_matrices_sees_the_same(folder, monkeypatch):
    packed = opened(folder)
    if not hasattr(packed.vision, "fused_blocks"):
        pytest.skip("this tower's matrices stay as they are")
    monkeypatch.setattr(packed_matrices, "packing_pays", lambda: False)
    side = packed.config.square.image_size
    pixels = torch.rand(2, 3, side, side, generator=torch.manual_seed(1)) * 2 - 1
    with torch.inference_mode():
        ours, theirs = (model.vision(pixels).float() for model in (packed, opened(folder)))
    assert packed.vision.fused_blocks[0].qkv[0].is_mkldnn
    assert (ours - theirs).abs().max() <= 0.02 * theirs.abs().max()


@needs_packing
def test_without_room_or_in_another_type_nothing_is_packed(folder, monkeypatch):
    assert opened(folder, "float32").packed_head is None
    monkeypatch.setattr(packed_matrices, "free", lambda device: 1000)
    assert opened(folder).packed_head is None


@needs_packing
def test_a_model_that_is_moved_forgets_its_packed_matrices(folder):
    model = opened(folder)
    before = read(model)
    model.float()
    assert model.packed_head is None and model.text.fused_path is None
    after = read(model)
    assert (before - after).abs().max() <= 0.2 * after.abs().max()  # types differ


def test_a_torch_without_onednn_packs_nothing(monkeypatch):
    packing.packing_pays.cache_clear()
    monkeypatch.setattr(packing, "HAS_ONEDNN", False)
    try:
        assert not packing.packing_pays()
    finally:
        packing.packing_pays.cache_clear()
