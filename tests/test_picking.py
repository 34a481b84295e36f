"""Tokens are picked greedily or by a seed, and scored by how sure the model was."""

from __future__ import annotations

import pytest
import torch
from tiny_models import make_tokenizer

from gemma_vision.runtime.sampling import Positions, sample, score

PLACES = Positions(first=100)


def generators(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def logits(rows: int = 3, seed: int = 0) -> torch.Tensor:
    return torch.randn(rows, 1300, generator=torch.manual_seed(seed)) * 3


def test_temperature_0_takes_the_likeliest() -> None:
    assert sample(logits(), [0.0] * 3, generators(1, 2, 3)) == logits().argmax(-1).tolist()


def test_a_seed_draws_the_same_alone_and_in_a_batch() -> None:
    together = sample(logits(), [1.0] * 3, generators(5, 6, 7))
    alone = [sample(logits()[i : i + 1], [1.0], generators(5 + i))[0] for i in range(3)]
    assert together == alone


def test_draws_follow_the_chances() -> None:
    skewed = torch.tensor([[2.0, 0.0, -30.0]])
    (generator,) = generators(0)
    drawn = [sample(skewed, [2.0], [generator])[0] for _ in range(400)]
    chance = torch.tensor([1.0, 0.0]).softmax(-1)[0]
    assert abs(drawn.count(0) / 400 - chance) < 0.08
    assert 2 not in drawn


@pytest.mark.parametrize("temperature", [1e-3, 1e-30, 1e-300])
def test_a_temperature_near_0_takes_the_likeliest(temperature: float) -> None:
    assert sample(logits(), [temperature] * 3, generators(1, 2, 3)) == logits().argmax(-1).tolist()


def test_a_word_counts_by_its_probability() -> None:
    rows = logits()
    expected = rows.softmax(-1)[range(3), [1, 2, 3]].tolist()
    assert score(rows, [1, 2, 3], PLACES) == pytest.approx(expected)


@pytest.mark.parametrize("bin_", [0, 4, 500, 1020, 1023])
def test_a_position_counts_with_ten_bins_on_either_side(bin_: int) -> None:
    rows = logits(1)
    chances = rows[0, 100 : 100 + 1024].softmax(-1)
    expected = sum(float(chances[i]) for i in range(1024) if abs(i - bin_) <= 10)
    assert score(rows, [100 + bin_], PLACES) == pytest.approx([expected])


def test_a_position_does_not_care_for_words() -> None:
    rows = logits(1)
    before = score(rows, [600], PLACES)
    rows[0, :100] += 50
    assert score(rows, [600], PLACES) == pytest.approx(before)


def test_scores_never_leave_0_to_1() -> None:
    sure = torch.full((1, 1300), -1e4)
    sure[0, 300] = 1e4
    assert score(sure, [300], PLACES) == [1.0]
    assert score(sure, [7], PLACES) == [0.0]


def test_positions_are_found_in_the_tokenizer() -> None:
    tokenizer = make_tokenizer()
    places = Positions.of(tokenizer)
    assert places is not None
    assert places.first == tokenizer.token_to_id("<loc0000>")
    assert tokenizer.token_to_id("<loc1023>") in places
    assert tokenizer.token_to_id("<seg000>") not in places
    assert Positions.of(make_tokenizer("gemma3")) is None
