"""Source: a video file's pictures, upright and one after the other. Knows nothing of models.

Decoded as they are asked for: one picture is in memory, however long the video is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.sidedata.sidedata import SideData, Type
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from gemma_vision.video.contents import read_contents
from gemma_vision.video.frame_colors import to_rgb
from gemma_vision.video.joined_parts import SLACK, GoingOn
from postprocess.errors import UserError

MAX_SIDE = 8192  # pixels of a frame; a larger one is refused before it is decoded
MAX_PIXELS = 36_000_000  # 8K of film is 8192 x 4320; a decoder keeps up to seventeen of them
MAX_DAMAGED = 1000  # frames in a row that cannot be decoded
SHOWN_SIDE = 1920  # pixels of the longer side that frames are shrunk to; models see less than half
USUAL_RATE = Fraction(30)  # frames a second, where a file says nothing that can be
MAX_RATE = 240

# Containers of cameras, phones, browsers and editors. Others are lists of addresses and files,
# which would be opened too.
SAFELY = {
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,ogg",
    "protocol_whitelist": "file",
}
WANTED = "Give an MP4, MOV, WEBM, MKV or AVI video."

# What a display matrix does to a point (x, y): x' = ax + cy, y' = bx + dy; y points down.
TURNS = {
    (0, -1, 1, 0): Image.Transpose.ROTATE_90,
    (-1, 0, 0, -1): Image.Transpose.ROTATE_180,
    (0, 1, -1, 0): Image.Transpose.ROTATE_270,
    (-1, 0, 0, 1): Image.Transpose.FLIP_LEFT_RIGHT,
    (1, 0, 0, -1): Image.Transpose.FLIP_TOP_BOTTOM,
    (0, 1, 1, 0): Image.Transpose.TRANSPOSE,
    (0, -1, -1, 0): Image.Transpose.TRANSVERSE,
}


class VideoError(UserError):
    """A video cannot be used; `code` is stable, the message is one sentence for a person."""

    CODE = "E_VIDEO_UNREADABLE"


@dataclass(frozen=True)
class Frame:
    """A picture of a video: the how-manieth it is, from 0, and when it is shown.

    `ticks` counts in the source's `time_base` from the first frame on, `time` in seconds.
    """

    number: int
    ticks: int
    time: float
    image: Image.Image = field(repr=False)


class Source:
    """An open video. `size` is that of its upright pictures, `start` when the first one is shown.

    Frames that cannot be decoded are left out, as players do. Raises VideoError for a file that is
    no video or holds no picture: E_VIDEO_MISSING, E_VIDEO_UNREADABLE, E_VIDEO_NO_PICTURE,
    E_VIDEO_TOO_LARGE, E_VIDEO_JOINED.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._check_contents()
        self._container = open_container(path)
        try:
            self._stream = self._find_stream()
            decoded = self._decode()
            first = next(decoded, None)
            if first is None:
                raise VideoError(f"{path.name} has no frame that can be decoded. {WANTED}")
        except BaseException:
            self._container.close()
            raise
        self._decoded = chain([first], decoded)
        self.time_base = self._stream.time_base or Fraction(1, 90_000)
        self.start = (first.pts or 0) * self.time_base
        self._turn = turn_of(first)
        self._shape = self._fit(first)
        self.size = self._upright(first).size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._container.close()

    @property
    def rate(self) -> Fraction:
        """Frames a second, on average; the usual ones where the file does not say."""
        rate = self._stream.average_rate or self._stream.guessed_rate
        return rate if rate and 0 < rate <= MAX_RATE else USUAL_RATE

    def count(self, most: int) -> int:
        """How many frames there are, up to `most`; where the file does not say, they are counted
        without being decoded.
        """
        said = self._stream.frames
        if said > 0:
            return min(said, most)
        with open_container(self.path) as container:
            packets = container.demux(container.streams[self._stream.index])
            return sum(1 for packet in islice(packets, most) if packet.size)

    def frames(self) -> Iterator[Frame]:
        """The frames in the order in which they are shown. Can be gone through once."""
        last = -1
        going_on = GoingOn(SLACK / self.time_base, 1 / self.rate / self.time_base)
        for number, frame in enumerate(self._decoded):
            last = max(last + 1, round(going_on(self._ticks(frame, number))))  # no two at one time
            yield Frame(number, last, float(last * self.time_base), self._upright(frame))

    def _find_stream(self) -> VideoStream:
        streams = self._container.streams.video
        moving = [one for one in streams if not one.disposition & one.disposition.attached_pic]
        if not moving:
            message = f"{self.path.name} has sound and no picture. {WANTED}"
            raise VideoError(message, "E_VIDEO_NO_PICTURE")
        stream = next((one for one in moving if one.codec_context is not None), None)
        if stream is None:
            message = f"{self.path.name} is in a format that is not known here. {WANTED}"
            raise VideoError(message)
        self._check_size(stream.codec_context.width, stream.codec_context.height)
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        stream.thread_type = "AUTO"
        return stream

    def _check_contents(self) -> None:
        """Refuse an MP4 or MOV that a second one was appended to, for it would end with the first,
        and one whose tables claim more than is ever recorded.
        """
        try:
            contents = read_contents(self.path)
        except (OSError, ValueError):
            return  # opening it says why
        if contents.is_too_much:
            message = f"{self.path.name} claims to hold more frames than any video. {WANTED}"
            raise VideoError(message, "E_VIDEO_TOO_LARGE")
        if contents.num_parts > 1:
            raise VideoError(
                f"{self.path.name} is several recordings, one behind the other, of which players "
                "show the first. Join them with a video editor, or give one at a time.",
                "E_VIDEO_JOINED",
            )

    def _check_size(self, width: int, height: int) -> None:
        if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
            raise VideoError(
                f"{self.path.name} is {width} x {height}; the limit is {MAX_SIDE} a side and "
                f"{MAX_PIXELS // 1_000_000} million pixels. Save it smaller and try again.",
                "E_VIDEO_TOO_LARGE",
            )

    def _decode(self) -> Iterator[VideoFrame]:
        packets, damaged = self._container.demux(self._stream), 0
        while damaged <= MAX_DAMAGED:
            try:
                frames = next(packets).decode()
            except StopIteration:
                return
            except FFmpegError:
                frames = []
            damaged = 0 if frames else damaged + 1
            yield from frames
        message = f"{self.path.name} is damaged: more than {MAX_DAMAGED} frames in a row cannot be"
        raise VideoError(f"{message} decoded. {WANTED}")

    def _ticks(self, frame: VideoFrame, number: int) -> int:
        """When a frame is shown, counted from the first."""
        if frame.pts is None:
            return round(number / self.rate / self.time_base)
        return round(frame.pts - self.start / self.time_base)

    def _fit(self, frame: VideoFrame) -> tuple[int, int]:
        """(width, height) as decoded, with square pixels, not larger than shown."""
        ratio = self._stream.sample_aspect_ratio or Fraction(1)
        width, height = frame.width * (ratio if ratio > 0 else 1), Fraction(frame.height)
        scale = min(Fraction(1), SHOWN_SIDE / max(width, height))
        return max(1, round(width * scale)), max(1, round(height * scale))

    def _upright(self, frame: VideoFrame) -> Image.Image:
        """As RGB, turned as the camera was held. All frames of a video come out in one size."""
        size = self._fit(frame)
        if size == self._shape:
            image = Image.fromarray(to_rgb(frame, size))
        else:
            image = framed(frame, size, self._shape)
        return image if self._turn is None else image.transpose(self._turn)


