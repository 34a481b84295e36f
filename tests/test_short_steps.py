"""A few positions by NumPy: the same hidden states and the same keys as by torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from tiny_models import make_model, save
from torch import Tensor

from gemma_vision.model.decoder import GemmaDecoder
from gemma_vision.model.fused import short_steps
from gemma_vision.model.fused.products import tanh_gelu
from gemma_vision.model.fused.short_steps import ShortSteps
from gemma_vision.model.row_cache import RowCache
from gemma_vision.model.vision_language_model import VisionLanguageModel
from gemma_vision.weights.checkpoint import open_checkpoint

Open = Callable[..., VisionLanguageModel]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Open:
    def open_model(family: str = "paligemma", dtype: str = "float32") -> VisionLanguageModel:
        folder: Path = tmp_path_factory.mktemp(family)
        return open_checkpoint(save(make_model(family), folder), "cpu", dtype).model

    return open_model


@torch.inference_mode()
def walk(model: VisionLanguageModel, lengths: Sequence[int], counts: Sequence[int]) -> Tensor:
    """Hidden states and keys of rows of these lengths, which then read so many words a step."""
    numbers, cache, found = torch.Generator().manual_seed(3), RowCache(), []
    for length in lengths:
        ids = torch.randint(4, 90, (1, length), generator=numbers)
        _, state = model.prefill(ids, torch.ones_like(ids, dtype=torch.bool), [ids.new_zeros(0)])
        cache.add_rows(state.cache, [0])
    for count in counts:
        ids = torch.randint(4, 90, (len(lengths), count), generator=numbers)
        found.append(model.step_rows(ids, cache).flatten())
        cache.lengths = [length + count for length in cache.lengths]
    found += [keys[:, :, : min(cache.lengths)].flatten() for keys in (*cache.keys, *cache.values)]
    return torch.cat(found)


@pytest.mark.parametrize(
    "lengths, counts",
    [
        pytest.param((7,), (1, 1, 1), id="a word at a time"),
        pytest.param((7,), (4, 1, 8, 2), id="blocks"),
        pytest.param((7, 7), (1, 3), id="rows of one length"),
        pytest.param((9, 5, 12), (1, 4, 2), id="rows of different lengths"),
        pytest.param((60,), (16, *[1] * 70), id="a cache that grows"),
    ],
)
def test_short_steps_compute_what_the_fused_path_computes(
    opened: Open,
    monkeypatch: pytest.MonkeyPatch,
    lengths: Sequence[int],
    counts: Sequence[int],
) -> None:
    model, taken = opened(), []
    short = model.text.short_path
    assert isinstance(short, ShortSteps)
    compute = ShortSteps.__call__

    def counted(*given: object) -> Tensor:
        taken.append(given)
        return compute(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(ShortSteps, "__call__", counted)
    quick = walk(model, lengths, counts)
    assert len(taken) == len(counts)
    monkeypatch.setattr(model.text, "short_path", None)
    assert (quick - walk(model, lengths, counts)).abs().max() < 2e-5
    assert len(taken) == len(counts)


def test_long_steps_go_the_other_way(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    model = opened()
    monkeypatch.setattr(ShortSteps, "__call__", lambda *_: pytest.fail("this one is not short"))
    for limit in ("MOST_NUMBERS", "MOST_PRODUCTS"):
        with monkeypatch.context() as patch:
            patch.setattr(short_steps, limit, 10)
            walk(model, (7,), (2,))


@pytest.mark.parametrize(
    "family, dtype",
    [
        pytest.param("paligemma", "bfloat16", id="half as many bits"),
        pytest.param("paligemma2", "float32", id="four norms and caps"),
        pytest.param("gemma3", "float32", id="a window, and norms of queries"),
    ],
)
def test_other_decoders_have_no_short_steps(opened: Open, family: str, dtype: str) -> None:
    assert opened(family, dtype).text.short_path is None


def test_a_model_that_is_moved_forgets_its_short_steps(opened: Open) -> None:
    model = opened()
    assert model.text.short_path is not None
    model.to(torch.float64)
    assert isinstance(model.text, GemmaDecoder)
    assert model.text.short_path is None


@pytest.mark.parametrize("count", [1, 2])
def test_the_fused_tower_sees_what_the_plain_one_sees(opened: Open, count: int) -> None:
    model = opened()
    side = model.config.square.image_size
    pixels = torch.rand(count, 3, side, side, generator=torch.manual_seed(1)) * 2 - 1
    with torch.no_grad():
        quick = model.vision(pixels)
        *_, plain = model.vision.follow(pixels)
        model.float()  # and once more without: parameters are what they were
        assert (quick - plain).abs().max() < 1e-5
        assert (model.vision(pixels) - plain).abs().max() < 1e-5


def test_gelu_in_parts_is_gelu() -> None:
    x = torch.linspace(-20, 20, 10_000)
    wanted = torch.nn.functional.gelu(x.double(), approximate="tanh")
    assert (tanh_gelu(x) - wanted).abs().max() < 2e-6
    assert torch.equal(tanh_gelu(x[:9]), torch.nn.functional.gelu(x[:9], approximate="tanh"))
