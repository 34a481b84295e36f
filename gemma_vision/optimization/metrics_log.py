"""Metrics log: the figures of a stage as they come, a line of JSON each."""

import json
from pathlib import Path
from typing import Any

from gemma_vision.optimization.atomic_write import write_atomically

Row = dict[str, Any]

MOMENTUM = 0.98  # of running means


class MetricsLog:
    """One stage's figures in a file; rows have `steps` and `seconds`, and whatever was measured."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, row: Row) -> None:
        """Write a row; it is in the file when this returns."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(row)}\n")

    def rows(self) -> list[Row]:
        """All rows, without a last one that an interruption cut off."""
        if not self.path.exists():
            return []
        whole_lines = self.path.read_text(encoding="utf-8").split("\n")[:-1]
        return [json.loads(line) for line in whole_lines if line]

    def truncate_after(self, steps: int) -> None:
        """Drop what was measured after a number of steps: those steps will be taken again."""
        if self.path.exists():
            earlier = [row for row in self.rows() if row["steps"] <= steps]
            write_atomically(self.path, "".join(f"{json.dumps(row)}\n" for row in earlier))


def running_means(means: dict[str, float], figures: dict[str, float]) -> dict[str, float]:
    """Means moved towards new figures, so that a report is not one batch's luck."""
    moved = {k: MOMENTUM * means.get(k, v) + (1 - MOMENTUM) * v for k, v in figures.items()}
    return means | moved
