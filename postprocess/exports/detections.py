"""Detections of the supervision package, where that is installed: its annotators and trackers."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from postprocess.datasets.files import ExportError
from postprocess.instances import Instance


def to_supervision(instances: Sequence[Instance]) -> Any:
    """Instances -> `supervision.Detections`; class numbers count labels in order of appearance.

    Masks go along when every instance has one. Raises ExportError where the package is missing.
    """
    try:
        supervision = import_module("supervision")
    except ImportError:
        raise ExportError(
            "This needs the package supervision, which is not installed. Install it with "
            "`pip install supervision`."
        ) from None
    if not instances:
        return supervision.Detections.empty()
    numbers: dict[str, int] = {}
    classes = [numbers.setdefault(one.name, len(numbers)) for one in instances]
    masks = [one.mask for one in instances if one.mask is not None]
    scores = [one.score for one in instances if one.score is not None]
    return supervision.Detections(
        xyxy=np.array([one.box for one in instances], np.float32),
        mask=np.stack(masks) if len(masks) == len(instances) else None,
        confidence=np.array(scores, np.float32) if len(scores) == len(instances) else None,
        class_id=np.array(classes),
        data={"class_name": np.array([one.name for one in instances])},
    )
