"""Annotating: every n-th frame of a video looked at, all of them drawn on, things followed."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PIL.Image import Image

from gemma_vision.answers.answer import Answer
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.request import Request
from gemma_vision.requests.tasks import as_task
from gemma_vision.requests.validation import check_range
from gemma_vision.video.sound import Sound
from gemma_vision.video.source import Frame, Source, VideoError
from gemma_vision.video.timeline import Timeline
from gemma_vision.video.writer import Writer
from postprocess.overlay import draw
from postprocess.subtitles import write_subtitle
from postprocess.tracking import PATIENCE, Tracker
from postprocess.user_paths import expanded

EVERY = 10
MAX_EVERY = 100_000
MAX_FRAMES = 1_000_000  # looked at
NO_SOUND = "The sound is of a kind that browsers do not play in an MP4, and was left out."


@dataclass(frozen=True)
class VideoProgress:
    """How far it is: `done` of `total` frames were looked at, after `spent` seconds.

    `timeline` grows; `picture` is the newest frame that was looked at, with what was found, `frame`
    the same or the next one as it is, and `answer` the one about it, while it grows.
    """

    done: int
    total: int
    spent: float
    timeline: Timeline
    picture: Image | None = None
    frame: Frame | None = None
    answer: Answer | None = None

    @property
    def left(self) -> float | None:
        """About how many seconds the rest will take; None while nothing can be said."""
        return self.spent / self.done * (self.total - self.done) if self.done else None


def annotate(
    pipeline: Pipeline,
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    task: str,
    text: str = "",
    *,
    every: int = EVERY,
    limit: int | None = None,
    patience: int = PATIENCE,
    **options: Any,
) -> Generator[VideoProgress, None, None]:
    """Look at every n-th frame of a video and write an MP4 with what was found on all of them.

    What is found stays until the next frame that is looked at; after `limit` of them the work ends.
    A thing keeps its id until it is missing from more than `patience` of them. Options are those of
    `Request`. Yields after every token. Closing the iterator ends the work within one and leaves a
    whole file of what is done. Raises VideoError and what `Request` raises, before any work.
    """
    check_range("every", every, 1, MAX_EVERY, whole=True)
    check_range("frames", MAX_FRAMES if limit is None else limit, 1, MAX_FRAMES, whole=True)
    path, to = check_paths(expanded(source), expanded(target))
    with Source(path) as film, Sound(path, film.start) as sound:
        with Writer(to, film.size, film.rate, film.time_base, sound) as writer:
            ask = partial(Request, task=as_task(task), text=text, **options)
            work = AnnotationJob(pipeline, ask, Tracker(patience=patience), film, every, limit)
            if sound.is_left_out:
                work.warn("no_sound", NO_SOUND)
            yield from work.carry_out(writer)


def check_paths(source: Path, target: Path) -> tuple[Path, Path]:
    """Both, if they are not the same file."""
    if source.resolve() == target.resolve():
        message = f"{target.name} is the video itself; name another file to write."
        raise VideoError(message, "E_VIDEO_TARGET")
    return source, target


class AnnotationJob:
    """A film on its way through the model; between two looks the newest answer is drawn."""

    def __init__(
        self,
        pipeline: Pipeline,
        ask: Callable[[Image], Request],
        tracker: Tracker,
        film: Source,
        every: int,
        limit: int | None,
    ) -> None:
        self._pipeline = pipeline
        self._ask = ask
        self._tracker = tracker
        self._film = film
        self._limit = limit
        self._timeline = Timeline(film.size, every)
        self._total = math.ceil(film.count(every * (limit or MAX_FRAMES)) / every)
        self._began = time.monotonic()
        self._answer: Answer | None = None
        self._ids: Sequence[int] = ()
        self._picture: Image | None = None
        self._frame: Frame | None = None
        self._growing: Answer | None = None

    def warn(self, code: str, message: str) -> None:
        """Say something about the video in its timeline."""
        self._timeline.warnings.append({"code": code, "message": message})

    def carry_out(self, writer: Writer) -> Iterator[VideoProgress]:
        """Frame by frame: look, where it is time to, and write."""
        timeline = self._timeline
        for frame in self._film.frames():
            if frame.number % timeline.every == 0:
                if len(timeline.samples) == self._limit:
                    timeline.finish = "limit"
                    return
                yield from self.look(frame)
            writer.write(self.drawn(frame.image), frame.ticks)
            timeline.num_frames += 1
            timeline.seconds = frame.time + float(1 / self._film.rate)
            yield self.progress()
        timeline.finish = "stop"

    def look(self, frame: Frame) -> Iterator[VideoProgress]:
        """Ask about a frame; it counts once the answer is whole."""
        newest: Answer | None = None
        self._frame, self._growing = frame, None
        for answer in self._pipeline.stream(self._ask(frame.image)):
            self._growing = newest = answer
            yield self.progress()
        assert newest is not None, "a stream gives at least its whole answer"
        self._ids = self._tracker.follow(newest.instances)
        self._answer = newest
        self._timeline.add(frame.number, frame.time, newest, self._ids)
        self._picture = self.drawn(frame.image)

    def drawn(self, image: Image) -> Image:
        """A frame with what was found last."""
        if self._answer is None:
            return image
        found, colors = self._answer.instances, self._timeline.colors
        drawn = draw(image, found, colors=colors, numbers=self._ids)
        words = self._answer.plain.strip()
        return write_subtitle(drawn, words) if words else drawn

    def progress(self) -> VideoProgress:
        """How far it is."""
        done = len(self._timeline.samples)
        spent = time.monotonic() - self._began
        looked = (self._picture, self._frame, self._growing)
        return VideoProgress(done, max(self._total, done), spent, self._timeline, *looked)
