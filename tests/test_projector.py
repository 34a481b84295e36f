"""Projectors make the soft tokens that transformers makes."""

from __future__ import annotations

import pytest
import torch
from tiny_models import make_model

from gemma_vision.checkpoints.config import parse_config
from gemma_vision.model.projector import LinearProjector, PoolingProjector, pool


def features(seed: int = 1) -> torch.Tensor:
    return torch.randn(2, 16, 48, generator=torch.manual_seed(seed))


@pytest.mark.parametrize(
    "family, kind",
    [
        pytest.param("paligemma", LinearProjector, id="linear"),
        pytest.param("gemma3", PoolingProjector, id="pooling"),
    ],
)
def test_soft_tokens_equal_transformers(family: str, kind) -> None:
    theirs = make_model(family).model.multi_modal_projector
    ours = kind(parse_config(make_model(family).config.to_dict()))
    ours.load_state_dict(theirs.state_dict(), strict=True)
    with torch.no_grad():
        soft = ours(features())
        assert soft.abs().max() > 0.1  # a projector of zeros would agree with anything
        assert (soft - theirs(features())).abs().max() < 1e-5


def test_pooling_averages_square_tiles() -> None:
    grid = torch.arange(16.0).view(1, 16, 1)  # rows 0-3, 4-7, 8-11, 12-15
    assert pool(grid, 2).flatten().tolist() == [2.5, 4.5, 10.5, 12.5]


def test_the_norm_scales_by_one_plus_its_weight() -> None:
    config = parse_config(make_model("gemma3").config.to_dict())
    ours = PoolingProjector(config)
    with torch.no_grad():
        ours.mm_input_projection_weight.copy_(torch.eye(48, 32))
        zero = ours(features())
        ours.mm_soft_emb_norm.weight.fill_(1.0)
        assert torch.allclose(ours(features()), 2 * zero)
        assert zero.abs().max() > 0.1