def framed(frame: VideoFrame, size: tuple[int, int], shape: tuple[int, int]) -> Image.Image:
    """A frame of another size than the first, as large as fits, on black. Sizes: (width, height)"""
    scale = min(side / own for side, own in zip(shape, size, strict=True))
    width, height = (max(1, round(own * scale)) for own in size)
    image = Image.new("RGB", shape)
    at = (shape[0] - width) // 2, (shape[1] - height) // 2
    image.paste(Image.fromarray(to_rgb(frame, (width, height))), at)
    return image


def open_container(path: Path) -> InputContainer:
    """The file, opened for reading and for nothing else."""
    try:
        return av.open(f"file:{path}", "r", container_options=SAFELY)
    except FileNotFoundError as error:
        message = f"There is no file {path}. Check its name."
        raise VideoError(message, "E_VIDEO_MISSING") from error
    except (FFmpegError, OSError, ValueError) as error:
        raise VideoError(f"{path.name} is no video that can be read. {WANTED}") from error


def turn_of(frame: VideoFrame) -> Image.Transpose | None:
    """How the decoded picture has to be turned; None where it is upright."""
    sides = cast("Iterable[SideData]", frame.side_data)  # a mapping by its stub alone
    matrix = next((one for one in sides if one.type is Type.DISPLAYMATRIX), None)
    if matrix is None:
        return None
    a, b, _, c, d, *_ = np.sign(np.frombuffer(bytes(matrix), np.int32)).tolist()
    return TURNS.get((a, b, c, d))
