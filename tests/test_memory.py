"""How much a checkpoint needs, and how much there is."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from gemma_vision.errors import CheckpointError
from gemma_vision.weights import memory

BILLION = 10**9


@pytest.mark.parametrize(
    "parameters, device, dtype, number",
    [
        pytest.param(BILLION, "cpu", None, 4, id="small, on a CPU: float32"),
        pytest.param(3 * BILLION, "cpu", None, 2, id="large, on a CPU: the file's own"),
        pytest.param(3 * BILLION, "cpu", "auto", 2, id="auto is the same"),
        pytest.param(BILLION, "cuda:0", None, 2, id="on a GPU: bfloat16"),
        pytest.param(3 * BILLION, "cpu", "float32", 4, id="as asked"),
        pytest.param(3 * BILLION, "cuda:0", "int4", 0.7, id="packed"),
    ],
)
def test_a_checkpoint_weighs_its_numbers_and_some_room(
    parameters: int, device: str, dtype: str | None, number: float
) -> None:
    assert memory.weigh(parameters, device, dtype) == int(parameters * number * memory.SPARE)


def test_what_is_mapped_gives_nothing_back() -> None:
    assert memory.released(3 * BILLION, "cpu", None) == 0
    prepacked = SimpleNamespace(checkpoint=SimpleNamespace(model=SimpleNamespace(prepacked_head=1)))
    assert memory.released(3 * BILLION, "cpu", None, prepacked) > 6 * BILLION
    assert memory.released(3 * BILLION, "cpu", "float32") == memory.weigh(
        3 * BILLION, "cpu", "float32"
    )


@pytest.mark.parametrize(
    "limit, used, left",
    [("1000", "400", 600), ("max", "400", 2**62), (None, None, 2**62)],
    ids=["a limit", "no limit", "no groups"],
)
def test_a_containers_limit_counts(
    limit: str | None, used: str | None, left: int, tmp_path: Path
) -> None:
    for name, text in (("memory.max", limit), ("memory.current", used)):
        if text is not None:
            (tmp_path / name).write_text(text + "\n")
    assert memory.group_free(tmp_path) == left


def test_some_memory_is_free_here() -> None:
    assert 2**20 < memory.free("cpu") < 2**50


def test_what_does_not_fit_is_refused_with_both_numbers() -> None:
    with pytest.raises(CheckpointError, match=r"about 5.6 GiB of memory and 1.0 GiB are free"):
        memory.check_fits("it", int(5.6 * 2**30), 2**30)
    memory.check_fits("it", 2**30, 2**30)
