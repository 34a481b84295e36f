"""Masks: small ones written out by hand, large ones compared with transformers in test_model."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gemma_vision.model.attention import (
    block_groups,
    extend_mask,
    positions,
    prefill_mask,
    prefix_groups,
)


def bits(text: str) -> Tensor:
    """ "01 11" -> one row of the batch for each word"""
    return torch.tensor([[letter == "1" for letter in word] for word in text.split()])


def drawn(mask: Tensor) -> list[str]:
    return ["".join(str(int(one)) for one in row) for row in mask[0, 0]]


@pytest.mark.parametrize(
    "is_image, expected",
    [
        pytest.param("01101", [-1, 0, 0, -1, 1], id="two pictures"),
        pytest.param("11111", [0, 0, 0, 0, 0], id="one picture and no words"),
        pytest.param("00000", [-1, -1, -1, -1, -1], id="words"),
    ],
)
def test_each_run_of_picture_tokens_is_a_group(is_image: str, expected: list[int]) -> None:
    image = bits(is_image)
    assert block_groups(image, torch.ones_like(image)).tolist() == [expected]


def test_the_whole_prompt_is_one_group() -> None:
    assert prefix_groups(bits("11000"), bits("11110")).tolist() == [[0, 0, 0, 0, -1]]


def test_the_example_of_the_docstring() -> None:
    mask = prefill_mask(torch.tensor([[0, 0, 0, -1]]), bits("0111"))
    assert drawn(mask) == ["1110", "0110", "0110", "0111"]


def test_words_of_a_conversation_look_back_and_pictures_look_both_ways() -> None:
    mask = prefill_mask(torch.tensor([[-1, 0, 0, -1, 1]]), bits("11111"))
    assert drawn(mask) == ["10000", "11100", "11100", "11110", "11111"]


@pytest.mark.parametrize(
    "cuts, expected",
    [
        pytest.param(True, ["11110", "11110", "01110", "00110", "00011"], id="through groups"),
        pytest.param(False, ["11110", "11110", "11110", "11110", "00011"], id="around groups"),
    ],
)
def test_a_window_of_two(cuts: bool, expected: list[str]) -> None:
    groups = torch.tensor([[0, 0, 0, 0, -1]])
    mask = prefill_mask(groups, bits("11111"), window=2, window_cuts_groups=cuts)
    assert drawn(mask) == expected


def test_no_query_is_left_without_a_key() -> None:
    for padding in range(5):
        is_real = bits("0" * padding + "1" * (5 - padding))
        for groups in (torch.full((1, 5), -1), torch.zeros(1, 5, dtype=torch.long)):
            assert prefill_mask(groups, is_real, window=2).any(-1).all()


def test_nobody_real_looks_at_padding() -> None:
    is_real = bits("00111 11111")
    mask = prefill_mask(torch.zeros(2, 5, dtype=torch.long), is_real)[:, 0]
    assert not (mask & is_real[:, :, None] & ~is_real[:, None, :]).any()


@pytest.mark.parametrize(
    "is_real, window, expected",
    [
        pytest.param(None, None, None, id="anywhere"),
        pytest.param(None, 4, None, id="a window as long as the text"),
        pytest.param(None, 2, ["0011"], id="the last two"),
        pytest.param(None, 3, ["0111"], id="one more than the window"),
        pytest.param("0111", None, ["0111"], id="not at padding"),
        pytest.param("0111", 3, ["0111"], id="padding and window"),
    ],
)
def test_a_step_looks_back(is_real, window, expected) -> None:
    padding = None if is_real is None else bits(is_real)
    mask = extend_mask(padding, 4, 1, torch.device("cpu"), window=window)
    assert (None if mask is None else drawn(mask)) == expected


@pytest.mark.parametrize(
    "is_real, window, expected",
    [
        pytest.param(None, None, ["11110", "11111"], id="back only"),
        pytest.param(None, 3, ["01110", "00111"], id="through a window"),
        pytest.param("00111", None, ["00110", "00111"], id="not at padding"),
    ],
)
def test_two_more_words_look_back(is_real, window, expected) -> None:
    padding = None if is_real is None else bits(is_real)
    mask = extend_mask(padding, 5, 2, torch.device("cpu"), window=window)
    assert mask is not None
    assert drawn(mask) == expected


def test_positions_count_what_is_real() -> None:
    assert positions(bits("00111"), 1).tolist() == [[1, 1, 1, 2, 3]]
    assert positions(bits("11"), 0).tolist() == [[0, 1]]
