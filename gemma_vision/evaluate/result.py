"""Result: what came of one picture, as plain data that can be written down and read back."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Masked:
    """A thing that was asked for alone: the IoU of its mask over the whole picture, and in its box.

    `in_box` and `mask` (run-lengths) are None where the answer had no mask for it.
    """

    thing: int
    iou: float
    in_box: float | None
    mask: dict[str, Any] | None = None


@dataclass(frozen=True)
class Result:
    """What came of one picture; plain data, so that it can be written down and read back.

    ious: for each object the IoU of the box that was matched to it, 0 where it was missed.
    found: every box, as COCO results. is_empty: whether an absent name gave no box; None where no
    name is absent. counts: how many of the counted names were counted right, and how many there
    were. seconds: the picture's share of its batch.
    """

    image: int
    ious: list[float]
    found: list[dict[str, Any]]
    masked: list[Masked]
    is_empty: bool | None
    counts: tuple[int, int]
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> Result:
        """The inverse of `to_dict`."""
        masked = [Masked(**one) for one in row["masked"]]
        return cls(**{**row, "masked": masked, "counts": tuple(row["counts"])})
