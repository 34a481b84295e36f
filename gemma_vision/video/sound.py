"""Sound: a video's sound, packet by packet and as it is, where an MP4 for browsers may hold it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

from av.audio.stream import AudioStream
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream

from gemma_vision.video.joined_parts import SLACK, GoingOn
from gemma_vision.video.source import open_container

PLAYABLE = ("aac", "mp3", "opus")  # what browsers play inside an MP4; other sound is left out


class Sound:
    """The sound of a file, counted from `start`, in seconds. `stream` is None where there is none.

    `into` is the stream of another container that the packets are made for.
    """

    def __init__(self, path: Path, start: Fraction) -> None:
        self._container = open_container(path)
        self.stream = self._find()
        self.into: Stream | None = None
        self._start = start
        self._packets = self._read()
        self._next = next(self._packets, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._container.close()

    def until(self, seconds: Fraction) -> Iterator[Packet[AudioStream]]:
        """The packets up to this time that were not given yet."""
        while self._next is not None and self._next[0] <= seconds:
            yield self._move(*self._next)
            self._next = next(self._packets, None)

    @property
    def is_left_out(self) -> bool:
        """Whether there is sound and none of it can be copied."""
        return self.stream is None and bool(self._container.streams.audio)

    def _find(self) -> AudioStream | None:
        """The first track that can be copied; a kind that nobody here knows has no name."""
        known = (one for one in self._container.streams.audio if one.codec_context is not None)
        return next((one for one in known if one.codec_context.name in PLAYABLE), None)

    def _read(self) -> Iterator[tuple[Fraction, Packet[AudioStream]]]:
        """The packets from the start on, with their times; what cannot be read ends them."""
        if self.stream is None:
            return
        going_on: GoingOn | None = None
        try:
            for packet in self._container.demux(self.stream):
                if packet.pts is None or packet.time_base is None or not packet.size:
                    continue
                time = packet.pts * packet.time_base - self._start
                if going_on is None:
                    going_on = GoingOn(SLACK, (packet.duration or 0) * packet.time_base)
                if time >= 0:
                    yield going_on(time), packet
        except FFmpegError:
            return

    def _move(self, time: Fraction, packet: Packet[AudioStream]) -> Packet[AudioStream]:
        """The packet at that time, counted from the start."""
        assert packet.time_base is not None and self.into is not None
        packet.pts = round(time / packet.time_base)
        packet.dts = packet.pts  # sound is not reordered
        packet.stream = self.into  # type: ignore[assignment]
        return packet
