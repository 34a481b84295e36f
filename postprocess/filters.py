"""Filters: answers cleared of what models add by mistake, each by request, each said.

Models repeat themselves, box one thing twice, and box the whole picture when they find nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from postprocess.errors import UserError
from postprocess.instances import Instance
from postprocess.tokens import Mention, Notice, folded

_FRAME = 0.9  # of the picture's area: as much as users of PaliGemma reject in practice


class FilterError(UserError):
    """A threshold that means nothing."""

    CODE = "E_FILTER"


@dataclass(frozen=True)
class Filtered:
    """What is left: mentions and instances in their order, and a notice for each one removed."""

    mentions: list[Mention]
    instances: list[Instance]
    notices: list[Notice]


@dataclass(frozen=True)
class Filters:
    """Which filters are wanted; none unless asked for.

    `drop_repeats`: exact copies go. `max_overlap`: of boxes of one label that overlap more than
    this IoU the surer, or else the earlier, stays (non-maximum suppression). `drop_full_frame`:
    boxes of nine tenths of the picture or more go. `min_score`: what is known to be less sure goes.
    `drop_unasked`: the names that were asked for; things under others go, whatever the case of
    their letters. Requests, endpoints, commands and forms call them by the same names.
    """

    drop_repeats: bool = False
    max_overlap: float | None = None
    drop_full_frame: bool = False
    min_score: float | None = None
    drop_unasked: frozenset[str] | None = None

    def __post_init__(self) -> None:
        for name in ("max_overlap", "min_score"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise FilterError(f"{name} is {value}; it must lie between 0 and 1.")

    def apply(
        self, mentions: Sequence[Mention], instances: Sequence[Instance], size: tuple[int, int]
    ) -> Filtered:
        """Remove what the filters are against; `instances[k]` is what `mentions[k]` says."""
        removed: dict[int, tuple[str, str]] = {}
        for index, code, said in self._against(mentions, instances, size):
            removed.setdefault(index, (code, said))
        if self.max_overlap is not None:
            left = [index for index in range(len(instances)) if index not in removed]
            for index in suppressed(instances, left, self.max_overlap):
                removed[index] = ("removed_overlap", "It overlaps a surer box of its label.")
        kept = [index for index in range(len(instances)) if index not in removed]
        return Filtered(
            [mentions[index] for index in kept],
            [instances[index] for index in kept],
            [Notice(code, mentions[index].start, said) for index, (code, said) in removed.items()],
        )

    def _against(
        self, mentions: Sequence[Mention], instances: Sequence[Instance], size: tuple[int, int]
    ) -> Iterator[tuple[int, str, str]]:
        if self.drop_repeats:
            for index in repeated(mentions):
                yield index, "removed_repeat", "The same record came before."
        for index, instance in enumerate(instances):
            if self.drop_full_frame and is_full_frame(instance, size):
                yield index, "removed_full_frame", "Its box is nearly the whole picture."
            if self._is_unasked(instance.label):
                name = instance.label or "a thing without a name"
                yield index, "removed_unasked", f"Left out: {name}, not asked for."
            if self._is_unsure(instance.score):
                said = f"Its score {instance.score:.2f} is below {self.min_score:.2f}."
                yield index, "removed_score", said

    def _is_unasked(self, label: str) -> bool:
        if self.drop_unasked is None:
            return False
        return folded(label) not in {folded(name) for name in self.drop_unasked}

    def _is_unsure(self, score: float | None) -> bool:
        return self.min_score is not None and score is not None and score < self.min_score


def repeated(mentions: Sequence[Mention]) -> list[int]:
    """Where a mention says again what an earlier one said."""
    first: dict[Mention, int] = {}
    return [k for k, mention in enumerate(mentions) if first.setdefault(mention, k) != k]


def is_full_frame(instance: Instance, size: tuple[int, int]) -> bool:
    """Whether a box takes nine tenths of the picture or more: a suspicion, not a certainty."""
    x0, y0, x1, y1 = instance.box
    return (x1 - x0) * (y1 - y0) >= _FRAME * size[0] * size[1]


def suppressed(instances: Sequence[Instance], among: Sequence[int], overlap: float) -> list[int]:
    """Which of these instances overlap a surer one of their label by more than an IoU.

    Class-wise non-maximum suppression; without scores the earlier one is taken for the surer.
    """
    surest = sorted(among, key=lambda index: (-(instances[index].score or 0.0), index))
    labelled: dict[str, list[int]] = {}
    for index in surest:
        labelled.setdefault(folded(instances[index].label), []).append(index)
    gone: list[int] = []
    for group in labelled.values():
        boxes = np.array([instances[index].box for index in group], np.float64)
        gone += (group[place] for place in np.flatnonzero(~survivors(boxes, overlap)))
    return sorted(gone)


def survivors(boxes: npt.NDArray[np.float64], overlap: float) -> npt.NDArray[np.bool_]:
    """(N, 4) boxes x0, y0, x1, y1, the surest first -> (N,) whether each one stays."""
    stays = np.ones(len(boxes), np.bool_)
    sides = boxes[:, 2:] - boxes[:, :2]
    areas = sides.prod(1)
    for i in range(len(boxes)):
        if stays[i]:
            low = np.maximum(boxes[i, :2], boxes[i + 1 :, :2])
            high = np.minimum(boxes[i, 2:], boxes[i + 1 :, 2:])
            both = np.clip(high - low, 0, None).prod(1)
            either = areas[i] + areas[i + 1 :] - both
            shares = np.divide(both, either, out=np.zeros_like(both), where=either > 0)
            stays[i + 1 :] &= shares <= overlap
    return stays
