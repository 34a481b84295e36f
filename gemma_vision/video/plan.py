"""Plan: which frames of a video are looked at, before any of them is."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gemma_vision.video.source import Source

MOST = 10_000_000  # frames that are counted


@dataclass(frozen=True)
class Plan:
    """One of `every` frames is looked at, `looks` of them, of a video of `frames`.

    rate: frames a second, on average.
    """

    frames: int
    rate: float
    every: int
    looks: int

    @property
    def seconds(self) -> float:
        """How long the video is."""
        return self.frames / self.rate

    @property
    def gap(self) -> float:
        """Seconds between two frames that are looked at."""
        return self.every / self.rate

    @property
    def end(self) -> float:
        """Seconds of the video from its beginning that are gone through."""
        return min(self.frames, self.looks * self.every) / self.rate

    @property
    def is_cut(self) -> bool:
        """Whether the end of the video is not gone through."""
        return self.looks * self.every < self.frames


def plan_looks(film: Source, every: int, limit: int, *, may_cut: bool = False) -> Plan:
    """How to look at a video with no more than `limit` looks.

    It is looked at less often than asked for where that is what it takes to come to its end, unless
    it may be cut.
    """
    frames = max(1, film.count(MOST))
    if not may_cut:
        every = max(every, math.ceil(frames / limit))
    looks = min(limit, math.ceil(frames / every))
    return Plan(frames, float(film.rate), every, looks)
