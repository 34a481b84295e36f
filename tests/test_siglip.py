"""The tower sees what transformers' tower sees, and refuses what is not its size."""

from __future__ import annotations

import pytest
import torch
from tiny_models import SIDE, make_model

from gemma_vision.checkpoints.config import parse_config
from gemma_vision.model.siglip import SiglipTower


@pytest.fixture(scope="module")
def towers():
    theirs = make_model("paligemma").model.vision_tower
    ours = SiglipTower(parse_config(make_model("paligemma").config.to_dict()).vision)
    ours.load_state_dict(theirs.state_dict(), strict=True)  # the names are the published ones
    return ours, theirs


@pytest.mark.parametrize("pictures", [1, 3])
def test_features_equal_transformers(towers, pictures: int) -> None:
    ours, theirs = towers
    pixels = torch.rand(pictures, 3, SIDE, SIDE, generator=torch.manual_seed(1)) * 2 - 1
    with torch.no_grad():
        difference = ours(pixels) - theirs(pixels).last_hidden_state
    assert difference.abs().max() < 1e-5


def test_features_depend_on_where_a_patch_is(towers) -> None:
    ours, _ = towers
    with torch.no_grad():
        features = ours(torch.zeros(1, 3, SIDE, SIDE))[0]
    assert (features[0] - features[1]).abs().max() > 0.1


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param((1, 3, 60, 60), id="60 would floor to the same grid"),
        pytest.param((1, 3, 56, 42), id="oblong"),
        pytest.param((1, 1, 56, 56), id="grey"),
        pytest.param((3, 56, 56), id="no batch"),
    ],
)
def test_pixels_of_another_shape_are_refused(towers, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\(B, 3, 56, 56\) is wanted"):
        towers[0](torch.zeros(shape))
