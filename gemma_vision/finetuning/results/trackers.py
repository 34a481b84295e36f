"""Trackers: figures handed on to TensorBoard or trackio, where somebody wants them there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from gemma_vision.extras import require

BOOKKEEPING = ("steps", "seconds", "progress", "left")  # of a row, no figures


class FigureTracker(Protocol):
    """What takes figures."""

    def add(self, row: Mapping[str, Any]) -> None:
        """A row of the metrics log."""

    def close(self) -> None:
        """No more rows come."""


class NoTracker:
    """Where nobody asked for one."""

    def add(self, row: Mapping[str, Any]) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class TensorBoardTracker:
    """Event files in `tensorboard` beside the state: `tensorboard --logdir runs/finetune`."""

    def __init__(self, folder: Path) -> None:
        require("tensorboard")
        from torch.utils.tensorboard import SummaryWriter

        self._writer: Any = SummaryWriter(str(folder / "tensorboard"))

    def add(self, row: Mapping[str, Any]) -> None:
        """Each figure as a scalar at its step."""
        for key, value in figures_of(row).items():
            self._writer.add_scalar(key, value, row["steps"])

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()


class TrackioTracker:
    """A run of the trackio project `gemma-vision`: `trackio show --project gemma-vision`."""

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        require("trackio")
        import trackio  # type: ignore[import-not-found, unused-ignore]

        self._trackio: Any = trackio
        trackio.init(project="gemma-vision", name=name, config=dict(settings), resume="allow")

    def add(self, row: Mapping[str, Any]) -> None:
        """All figures of a step."""
        self._trackio.log(figures_of(row), step=row["steps"])

    def close(self) -> None:
        """End the run."""
        self._trackio.finish()


def figures_of(row: Mapping[str, Any]) -> dict[str, float]:
    """The figures of a row.   held_new_found -> held/new_found"""
    figures = {key: value for key, value in row.items() if key not in BOOKKEEPING}
    return {key.replace("held_", "held/", 1): value for key, value in figures.items()}


def open_tracker(
    kind: str | None, *, folder: Path, name: str, settings: Mapping[str, Any]
) -> FigureTracker:
    """The tracker of that name; MissingPackageError where its package is not installed."""
    if kind == "tensorboard":
        return TensorBoardTracker(folder)
    return TrackioTracker(name, settings) if kind == "trackio" else NoTracker()
