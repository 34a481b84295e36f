"""Outlines: instances as the viewer draws them, thinned to what an eye can see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from postprocess.mask_formats import simplify
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
                "point": instance.get("point"),
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
    rings = (np.round(np.asarray(ring, np.float64).ravel(), 1).tolist() for ring in polygons)
    return "".join(f"M{' '.join(['%.7g'] * len(ring)) % tuple(ring)}Z" for ring in rings)


def thin(polygons: Polygons, size: Size) -> list[Any]:
    """Polygons with fewer points, off by about half a pixel of what is shown.

    They come through the centres of pixels and leave in picture coordinates, half a pixel on.
    """
    tolerance = 0.5 * max(1.0, max(size) / SHARP)
    thinned = []
    for polygon in polygons:
        points = simplify(polygon, tolerance)
        allowed = tolerance
        while len(points) > MAX_POINTS:
            allowed *= 2
            points = simplify(points, allowed)
        if len(points) > 2:
            thinned.append(np.round(points + 0.5, 1).tolist())
    return thinned
