"""One picture walked through the published sizes, stage by stage, without weights (device meta).

The stages of Gemma 3 are those that are often told wrong: 896 pixels in patches of 14 are 64 x 64,
pooled by 4 to 16 x 16, and only then projected.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from test_config import GEMMA3_4B, PALIGEMMA2_448, PALIGEMMA_224

from gemma_vision.checkpoints.config import parse_config
from gemma_vision.model.projector import pool
from gemma_vision.model.vision_language_model import VisionLanguageModel


def build(values: dict[str, Any]) -> VisionLanguageModel:
    with torch.device("meta"):
        return VisionLanguageModel(parse_config(values))


def shapes(model: VisionLanguageModel) -> dict[str, tuple[int, ...]]:
    """The shape of a picture after each named stage."""
    vision, side = model.vision, model.config.vision.image_size
    pixels = torch.empty(1, 3, side, side, device="meta")
    patches = vision.embeddings.patch_embedding(pixels)
    features = vision(pixels)
    soft = model.projector(features)
    pooled = pool(features, round(soft.shape[1] ** 0.5))  # PaliGemma has a token for every patch
    return {
        "pixels": tuple(pixels.shape),
        "patches": tuple(patches.shape),
        "embedded": tuple(vision.embeddings(pixels).shape),
        "features": tuple(features.shape),
        "pooled": tuple(pooled.shape),
        "soft": tuple(soft.shape),
    }


@pytest.mark.parametrize(
    "values, expected",
    [
        pytest.param(
            PALIGEMMA_224,
            {
                "pixels": (1, 3, 224, 224),
                "patches": (1, 1152, 16, 16),
                "embedded": (1, 256, 1152),
                "features": (1, 256, 1152),
                "pooled": (1, 256, 1152),
                "soft": (1, 256, 2048),
            },
            id="paligemma-3b-224",
        ),
        pytest.param(
            PALIGEMMA2_448,
            {
                "pixels": (1, 3, 448, 448),
                "patches": (1, 1152, 32, 32),
                "embedded": (1, 1024, 1152),
                "features": (1, 1024, 1152),
                "pooled": (1, 1024, 1152),
                "soft": (1, 1024, 2304),
            },
            id="paligemma2-3b-448",
        ),
        pytest.param(
            GEMMA3_4B,
            {
                "pixels": (1, 3, 896, 896),
                "patches": (1, 1152, 64, 64),
                "embedded": (1, 4096, 1152),
                "features": (1, 4096, 1152),
                "pooled": (1, 256, 1152),
                "soft": (1, 256, 2560),
            },
            id="gemma-3-4b",
        ),
    ],
)
def test_a_picture_has_these_shapes(values: dict[str, Any], expected: dict[str, Any]) -> None:
    assert shapes(build(values)) == expected


def test_pooling_keeps_the_width_and_shrinks_the_grid_by_four() -> None:
    features = torch.empty(1, 64 * 64, 1152, device="meta")
    assert pool(features, 16).shape == (1, 16 * 16, 1152)


@pytest.mark.parametrize(
    "values, total, vision, projector",
    [
        pytest.param(PALIGEMMA_224, 2_923_466_480, 412_442_352, 2_361_344, id="paligemma-3b-224"),
        pytest.param(GEMMA3_4B, 4_300_079_472, 416_866_032, 2_950_272, id="gemma-3-4b"),
    ],
)
def test_parameters_are_as_many_as_published(values, total, vision, projector) -> None:
    model = build(values)
    counts = [sum(p.numel() for p in part.parameters()) for part in (model.vision, model.projector)]
    assert counts == [vision, projector]
    assert sum(parameter.numel() for parameter in model.parameters()) == total
