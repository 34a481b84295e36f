"""Equality: objects that hold arrays and pictures are compared by what they hold."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import numpy as np
import pytest
import torch
from fake_engine import fake_pipeline
from PIL import Image

import gemma_vision
from gemma_vision.requests.request import Request, Turn
from postprocess.instances import Instance

BOX = "<loc0102><loc0200><loc0800><loc0900> cat"
PIXELS = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
OTHERS = PIXELS[::-1]


def instance(pixels: np.ndarray) -> Instance:
    return Instance("cat", (0, 0, 4, 4), (0, 0, 4, 4), pixels[..., 0] > 20)


def with_tensor(pixels: np.ndarray) -> Request:
    return Request(torch.tensor(pixels.copy()).permute(2, 0, 1), "detect", "cat")


KINDS = [
    pytest.param(lambda pixels: Request(pixels, "detect", "cat"), id="an array"),
    pytest.param(lambda pixels: Request([pixels, PIXELS], "ask", "what"), id="several"),
    pytest.param(with_tensor, id="a tensor"),
    pytest.param(lambda pixels: Request(Image.fromarray(pixels), "ask", "what"), id="Pillow"),
    pytest.param(lambda pixels: Turn("user", "what", (pixels,)), id="a turn"),
    pytest.param(instance, id="an instance"),
]


@pytest.mark.parametrize("make", KINDS)
def test_what_holds_the_same_pixels_is_equal(make: Callable[[np.ndarray], object]) -> None:
    one, same, other = make(PIXELS), make(PIXELS.copy()), make(OTHERS)
    assert one == same and one != other and hash(one) == hash(same)
    assert one in [other, same] and one != "cat" and len({one, same, other}) == 2


@pytest.mark.parametrize(
    "other",
    ["cat.png", PIXELS[:2], Image.fromarray(PIXELS), b"cat"],
    ids=lambda one: type(one).__name__,
)
def test_pictures_of_other_kinds_and_sizes_are_not_equal(other: object) -> None:
    one, two = Request(PIXELS, "detect", "cat"), Request(other, "detect", "cat")
    assert one != two and two != one


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))]
)
def test_a_copy_of_an_answer_is_equal_to_it(again: Callable[[object], object]) -> None:
    asked = fake_pipeline(BOX).detect(Image.fromarray(PIXELS), "cat")
    for answer in (asked, gemma_vision.read(BOX, (64, 48))):
        assert again(answer) == answer and {answer: 1}[again(answer)] == 1
        assert again(answer).instances == answer.instances
