"""docs/checkpoints.md recommends what the code recommends, with its need of memory."""

from __future__ import annotations

import re
from pathlib import Path

from gemma_vision.registry.recommendation import CANDIDATES, PARAMETERS
from gemma_vision.weights.memory import GIB, weigh

PAGE = Path(__file__).parent.parent / "docs" / "checkpoints.md"
ROW = re.compile(r"^\| `(cuda|mps|cpu)`(?: and others)? \| (`paligemma.*) \|$", re.MULTILINE)


def test_the_table_of_recommendations_is_the_codes() -> None:
    rows = {device: cell for device, cell in ROW.findall(PAGE.read_text("utf-8"))}
    named = {device: re.findall(r"`([\w-]+)`", cell) for device, cell in rows.items()}
    assert named == {
        device: [hub_id.removeprefix("google/") for hub_id in candidates]
        for device, candidates in CANDIDATES.items()
    }
    sizes = re.findall(r"`([\w-]+)` \(([\d.]+) GiB\)", rows["cuda"])
    needs = {name: weigh(PARAMETERS[f"google/{name}"], "cuda", None) / GIB for name, _ in sizes}
    assert sizes == [(name, f"{need:.1f}") for name, need in needs.items()]
    assert len(sizes) == 3
