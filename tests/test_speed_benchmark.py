"""The speed benchmark compares equal tokens: both sides say the script, and a row says so."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.speed import masks
from benchmarks.speed.serving import Visitor, app, as_text, measure
from benchmarks.speed.sides import NUM_OBJECTS
from benchmarks.speed.starting import PROGRAMS, Spent, judged
from benchmarks.speed.starting import run as run_program
from benchmarks.speed.table import as_row, run
from gemma_vision.checkpoints.mask_decoder_files import open_decoder


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


def test_a_cold_process_is_judged_by_what_torch_takes_and_by_transformers() -> None:
    spent = run_program("pass"), run_program("held = b'x' * 10**8\nfor n in range(10**7): pass")
    assert 0 < spent[0].seconds < spent[1].seconds and spent[0].memory + 90 < spent[1].memory
    seconds = (0.05, 1.0, 1.4, 1.5, 6.0, 2.0, 8.0)
    found = {name: Spent(value, 300.0) for name, value in zip(PROGRAMS, seconds, strict=True)}
    verdicts = ("import met", "first box met", "load.first_token met", "mem.peak met")
    assert all(judged(found)[verdict] for verdict in verdicts)
    worse = {
        "import gemma_vision": Spent(0.3, 20),
        "first box": Spent(1.6, 300),
        "first token": Spent(1.6, 300),
        "answers": Spent(2.0, 310),
    }
    assert not any(judged(found | worse)[verdict] for verdict in verdicts)


def test_a_program_that_fails_is_no_figure() -> None:
    with pytest.raises(SystemExit, match="ended with 3"):
        run_program("import sys; sys.exit(3)")


def test_masks_are_timed_where_both_sides_draw_the_same() -> None:
    decoder = open_decoder("embedded")
    assert decoder is not None

    def whole(codes: np.ndarray) -> np.ndarray:
        return decoder.decode(codes, logits=True)

    def one_by_one(codes: np.ndarray) -> np.ndarray:
        return np.concatenate([whole(row[None]) for row in codes])

    row = masks.measure(whole, one_by_one, 3, rounds=1)
    assert row["same"] and row["row"] == "mask.3" and row["bar"] is None
    assert not masks.measure(whole, lambda codes: whole(codes) + 1, 3, rounds=1)["same"]
    assert masks.as_text(row | {"bar": 2.2, "ratio": 2.2}).endswith("bar 2.2: met")
    assert masks.as_text(row | {"bar": 2.2, "ratio": 2.2, "same": False}).endswith("missed")
