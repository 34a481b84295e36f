"""The speed benchmark compares equal tokens: both sides say the script, and a row says so."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.speed.serving import Visitor, app, as_text, measure
from benchmarks.speed.sides import NUM_OBJECTS
from benchmarks.speed.starting import judged, seconds_of
from benchmarks.speed.table import as_row, run


@pytest.mark.filterwarnings("ignore")  # of transformers
def test_both_sides_say_five_records_and_ours_in_fewer_forwards() -> None:
    options = Namespace(
        model="tiny", dtype="float32", folder=Path(), rounds=1, rows="detect.5", json=None
    )
    report = run(options)
    assert [row["row"] for row in report["rows"]] == ["detect.5 strict", "detect.5 exact"]
    for row in report["rows"]:
        assert row["same"] and row["tokens"] == 7 * NUM_OBJECTS - 2
        assert row["forwards"] == 4 * NUM_OBJECTS
        assert as_row(row).startswith(f"| {row['row']} | ")


def test_clients_at_once_get_the_answers_of_clients_in_turn(tmp_path: Path) -> None:
    Image.new("RGB", (64, 48), (90, 160, 60)).save(tmp_path / "picture.jpg")
    with app(tmp_path) as address:
        visitors = [Visitor(address, tmp_path / "picture.jpg") for _ in range(3)]
        row = measure(visitors, rounds=1)
        for visitor in visitors:
            visitor.close()
    assert row["same"] and row["at_once"] > 0 and row["lowest"] == row["highest"] == row["ratio"]
    assert as_text(row | {"ratio": 1.8}).endswith("met")
    assert as_text(row | {"ratio": 1.8, "same": False}).endswith("missed")


def test_a_cold_process_is_judged_by_what_torch_takes() -> None:
    assert 0 < seconds_of("pass") < seconds_of("for n in range(10**7): pass")
    found = {"import gemma_vision": 0.05, "import torch": 1.0, "first box": 1.4}
    assert judged(found)["import met"] and judged(found)["first box met"]
    assert not judged(found | {"first box": 1.6})["first box met"]
