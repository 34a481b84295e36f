"""Outlines: instances as the viewer draws them, thinned to what an eye can see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from postprocess.palette import label_colors

JSON = dict[str, Any]
Size = tuple[int, int]
Polygons = Sequence[Sequence[Sequence[float]]]

SHARP = 1600  # a thinned outline is off by at most half a pixel of a picture this large
MAX_POINTS = 400  # of one polygon; more do not show


class Outlines:
    """The instances of one growing answer; each is thinned once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Polygons, str]] = {}

    def show(self, instances: Sequence[Mapping[str, Any]], size: Size) -> list[JSON]:
        """The answer's "instances" as the viewer wants them; size: (width, height)."""
        colors = label_colors(instance["label"] for instance in instances)
        return [
            {
                "label": instance["label"],
                "box": instance["box"],
                "score": instance["score"],
                "color": "#{:02x}{:02x}{:02x}".format(*colors[instance["label"]]),
                "path": self._path(instance["polygons"], size),
            }
            for instance in instances
        ]

    def _path(self, polygons: Polygons | None, size: Size) -> str | None:
        if polygons is None:
            return None
        known = self._known.get(id(polygons))
        if known is None:  # the polygons are kept too, so that their id stays their own
            known = self._known[id(polygons)] = (polygons, path_data(thin(polygons, size)))
        return known[1]


def path_data(polygons: Polygons) -> str:
    """Polygons as the data of an SVG path, which a canvas draws as it is.

    One text: Gradio and the page look into every number of a list, at every update.

        [[[1.0, 2.5], [3.0, 2.5]]]  ->  "M1 2.5 3 2.5Z"
    """
    rings = (" ".join(f"{round(x, 1):.7g} {round(y, 1):.7g}" for x, y in ring) for ring in polygons)
    return "".join(f"M{ring}Z" for ring in rings)


def thin(polygons: Polygons, size: Size) -> list[Any]:
    """Polygons with fewer points, off by at most half a pixel of what is shown.

    They come through the centres of pixels and leave in picture coordinates, half a pixel on.
    """
    tolerance = 0.5 * max(1.0, max(size) / SHARP)
    thinned = []
    for polygon in polygons:
        kept = thin_ring(np.asarray(polygon, dtype=np.float64).reshape(-1, 2), tolerance)
        allowed = tolerance
        while len(kept) > MAX_POINTS:
            allowed *= 2
            kept = thin_ring(kept, allowed)
        if len(kept) > 2:
            thinned.append(np.round(kept + 0.5, 1).tolist())
    return thinned


def thin_ring(points: np.ndarray, tolerance: float) -> np.ndarray:
    """(N, 2) -> (M, 2): a closed line without the points that lie within `tolerance` of it.

    Douglas and Peucker, 1973, on the two halves between the first point and the farthest from it.
    All spans are split at once, so that a mask of a thousand points takes a dozen rounds.
    """
    if len(points) < 4:
        return points
    far = int(np.argmax(np.hypot(*(points - points[0]).T)))
    ring = np.vstack([points, points[:1]])
    kept = np.unique([0, far, len(points)])  # of the ring; the last is the first again
    while len(split := worst_of_spans(ring, kept, tolerance)):
        kept = np.sort(np.concatenate([kept, split]))
    return points[kept[:-1]]


def worst_of_spans(ring: np.ndarray, kept: np.ndarray, tolerance: float) -> np.ndarray:
    """The farthest point of each span between two kept ones, where it is too far off to leave."""
    starts, stops = kept[:-1], kept[1:]
    span = np.repeat(np.arange(len(starts)), stops - starts)  # of every point
    distances = distance_to_line(ring[:-1], ring[starts][span], ring[stops][span])
    worst = np.maximum.reduceat(distances, starts)
    too_far = np.flatnonzero((distances == worst[span]) & (worst[span] > tolerance))
    _, first = np.unique(span[too_far], return_index=True)
    return too_far[first]


def distance_to_line(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(N, 2) points -> (N,) distances from a segment; its ends are (2,), or (N, 2) for each point.

    A segment of no length is its point.
    """
    along, offset = end - start, points - start
    length = (along * along).sum(-1)
    share = np.clip((offset * along).sum(-1) / np.where(length == 0, 1.0, length), 0.0, 1.0)
    return np.hypot(*(offset - share[..., None] * along).T)
