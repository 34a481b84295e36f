"""Prepacked matrices: the same numbers, made where they pay and where memory has room for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tiny_gemma4 import make_gemma4, save_gemma4
from tiny_models import make_model, save
from torch import Tensor

from gemma_vision.checkpoints.progress import Cancelled, LoadProgress, ProgressReporter
from gemma_vision.model.fused import prepacking
from gemma_vision.model.vision_language_model import VisionLanguageModel
from gemma_vision.weights import prepacked_matrices
from gemma_vision.weights.checkpoint import open_checkpoint

FAMILIES = ("paligemma", "paligemma2", "gemma3", "gemma4")
Open = Callable[..., VisionLanguageModel]

needs_prepacking = pytest.mark.skipif(
    not prepacking.prepacking_pays(), reason="this processor reads plain matrices as soon"
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


@needs_prepacking
def test_prepacked_matrices_say_what_plain_ones_say(folder, monkeypatch):
    prepacked = opened(folder)
    assert prepacked.prepacked_head is not None and prepacked.prepacked_head.is_mkldnn
    monkeypatch.setattr(prepacked_matrices, "prepacking_pays", lambda: False)
    plain = opened(folder)
    assert plain.prepacked_head is None
    ours, theirs = read(prepacked), read(plain)
    assert (ours - theirs).abs().max() <= 0.02 * theirs.abs().max()
    for name, weight in plain.state_dict().items():
        assert torch.equal(weight, prepacked.state_dict()[name]), name


@needs_prepacking
def test_a_tower_with_prepacked_matrices_sees_the_same(folder, monkeypatch):
    prepacked = opened(folder)
    if not hasattr(prepacked.vision, "fused_blocks"):
        pytest.skip("this tower's matrices stay as they are")
    monkeypatch.setattr(prepacked_matrices, "prepacking_pays", lambda: False)
    side = prepacked.config.square.image_size
    pixels = torch.rand(2, 3, side, side, generator=torch.manual_seed(1)) * 2 - 1
    with torch.inference_mode():
        ours, theirs = (model.vision(pixels).float() for model in (prepacked, opened(folder)))
    assert prepacked.vision.fused_blocks[0].qkv[0].is_mkldnn
    assert (ours - theirs).abs().max() <= 0.02 * theirs.abs().max()


class Words(ProgressReporter):
    """Remembers what it was told, and calls off at the second layer if it is asked to."""

    def __init__(self, *, calls_off: bool = False) -> None:
        super().__init__()
        self.told: list[LoadProgress] = []
        self.calls_off = calls_off

    def report(self, phase: str, done: int = 0, total: int = 0) -> None:
        super().report(phase, done, total)
        if phase == "preparing":
            self.told.append(LoadProgress(phase, done, total))
            if self.calls_off:
                self.cancel()


@needs_prepacking
def test_every_layer_is_told_of_and_may_be_the_last(folder):
    words = Words()
    open_checkpoint(folder, "cpu", "bfloat16", reporter=words)
    total = words.told[0].total
    assert total >= 2
    assert words.told == [LoadProgress("preparing", done + 1, total) for done in range(total)]
    impatient = Words(calls_off=True)
    with pytest.raises(Cancelled):
        open_checkpoint(folder, "cpu", "bfloat16", reporter=impatient)
    assert len(impatient.told) == 1


@needs_prepacking
def test_without_room_or_in_another_type_nothing_is_prepacked(folder, monkeypatch):
    assert opened(folder, "float32").prepacked_head is None
    monkeypatch.setattr(prepacked_matrices, "free", lambda device: 1000)
    assert opened(folder).prepacked_head is None


@needs_prepacking
def test_a_model_that_is_moved_forgets_its_prepacked_matrices(folder):
    model = opened(folder)
    before = read(model)
    model.float()
    assert model.prepacked_head is None and model.text.fused_path is None
    after = read(model)
    assert (before - after).abs().max() <= 0.2 * after.abs().max()  # types differ


@needs_prepacking
def test_processes_beside_each_other_share_what_is_free(folder, monkeypatch):
    model = opened(folder)
    size = 2 * sum(one.numel() for one in prepacked_matrices.matrices(model))
    monkeypatch.setattr(prepacked_matrices, "free", lambda device: 5 * size)

    def fits() -> bool:
        return prepacked_matrices.can_prepack(model, torch.device("cpu"), torch.bfloat16)

    assert fits()
    for told, expected in (("2", True), ("3", False), ("none", True), ("0", True)):
        monkeypatch.setenv("GEMMA_VISION_PROCESSES", told)
        assert fits() is expected, told


def test_a_torch_without_onednn_prepacks_nothing(monkeypatch):
    prepacking.prepacking_pays.cache_clear()
    monkeypatch.setattr(prepacking, "HAS_ONEDNN", False)
    try:
        assert not prepacking.prepacking_pays()
    finally:
        prepacking.prepacking_pays.cache_clear()
