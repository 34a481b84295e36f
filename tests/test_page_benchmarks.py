"""The benchmarks of the page hold the same things side by side, and say what they found."""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from fake_engine import fake_pipeline
from PIL import Image

from benchmarks.bare_page import ALIASES, ENDPOINT, FRAME, build_page
from benchmarks.cold_load import as_table as cold_table
from benchmarks.cold_load import summary as cold_summary
from benchmarks.viewer import as_table, delays, summary
from benchmarks.viewer_page import (
    EVERY,
    SIZE,
    ModelTimes,
    make_updates,
    name_of,
    show_annotated,
    show_ours,
    speak,
)


async def both_pages() -> list[dict]:
    """The configs of the app and of its bare double; in a loop, as Gradio wants it."""
    from gemma_vision.web import app

    config = app.build_app(fake_pipeline()).get_config_file()
    return [config, build_page(config).get_config_file()]


def kinds(config: dict) -> Counter[str]:
    found = Counter(row["type"] for row in config["components"])
    return found - Counter({ENDPOINT: found[ENDPOINT], FRAME: found[FRAME]})


def test_the_bare_page_has_the_components_of_the_app() -> None:
    config, bare = asyncio.run(both_pages())
    assert kinds(bare) == kinds(config) and not bare["dependencies"]
    assert any(row["props"].get("elem_id") == "run" for row in bare["components"])
    assert set(ALIASES) <= set(kinds(config))
    assert not any(row["props"].get("js_on_load") for row in ours(bare))


def ours(config: dict) -> list[dict]:
    default = "element.addEventListener"
    rows = [row for row in config["components"] if row["type"] == "html"]
    return [row for row in rows if default not in (row["props"].get("js_on_load") or "")]


@pytest.mark.parametrize("num_changing", [1, 3])
def test_an_update_has_so_many_new_masks_and_says_which_it_is(num_changing: int) -> None:
    first, second = make_updates(2, 3, num_changing)
    assert (first[0].label, second[0].label) == (name_of(0), name_of(1))
    assert all(one.mask.shape == SIZE[::-1] and one.mask.any() for one in first)
    is_same = [old is new for old, new in zip(first, second, strict=True)]
    assert is_same == [place >= num_changing for place in range(3)]
    assert (first[0].mask != second[0].mask).any()


def test_both_sides_show_the_same_masks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    updates, model_times = make_updates(2, 3), ModelTimes()
    ours = list(show_ours(updates, Image.new("RGB", SIZE), model_times))
    theirs = list(show_annotated(updates, tmp_path, model_times))
    assert [thing["label"] for thing in ours[-1]["instances"]] == [
        label for _, label in theirs[-1][1]
    ]
    for thing, (mask, _) in zip(ours[-1]["instances"], theirs[-1][1], strict=True):
        x0, y0, x1, y1 = (round(edge) for edge in thing["box"])
        assert mask[y0:y1, x0:x1].sum() == mask.sum() and thing["path"]
    assert len(model_times.times["viewer"]) == len(model_times.times["annotated"]) == 2


def test_the_model_keeps_its_own_time() -> None:
    model_times = ModelTimes()
    for _ in speak(make_updates(3, 1), model_times, "viewer"):
        time.sleep(0.05)  # whoever shows it takes a while
    gaps = np.diff([model_times.began["viewer"], *model_times.times["viewer"]])
    assert gaps == pytest.approx([EVERY] * 3, abs=0.15)


def test_delays_leave_out_what_was_never_seen() -> None:
    seen = {name_of(0): 10.05, name_of(2): 10.5}
    found = delays(seen, [10.0, 10.2, 10.4], 9.8)
    assert found["ms"] == pytest.approx([50, 100]) and found["shown"] == 2
    assert found["whole"] == pytest.approx(0.7 / (3 * EVERY))


@pytest.mark.parametrize(
    ("ms", "whole", "said"),
    [
        pytest.param(20, 1.05, ["10.0 times as quick", "bar 10: met", "bar 1.1: met"], id="met"),
        pytest.param(50, 1.2, ["4.0 times as quick", "bar 10: missed", "1.1: missed"], id="missed"),
    ],
)
def test_the_viewers_table_says_what_was_found(ms: int, whole: float, said: list[str]) -> None:
    sides = {
        "viewer": {"ms": [ms] * 3, "shown": 3, "whole": whole},
        "annotated": {"ms": [200] * 3, "shown": 3, "whole": 2.0},
    }
    options = argparse.Namespace(updates=20, masks=10, changing=1, rounds=1)
    table = as_table(summary([sides], options))
    assert all(words in table for words in said)
    assert f"| viewer | {ms} | {ms} | 3.0 | {whole:.2f} |" in table


@pytest.mark.parametrize(
    ("app", "said"), [(1300, "1.3 times the bare page; bar 1.4: met"), (1500, "missed")]
)
def test_the_table_of_the_cold_load_says_what_was_found(app: int, said: str) -> None:
    rows = [
        {"side": side, "ms": ms + spread, "requests": 80, "kB": 500.0}
        for side, ms in (("app", app), ("bare", 1000))
        for spread in (-10, 0, 90)
    ]
    table = cold_table(cold_summary(rows))
    assert said in table and f"| app | {app} | {app - 10} - {app + 90} | 80 | 500 |" in table
