"""Where nothing has a name, the embedded checkpoint says so."""

from __future__ import annotations

import numpy as np
import pytest
from fake_engine import FakeEngine
from nameless import KINDS, SIZES, pictures, share_empty

from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.prompts import family_of

LEAST = 0.8  # of the answers are empty
SEED, COUNT = 900_081, 60

skimage = pytest.importorskip("skimage", reason="scikit-image brings the photographs")


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_names_the_same_pictures(kind: str) -> None:
    first, again = (pictures(kind, 6, 5) for _ in range(2))
    assert {one.size for one in first} <= set(SIZES)
    assert all((np.asarray(a) == np.asarray(b)).all() for a, b in zip(first, again, strict=True))
    assert any(np.asarray(one).std() > 1 for one in first)


def test_a_share_counts_answers_without_boxes() -> None:
    shown = pictures("gradient", 4, 1)
    boxes = FakeEngine("<loc0001><loc0002><loc0300><loc0400> cat")
    family = family_of("paligemma")
    assert share_empty(Pipeline(FakeEngine(""), family), shown, num_names=1, seed=1) == 1
    assert share_empty(Pipeline(boxes, family), shown, num_names=1, seed=1) == 0


@pytest.mark.slow
@pytest.mark.parametrize("num_names", [1, 4], ids=["one name", "four names"])
@pytest.mark.parametrize("kind", KINDS)
def test_pictures_without_any_of_the_names_get_an_empty_answer(kind: str, num_names: int) -> None:
    import gemma_vision

    pipeline = gemma_vision.load("tiny", device="cpu")
    share = share_empty(pipeline, pictures(kind, COUNT, SEED), num_names=num_names, seed=SEED)
    assert share >= LEAST
