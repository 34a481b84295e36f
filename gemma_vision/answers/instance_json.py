"""Instance JSON: the things of an answer as JSON, each worked out once."""

from __future__ import annotations

from typing import Any

from postprocess.instances import Instance

JSON = dict[str, Any]


class Shapes:
    """Instances as JSON, each worked out once however often a growing answer is shown."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Instance, JSON]] = {}

    def describe(self, instance: Instance) -> JSON:
        """One entry of "instances": label, box, point, pixels, score, mask, polygons.

        It is the caller's own, to change as they like.
        """
        known = self._known.get(id(instance))
        if known is None:  # the instance is kept too, so that its id stays its own
            known = self._known[id(instance)] = (instance, instance_json(instance))
        return own_copy(known[1])


def instance_json(instance: Instance) -> JSON:
    """An instance by the contract; point, mask and polygons are None where there is none."""
    from postprocess.mask_formats import polygons, run_lengths

    mask = instance.mask
    return {
        "label": instance.label,
        "box": [round(float(edge), 2) for edge in instance.box],
        "point": instance.point and [round(float(edge), 2) for edge in instance.point],
        "pixels": [int(edge) for edge in instance.pixels],
        "score": None if instance.score is None else round(instance.score, 4),
        "mask": None if mask is None else run_lengths(mask, instance.pixels),
        "polygons": None if mask is None else polygons(mask, instance.pixels),
    }


def own_copy(entry: JSON) -> JSON:
    """An entry that shares no list with the other; written out, for outlines are long."""
    rings, mask = entry["polygons"], entry["mask"]
    return entry | {
        "box": [*entry["box"]],
        "point": entry["point"] and [*entry["point"]],
        "pixels": [*entry["pixels"]],
        "mask": mask and {**mask, "size": [*mask["size"]]},
        "polygons": rings and [[[*point] for point in ring] for ring in rings],
    }
