"""Writer: pictures into an MP4 that every browser plays. Knows nothing of models."""

from __future__ import annotations

import errno
import os
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.container import OutputContainer
from av.video.frame import VideoFrame
from PIL import Image

from gemma_vision.video.sound import Sound
from gemma_vision.video.source import VideoError

# Quick, and sharp enough that thin lines stay lines. CRF: 18 looks like the source, 28 shows.
OPTIONS = {"preset": "veryfast", "crf": "22"}
# The list of contents comes first, so that a browser starts before all is there.
CONTAINER = {"movflags": "+faststart"}
BT709 = 1  # primaries, curve and matrix of HD television: what players take for granted
LIMITED = 1  # levels 16..235


class Writer:
    """An MP4 (H.264, yuv420p) that grows by one picture after the other.

    size: of the pictures; an odd side is filled up by one row or column. time_base: what ticks
    count in. sound: copied alongside, as far as the pictures go. Closing it makes the file whole;
    without a picture there is none. It lies beside its name, hidden, until it is closed: who is
    killed leaves nothing half under it. Raises VideoError (E_VIDEO_TARGET) for a path that cannot
    be written.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        rate: Fraction,
        time_base: Fraction,
        sound: Sound | None = None,
    ) -> None:
        self.path = path
        self._draft = path.with_name(f".{os.getpid()}.{path.name}")  # the suffix names the format
        self.num_frames = 0
        self._size = size
        self._rate = rate
        self._time_base = time_base
        self._sound = sound
        self._container: OutputContainer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, image: Image.Image, ticks: int) -> None:
        """Show the picture from this time on. The first one opens the file."""
        if self._container is None:
            self._container = self._open()
        frame = VideoFrame.from_ndarray(evened(image), "rgb24").reformat(
            format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG"
        )
        frame.pts, frame.time_base = ticks, self._time_base
        self._container.mux(self._stream.encode(frame))
        self.num_frames += 1
        if self._sound is not None:
            self._container.mux(list(self._sound.until(ticks * self._time_base)))

    def close(self) -> None:
        """Write what is held back, and the list of contents."""
        if self._container is not None:
            try:
                self._container.mux(self._stream.encode(None))
                self._container.close()
                self._draft.replace(self.path)
            finally:
                self._draft.unlink(missing_ok=True)  # there only where something went wrong

    def _open(self) -> OutputContainer:
        container = av.open(str(self._draft), "w", "mp4", options=CONTAINER)
        self._stream = container.add_stream("libx264", self._rate, OPTIONS)
        self._stream.width, self._stream.height = (side + side % 2 for side in self._size)
        self._stream.pix_fmt = "yuv420p"
        context = self._stream.codec_context
        context.time_base = self._time_base
        context.color_primaries = context.color_trc = context.colorspace = BT709
        context.color_range = LIMITED
        if self._sound is not None and self._sound.stream is not None:
            self._sound.into = container.add_stream_from_template(self._sound.stream)
        try:
            if self.path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            container.start_encoding()  # makes the file
        except OSError as error:
            message = f"{self.path} cannot be written ({error.strerror}). Name another file."
            raise VideoError(message, "E_VIDEO_TARGET") from error
        return container


def evened(image: Image.Image) -> np.ndarray:
    """(H, W, 3) with even sides: yuv420p has one colour for two by two pixels."""
    width, height = image.size
    return np.pad(np.asarray(image), ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
