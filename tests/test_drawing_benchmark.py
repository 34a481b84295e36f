"""The drawing benchmark compares like with like, and says what it found."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.artists import Ready, artists
from benchmarks.drawing import STRETCHES, as_table, compare, ellipses, noise, things, verdict

ROOT = Path(__file__).parent.parent
SIZE = (320, 200)
CODES = [[0] * 16] * 3
READY = Ready(np.where(ellipses(3), 1, -1).astype(np.float32))


def changed(drawn: Image.Image) -> np.ndarray:
    """(H, W) bool: where a picture differs from the one that was drawn on."""
    return (np.asarray(drawn) != np.asarray(noise(SIZE))).any(2)


@pytest.mark.parametrize("name", artists())
def test_every_way_draws_the_same_masks(name):
    mentions = things(CODES, "")
    found = changed(artists()[name](noise(SIZE), mentions, READY, masks_only=True))
    ours = changed(artists()["ours"](noise(SIZE), mentions, READY, masks_only=True))
    assert 0.05 < ours.mean() < 0.9
    assert (found != ours).mean() < 0.01  # a mixed colour may be the one that was there


@pytest.mark.parametrize("name", artists())
def test_labels_and_boxes_come_on_top(name):
    masks, whole = (
        changed(artists()[name](noise(SIZE), things(CODES, ""), READY, masks_only=masks_only))
        for masks_only in (True, False)
    )
    assert whole.sum() > masks.sum()


def test_rounds_are_interleaved_and_the_first_one_is_not_counted():
    seen = []
    ways = {name: (lambda name=name: name) for name in ("ours", "a", "b")}
    row = compare(ways, lambda way, number: seen.append((number, way())), rounds=9)
    assert [number for number, _ in seen] == [number for number in range(10) for _ in ways]
    orders = {tuple(name for n, name in seen if n == number) for number in range(10)}
    assert len(orders) > 3 and all(set(order) == set(ways) for order in orders)
    assert row["ms"].keys() == row["ratio"].keys() == ways.keys()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        pytest.param({"bar": 4.0, "ratio": {"supervision": 4.0}}, "4.0: met", id="met"),
        pytest.param({"bar": 4.0, "ratio": {"supervision": 3.9}}, "4.0: missed", id="missed"),
        pytest.param(
            {"bar": 4.0, "ratio": {"pillow": 9.0}}, "4.0: supervision is not installed", id="alone"
        ),
        pytest.param({"bar": None, "ratio": {"supervision": 1.0}}, "-", id="no bar"),
    ],
)
def test_a_bar_is_judged_against_supervision(row, said):
    assert verdict(row) == said


def test_the_table_has_a_line_for_each_row():
    row = {"size": "1 MP", "row": STRETCHES[0].name, "bar": 4.0, "ms": {"ours": 1.0, "numpy": 9.0}}
    row["ratio"] = {"ours": 1.0, "numpy": 9.0}
    report = {"masks": 10, "threads": 1, "rounds": 3, "supervision": None, "rows": [row]}
    table = as_table(report | {"gemm_gflops": [1.0, 1.0]})
    assert "supervision not installed" in table
    assert f"| 1 MP | {STRETCHES[0].name} | 1.0 (1.0) | 9.0 (9.0) |" in table


def test_the_benchmarks_explain_themselves():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--help"], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0 and "drawing [OPTIONS]" in done.stdout, done.stderr
