"""Which published checkpoint a machine is told to begin with, by its device and free memory."""

from __future__ import annotations

import pytest

from gemma_vision.registry.published import PUBLISHED
from gemma_vision.registry.recommendation import CANDIDATES, SMALLEST, recommend
from gemma_vision.requests.prompts import family_of
from gemma_vision.requests.variants import limit_to
from gemma_vision.weights.memory import GIB

CASES = [
    pytest.param("cuda", 80, None, "google/paligemma2-10b-mix-448", id="a large GPU"),
    pytest.param("cuda:1", 22, None, "google/paligemma2-10b-mix-448", id="a GPU of 24 GB"),
    pytest.param("cuda", 15, None, "google/paligemma2-3b-mix-448", id="a GPU of 16 GB"),
    pytest.param("cuda", 6.4, None, SMALLEST, id="a GPU of 8 GB that shows a desktop"),
    pytest.param("cuda", 4, "int4", "google/paligemma2-3b-mix-448", id="4 bits"),
    pytest.param("cuda", 8, "int4", "google/paligemma2-10b-mix-448", id="4 bits on 8 GB"),
    pytest.param("mps", 100, None, "google/paligemma2-3b-mix-448", id="a large Mac"),
    pytest.param("mps", 10, None, "google/paligemma2-3b-mix-448", id="a Mac of 16 GB"),
    pytest.param("cpu", 500, None, "google/paligemma2-3b-mix-224", id="a large server"),
    pytest.param("cpu", 12, None, "google/paligemma2-3b-mix-224", id="a laptop of 16 GB"),
    pytest.param("cpu", 6.4, None, SMALLEST, id="a laptop of 8 GB, nearly empty"),
    pytest.param("cpu", 12, "float32", None, id="as float32 on a laptop"),
    pytest.param("xpu", 12, None, "google/paligemma2-3b-mix-224", id="a device nobody measured"),
]


@pytest.mark.parametrize("device, gib, dtype, expected", CASES)
def test_the_first_candidate_that_fits_is_taken(
    device: str, gib: float, dtype: str | None, expected: str | None
) -> None:
    best = recommend(device, int(gib * GIB), dtype)
    assert (best.id if best.fits else None) == expected
    assert best.fits == (best.need <= best.room)
    assert (best.device, best.room) == (device, int(gib * GIB))


@pytest.mark.parametrize(
    "device, gib, dtype, packs",
    [
        pytest.param("cpu", 4, None, True, id="4 bits would do"),
        pytest.param("cuda", 3, "float32", True, id="from float32 too"),
        pytest.param("cuda", 2, None, False, id="nothing does"),
        pytest.param("cuda", 2, "int4", False, id="it is packed already"),
        pytest.param("cpu", -1, None, False, id="a container past its limit"),
    ],
)
def test_where_none_fits_the_smallest_is_told_and_what_would_do(
    device: str, gib: float, dtype: str | None, packs: bool
) -> None:
    best = recommend(device, int(gib * GIB), dtype)
    assert (best.id, best.fits) == (SMALLEST, False)
    assert best.need > best.room
    assert (best.packed_need is not None) == packs
    assert best.packed_need is None or best.packed_need <= best.room


def test_every_candidate_is_published_and_can_find_and_outline() -> None:
    families = {hub_id: family for hub_id, family, *_ in PUBLISHED}
    for hub_id in {one for candidates in CANDIDATES.values() for one in candidates}:
        tasks = limit_to(family_of(families[hub_id]), hub_id, {}).tasks
        assert {"detect", "segment", "caption", "ask"} <= {str(task) for task in tasks}


def test_the_smallest_is_the_smallest_of_those_that_find_and_outline() -> None:
    sizes = {hub_id: parameters for hub_id, _, _, parameters in PUBLISHED if "-mix-" in hub_id}
    assert min(sizes, key=sizes.__getitem__) == SMALLEST
