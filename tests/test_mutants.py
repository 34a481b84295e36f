"""Every change that tests have to notice still has its one place in the code, and its tests."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
CHANGES = tomllib.loads((ROOT / "scripts" / "mutants.toml").read_text("utf-8"))["change"]


def test_every_change_has_one_place() -> None:
    lost = [
        row["name"]
        for row in CHANGES
        if (ROOT / row["file"]).read_text("utf-8").count(row["before"]) != 1
    ]
    assert not lost


def test_every_change_has_tests_that_are_there() -> None:
    lost = []
    for row in CHANGES:
        for test in row["tests"]:
            path, *parts = test.partition("[")[0].split("::")
            text = (ROOT / path).read_text("utf-8")
            if not all(f"{kind} {part}" in text for part in parts for kind in [_kind(part)]):
                lost.append(test)
    assert not lost


def _kind(part: str) -> str:
    return "class" if part.startswith("Test") else "def"
