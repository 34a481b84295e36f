"""Result gallery: what came of many pictures, of which a visitor looks at one at a time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

from gemma_vision.web.jobs.viewer_value import JSON
from gemma_vision.web.jobs.visitor_answers import VisitorAnswer

MAX_GALLERIES = 16  # visitors whose results are at hand


@dataclass(frozen=True)
class GalleryPage:
    """One result: a file and words for the gallery, the viewer's value, what is taken home.

    time: of a frame, in seconds from the video's beginning.
    """

    preview: Path
    caption: str
    view: JSON = field(repr=False)
    result: VisitorAnswer | None = field(repr=False)
    time: float = 0.0


@dataclass
class ResultGallery:
    """One visitor's results. `opened`: which of them they chose to look at; None until then."""

    pages: list[GalleryPage] = field(default_factory=list)
    opened: int | None = None

    def entries(self) -> list[tuple[str, str]]:
        """What the gallery shows: a file and words for each."""
        return [(str(page.preview), page.caption) for page in self.pages]

    @property
    def has_words(self) -> bool:
        """Whether a model wrote a word on any of them, be it that there is nothing."""
        return any(page.view["words"] for page in self.pages)

    def place_at(self, seconds: float) -> int:
        """The place of the frame that is seen at that time; -1 where there is none."""
        return sum(page.time <= seconds for page in self.pages) - 1

    def open(self, place: object) -> GalleryPage | None:
        """The page at that place, looked at from now on; None where there is none."""
        if not isinstance(place, int) or not 0 <= place < len(self.pages):
            return None
        self.opened = place
        return self.pages[place]


class VisitorGalleries:
    """The newest gallery of each visitor; those of visitors who came long ago are dropped."""

    def __init__(self) -> None:
        self._galleries: OrderedDict[str, ResultGallery] = OrderedDict()
        self._lock = threading.Lock()

    def start(self, visitor: str) -> ResultGallery:
        """An empty one in the place of the visitor's last."""
        with self._lock:
            self._galleries.pop(visitor, None)
            self._galleries[visitor] = gallery = ResultGallery()
            while len(self._galleries) > MAX_GALLERIES:
                self._galleries.popitem(last=False)
        return gallery

    def get(self, visitor: str) -> ResultGallery:
        """The visitor's newest one, an empty one where there is none."""
        with self._lock:
            return self._galleries.get(visitor) or ResultGallery()

    def forget(self, visitor: str) -> None:
        """Let a visitor go."""
        with self._lock:
            self._galleries.pop(visitor, None)
