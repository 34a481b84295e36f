"""A checkpoint over several devices says what it says on one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny_models import make_model, save

from gemma_vision.errors import CheckpointError
from gemma_vision.weights.checkpoint import open_checkpoint
from gemma_vision.weights.device_map import part_of, plan_device_map

SIZES = {"vision.a": 30, "projector.b": 10, "text.embed_tokens.weight": 50, "text.norm.weight": 10}
SIZES |= {f"text.layers.{index}.c": 100 for index in range(12)}


def layers(places: dict[str, int | str]) -> list[int | str]:
    return [places[f"text.layers.{index}"] for index in range(12)]


@pytest.mark.parametrize(
    "limits, expected",
    [
        pytest.param({0: 10_000}, [0] * 12, id="all fits"),
        pytest.param(
            {0: 400, 1: 500, "cpu": 10_000}, [0] * 3 + [1] * 5 + ["cpu"] * 4, id="in order"
        ),
        pytest.param({"cpu": 350}, ["cpu"] * 2 + ["disk"] * 10, id="the rest stays on disk"),
        pytest.param({0: 150, 1: 50, "cpu": 200}, ["cpu"] * 2 + ["disk"] * 10, id="small ones"),
    ],
)
def test_layers_fill_devices_in_order(limits, expected) -> None:
    places = plan_device_map(SIZES, 12, limits)
    assert layers(places) == expected
    first = next(iter(limits))
    whole = {"vision", "projector", "text.embed_tokens", "text.norm"}
    assert {places[part] for part in whole} == {first}


def test_a_main_device_that_is_too_small_is_refused_in_words() -> None:
    with pytest.raises(CheckpointError, match="do not fit on device 0"):
        plan_device_map(SIZES, 12, {0: 99, 1: 10_000})


def test_a_layer_is_not_mistaken_for_one_whose_number_it_begins() -> None:
    places = plan_device_map(SIZES, 12, {0: 10_000})
    assert part_of("text.layers.11.c", places) == "text.layers.11"
    assert part_of("text.layers.1.c", places) == "text.layers.1"


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("family", ["paligemma", "paligemma2", "gemma3"])
@torch.no_grad()
def test_layers_on_disk_give_equal_logits(family: str, shards: int, tmp_path: Path) -> None:
    theirs = make_model(family)
    folder = save(theirs, tmp_path, "A", shards)
    whole = open_checkpoint(folder, "cpu").model
    counts = {"whole": 0, "layer": 0}
    for name, parameter in whole.named_parameters():
        counts["layer" if ".layers." in name and "text." in name else "whole"] += parameter.nbytes
    per_layer = counts["layer"] // whole.config.text.num_layers
    limits = {"cpu": counts["whole"] + per_layer}
    spread = open_checkpoint(folder, "auto", limits=limits).model
    on_disk = [name for name, parameter in spread.named_parameters() if parameter.is_meta]
    assert {name.split(".")[2] for name in on_disk} == {
        str(index) for index in range(1, whole.config.text.num_layers)
    }
    image, tokens = whole.config.image_token_id, whole.config.vision.num_soft_tokens
    ids = torch.tensor([[image] * tokens + [2, 300, 301, 302]])
    real = torch.ones_like(ids).bool()
    pixels = torch.rand(1, 3, 56, 56, generator=torch.manual_seed(1)) * 2 - 1
    results = []
    for model in (whole, spread):
        logits, state = model.prefill(ids, real, [model.encode(pixels)])
        results.append([logits, *(model.step(torch.tensor([7 + i]), state) for i in range(6))])
    for one, other in zip(*results, strict=True):
        assert (one - other).abs().max() < 1e-5
        assert one.argmax(-1).equal(other.argmax(-1))


def test_a_model_that_fits_is_not_split(tmp_path: Path) -> None:
    folder = save(make_model(), tmp_path)
    model = open_checkpoint(folder, "auto", limits={"cpu": 10**9}).model
    assert not any(parameter.is_meta for parameter in model.parameters())
