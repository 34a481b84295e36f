"""The benchmark for a GPU: without one it walks its path, and rows say why there are no figures."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch

from benchmarks.speed import gpu
from benchmarks.speed.gpu import BARS, as_table, beyond_the_first, measured, walk
from benchmarks.speed.sides import Bench, Comparison

LATE, SOON = time.monotonic() - 1, time.monotonic() + 3600


@pytest.fixture(autouse=True)
def without_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)


def pair(name: str = "vision.encode", ours: object = 1, theirs: object = 1) -> Comparison:
    return Comparison(name, lambda: ours, lambda: time.sleep(0.002) or theirs, 1)


def test_the_recorded_path_is_walked_where_there_is_no_gpu() -> None:
    report = walk()
    assert report["walked_tokens_are_the_same"] is True
    assert [row["row"] for row in report["rows"]] == list(BARS)
    assert "| vision.encode | not measured: no GPU | | | | 2.0 | |" in as_table(report)


def test_a_row_has_a_ratio_and_a_verdict() -> None:
    row = measured(pair(), 3, SOON)
    assert row["same"] and row["ratio"] > 2.0
    assert "2.0: met | yes |" in as_table({"rows": [row]})
    assert "2.0: missed | no |" in as_table({"rows": [measured(pair(theirs=2), 3, SOON)]})


def test_a_row_that_cannot_be_measured_says_why() -> None:
    def fails() -> None:
        raise MemoryError("too large")

    broken = Comparison("multi.8", fails, fails, 1)
    assert measured(broken, 3, SOON)["not_measured"] == "MemoryError: too large"
    assert measured(pair(), 3, LATE)["not_measured"] == "no time was left"


def test_a_token_is_what_the_whole_took_beyond_the_first() -> None:
    first, whole = ({"ours_ms": a, "theirs_ms": b} for a, b in ((3.0, 10.0), (34.0, 103.0)))
    assert beyond_the_first(first, whole)["ratio"] == 3.0
    missing = {"not_measured": "no time was left"}
    assert beyond_the_first(missing, whole) == whole
    assert beyond_the_first(first, missing) == missing


@pytest.mark.filterwarnings("ignore")  # of transformers
def test_every_row_runs_on_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a GPU will run, here on a CPU and over the embedded checkpoint."""
    bench = Bench(gpu.find("tiny"), "float32")
    for one in (*bench.pairs(), gpu.static(bench), bench.streams()):
        row = measured(one, 1, SOON)
        assert row.get("same"), row
    rows = {name: {"ours_ms": 2.0} for name in BARS}
    found = gpu.derived(bench, rows, 100.0)
    assert found["boxes_per_second"] == 2500.0 and found["token_times_floor"] > 1


def test_the_report_is_written_where_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "build" / "gpu.json"
    monkeypatch.setattr(gpu, "walk", lambda: {"device": "cpu", "rows": []})
    monkeypatch.setattr("sys.argv", ["gpu", "--json", str(file)])
    gpu.main()
    assert '"device": "cpu"' in file.read_text()
