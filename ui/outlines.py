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
        self._known: dict[int, tuple[Polygons, list[Any]]] = {}

    def show(self, instances: Sequence[Mapping[str, Any]], size: Size) -> list[JSON]:
        """The answer's "instances" as the viewer wants them; size: (width, height)."""
        colors = label_colors(instance["label"] for instance in instances)
        return [
            {
                "label": instance["label"],
                "box": instance["box"],
                "score": instance["score"],
                "color": "#{:02x}{:02x}{:02x}".format(*colors[instance["label"]]),
                "polygons": self._thin(instance["polygons"], size),
            }
            for instance in instances
        ]

    def _thin(self, polygons: Polygons | None, size: Size) -> list[Any] | None:
        if polygons is None:
            return None
        known = self._known.get(id(polygons))
        if known is None:  # the polygons are kept too, so that their id stays their own
            known = self._known[id(polygons)] = (polygons, thin(polygons, size))
        return known[1]


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
    """
    if len(points) < 4:
        return points
    far = int(np.argmax(np.hypot(*(points - points[0]).T)))
    ring = np.vstack([points, points[:1]])
    keep = np.zeros(len(ring), dtype=bool)
    keep[[0, far]] = True
    spans = [(0, far), (far, len(ring) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        distances = distance_to_line(ring[first + 1 : last], ring[first], ring[last])
        worst = int(np.argmax(distances))
        if distances[worst] > tolerance:
            middle = first + 1 + worst
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    return ring[:-1][keep[:-1]]


def distance_to_line(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(N, 2) points -> (N,) distances from the segment between two points."""
    along = end - start
    length = float(along @ along)
    if length == 0.0:
        return np.hypot(*(points - start).T)
    share = np.clip((points - start) @ along / length, 0.0, 1.0)
    return np.hypot(*(points - start - share[:, None] * along).T)
