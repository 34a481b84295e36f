"""Picture worker: strangers' pictures are decoded in a process that can be ended.

A decoder cannot be interrupted, and what it takes of memory is known afterwards. So each picture of
a visitor is decoded outside of the app, by one process for small pictures and one for large ones,
within bounds of time and memory, and let go of as soon as nobody wants it any more. The pixels are
the same as those of `open_image`.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from PIL import Image

from gemma_vision.images.limits import ImageError
from gemma_vision.images.opening import read_file
from gemma_vision.web.server.decoder_process import LOOK, WALL_SECONDS, Decoding, Worker

MAX_TOGETHER = 240_000_000  # pixels of all pictures of a call: three of the largest

# What ends the decoding for whoever waits for it; a run sets its own.
stopping: ContextVar[threading.Event | None] = ContextVar("stopping", default=None)


def open_picture(source: Path | bytes, name: str = "The picture") -> Image.Image:
    """A visitor's picture as `open_image` opens it; raises ImageError as that does.

    source: the file, or its bytes; name: what the bytes are called. Ends early, by
    DecodingStopped, when `stopping` is set.
    """
    if isinstance(source, Path):
        source, name = read_file(source)
    image = LANES[True].decode(source, name) or LANES[False].decode(source, name)
    assert image is not None, "no picture is too large for the second"
    return image


def open_pictures(sources: Iterable[Path | bytes], num_pixels: int = 0) -> Iterator[Image.Image]:
    """The pictures of one call as they are asked for; ImageError where they are too much together.

    num_pixels: those of the pictures that are there already.
    """
    for source in sources:
        image = open_picture(source)
        num_pixels += image.width * image.height
        if num_pixels > MAX_TOGETHER:
            limit = MAX_TOGETHER // 1_000_000
            message = f"The pictures have more than {limit} million pixels together; send fewer,"
            raise ImageError(f"{message} or smaller ones.", "E_IMAGE_TOO_LARGE")
        yield image


class Lane:
    """One process that decodes, and those who wait for it, in the order in which they came."""

    def __init__(self, *, is_small: bool) -> None:
        self._is_small = is_small
        self._turn = threading.Lock()
        self._worker: Worker | None = None

    def decode(self, data: bytes, name: str) -> Image.Image | None:
        """The picture; None where it is too large for this lane."""
        job = Decoding(data, name, self._is_small, stopping.get())
        with self._my_turn(job):
            worker, self._worker = self._worker or Worker(), None
            try:
                image = worker.decode(job)
            except ImageError as error:
                if worker.is_alive:
                    self._worker = worker
                else:
                    worker.end()
                raise error
            except BaseException:
                worker.end()
                raise
            if not self._is_small:
                worker.end()  # what it took of memory goes back at once
                worker = Worker()
            self._worker = worker
            return image

    def warm_up(self) -> None:
        """Have the process there before the first picture comes."""
        with self._turn:
            self._worker = self._worker or Worker()

    def end(self) -> None:
        """End the process that waits for work."""
        if self._worker is not None:
            self._worker.end()

    @contextmanager
    def _my_turn(self, job: Decoding) -> Iterator[None]:
        latest = time.monotonic() + WALL_SECONDS
        while not self._turn.acquire(timeout=LOOK):
            job.check_wanted()
            if time.monotonic() > latest:
                message = "Too many pictures are being opened; try again in a moment."
                raise ImageError(message, "E_BUSY")
        try:
            yield
        finally:
            self._turn.release()


LANES = {is_small: Lane(is_small=is_small) for is_small in (True, False)}


def warm_up() -> None:
    """Start what decodes, so that the first picture does not wait for it."""
    for lane in LANES.values():
        lane.warm_up()


@atexit.register
def end_workers() -> None:
    """Leave no process behind."""
    for lane in LANES.values():
        lane.end()
