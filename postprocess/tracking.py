"""Tracking: the same thing in one picture after another, told by label and overlap of boxes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from postprocess.coordinate_conventions import Box
from postprocess.instances import Instance
from postprocess.metrics import best_first, box_iou
from postprocess.tokens import folded

LEAST = 0.2  # overlap (IoU) from which on two boxes are one thing: pictures lie some frames apart
PATIENCE = 3  # pictures that a thing may be missing from

Step = tuple[float, float]  # pixels right and down, per picture


@dataclass(frozen=True)
class Track:
    """A thing that is followed: where it was last, how it moved, how long ago that was."""

    id: int
    label: str
    box: Box
    step: Step = (0.0, 0.0)
    missed: int = 0  # pictures in a row that it was not seen in

    @property
    def expected(self) -> Box:
        """Where it is now if it moved on as before."""
        right, down = (one * (self.missed + 1) for one in self.step)
        x0, y0, x1, y1 = self.box
        return x0 + right, y0 + down, x1 + right, y1 + down

    def overlap(self, instance: Instance) -> float:
        """IoU with where it was or where it should be, whichever is more; 0 for another label."""
        if folded(instance.label) != folded(self.label):
            return 0.0
        return max(box_iou(self.box, instance.box), box_iou(self.expected, instance.box))

    def moved(self, box: Box) -> "Track":
        """Seen again, here."""
        pictures = self.missed + 1
        right = (box[0] + box[2] - self.box[0] - self.box[2]) / 2 / pictures
        down = (box[1] + box[3] - self.box[1] - self.box[3]) / 2 / pictures
        return replace(self, box=box, step=(right, down), missed=0)


class Tracker:
    """Gives things ids, 1, 2, 3, ..., that they keep from picture to picture; none is used twice.

    Things of one label are matched by the overlap of their boxes, the largest first; a box may also
    be where the last movement leads, so that things that cross keep their ids. A thing missing
    from more than `patience` pictures in a row is over: what comes then is new.
    """

    def __init__(self, *, least: float = LEAST, patience: int = PATIENCE) -> None:
        self._least = least
        self._patience = patience
        self._tracks: list[Track] = []
        self._count = 0

    def follow(self, instances: Sequence[Instance]) -> tuple[int, ...]:
        """The ids of the next picture's instances, in their order."""
        overlaps = [
            (track.overlap(instance), t, i)
            for t, track in enumerate(self._tracks)
            for i, instance in enumerate(instances)
        ]
        known = {i: t for t, i, _ in best_first(overlaps, least=self._least)}
        seen = [
            self._tracks[known[i]].moved(instance.box) if i in known else self._new(instance)
            for i, instance in enumerate(instances)
        ]
        self._tracks = [*seen, *self._missing(set(known.values()))]
        return tuple(track.id for track in seen)

    def _new(self, instance: Instance) -> Track:
        self._count += 1
        return Track(self._count, instance.label, instance.box)

    def _missing(self, found: set[int]) -> list[Track]:
        """The tracks that were not found, as long as they are waited for."""
        lost = [track for t, track in enumerate(self._tracks) if t not in found]
        waiting = [replace(track, missed=track.missed + 1) for track in lost]
        return [track for track in waiting if track.missed <= self._patience]
