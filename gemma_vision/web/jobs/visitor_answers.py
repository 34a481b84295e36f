"""Visitor answers: the newest of each visitor, for files and code that are made of it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from postprocess.instances import Instance
from postprocess.mask_formats import mask_of

JSON = dict[str, Any]

MAX_ANSWERS = 64  # visitors whose answer is at hand; masks lie in it as run-lengths
UNNAMED = "picture"


@dataclass(frozen=True)
class VisitorAnswer:
    """An answer as JSON, the file it is about, and what was asked.

    picture: the person's own file, None where an answer came without one; name: what they call it.
    model, task, text, options: the request, as far as its options are not as always; no task where
    nothing was asked.
    """

    answer: JSON = field(repr=False)
    picture: Path | None = field(default=None, repr=False)
    name: str = field(default=UNNAMED, repr=False)
    model: str = ""
    task: str = ""
    text: str = field(default="", repr=False)
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the picture."""
        return self.answer["image"]["width"], self.answer["image"]["height"]

    @property
    def has_things(self) -> bool:
        """Whether anything was found."""
        return bool(self.answer["instances"])

    @property
    def has_masks(self) -> bool:
        """Whether anything that was found has a mask."""
        return any(one["mask"] for one in self.answer["instances"])

    @property
    def has_points(self) -> bool:
        """Whether anything that was found is a point."""
        return any(one["point"] for one in self.answer["instances"])

    def instances(self) -> list[Instance]:
        """The things, with their masks in full size."""
        return [read_instance(one) for one in self.answer["instances"]]


class VisitorAnswers:
    """The newest result of each visitor; those of visitors who came long ago are dropped."""

    def __init__(self) -> None:
        self._results: OrderedDict[str, VisitorAnswer] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, visitor: str, result: VisitorAnswer | None) -> None:
        """A visitor's newest result; None where there is none any more."""
        with self._lock:
            self._results.pop(visitor, None)
            if result is not None:
                self._results[visitor] = result
            while len(self._results) > MAX_ANSWERS:
                self._results.popitem(last=False)

    def get(self, visitor: str) -> VisitorAnswer | None:
        """A visitor's newest result."""
        with self._lock:
            return self._results.get(visitor)


def read_instance(one: Mapping[str, Any]) -> Instance:
    """An entry of an answer's "instances" as the thing that it was made of."""
    x0, y0, x1, y1 = one["box"]
    left, top, right, bottom = one["pixels"]
    return Instance(
        one["label"],
        (x0, y0, x1, y1),
        (left, top, right, bottom),
        mask_of(one["mask"]) if one["mask"] else None,
        score=one["score"],
        point=(one["point"][0], one["point"][1]) if one["point"] else None,
    )


def picture_name(upload: Any, path: Path) -> str:
    """What a person calls an uploaded picture. upload: as the client sent it, path: where it is."""
    given = upload.get("orig_name") if isinstance(upload, Mapping) else None
    return PurePosixPath(str(given or path.name)).name or UNNAMED
