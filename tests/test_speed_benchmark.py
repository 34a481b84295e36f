"""The speed benchmark compares equal tokens: both sides say the script, and a row says so."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from benchmarks.speed.sides import NUM_OBJECTS
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
