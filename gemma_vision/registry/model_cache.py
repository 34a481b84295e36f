"""Model cache: which checkpoints are in memory. The one that answers, and at most one beside it.

Of the large ones (a billion parameters and more) only one is kept, unless the environment variable
GEMMA_VISION_LARGE_MODELS allows more.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from gemma_vision.errors import CheckpointError
from gemma_vision.pipeline import Pipeline
from gemma_vision.registry.loading import load, models
from gemma_vision.weights.memory import LARGE, give_back

MOST_LARGE = "GEMMA_VISION_LARGE_MODELS"


def most_large() -> int:
    """How many large checkpoints may be in memory at once."""
    given = os.environ.get(MOST_LARGE, "").strip() or "1"
    if not given.isdigit() or int(given) < 1:
        raise CheckpointError(f"{MOST_LARGE} is {given!r}; it has to be a number from 1.")
    return int(given)


class ModelCache:
    """The loaded checkpoint and at most one other, fetched when it is first asked for.

    `pipeline` stays the same object: a change of checkpoint changes what it sees with.
    """

    def __init__(self, pipeline: Pipeline, load: Callable[[str], Pipeline] = load) -> None:
        self.pipeline = pipeline
        self._load = load
        self._other: Pipeline | None = None
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """The checkpoints that can be asked: the loaded one first, then those on this machine.

        A second large one is left out where only one may be in memory.
        """
        is_full = size(self.pipeline) > LARGE and most_large() < 2
        here = [
            row["id"]
            for row in models()
            if row["here"] and not (is_full and (row.get("parameters") or 0) > LARGE)
        ]
        return list(dict.fromkeys([self.pipeline.name, *here]))

    def get(self, name: str) -> Pipeline:
        """The checkpoint of that name; a visitor may name none but those of the list."""
        if name == self.pipeline.name:
            return self.pipeline
        if name not in self.names():
            raise CheckpointError("There is no such checkpoint here; take one of the list.")
        with self._lock:
            if self._other is None or self._other.name != name:
                self._other = None  # two large models and a third do not fit
                self._other = self._load(name)
            return self._other

    def has_room_for(self, parameters: int) -> bool:
        """Whether a checkpoint of that size may come beside those in memory."""
        return parameters <= LARGE or self._count_large() < most_large()

    def evict_other(self) -> None:
        """Let go of the one beside, if it is large."""
        with self._lock:
            if self._other is not None and size(self._other) > LARGE:
                self._other = None
                give_back()

    def evict_duplicate(self) -> None:
        """Let go of the one beside, if it has come to answer itself."""
        with self._lock:
            if self._other is not None and self._other.name == self.pipeline.name:
                self._other = None

    def _count_large(self) -> int:
        held = [one for one in (self.pipeline, self._other) if one is not None]
        return sum(one.engine.ready() and size(one) > LARGE for one in held)


def size(pipeline: Pipeline) -> int:
    """The parameters of a checkpoint; 0 where nobody told."""
    return int(pipeline.card.get("parameters") or 0)
