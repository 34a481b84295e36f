"""Annotation plan: what each picture is asked, and of whom. Shards of equal plans may be joined."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import gemma_vision
from gemma_vision.images.opening import Picture
from gemma_vision.requests.request import Request

FORMAT = 2  # goes up when rows are written or made otherwise
KEY_LENGTH = 16  # hexadecimal digits
JSON = dict[str, Any]


@dataclass(frozen=True)
class AnnotationPlan:
    """What is asked of every picture. `options` are those of the task, by name.

    model: what everybody is told of the checkpoint. fingerprint: what tells its weights from those
    of another under the same name. dtype: the numbers it computes in, where somebody says.
    """

    task: str
    text: str
    options: Mapping[str, Any]
    model: str
    fingerprint: str
    dtype: str | None = None

    def request(self, image: Picture) -> Request:
        """The request for one picture; TaskError for a plan that cannot be carried out."""
        return Request(image, self.task, self.text, **self.options)

    @property
    def key(self) -> str:
        """The name of its shards: another for whatever changes an answer."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]

    def to_dict(self) -> JSON:
        """The plan as JSON, with the version of the program that carries it out."""
        return {**asdict(self), "version": gemma_vision.__version__, "format": FORMAT}
