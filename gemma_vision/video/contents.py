"""Contents: what the tables of an MP4 or MOV claim, told without opening it as a video.

A row of a table says that a million samples follow, of which no byte has to be there; whoever opens
the file makes an entry for each. A file is a row of boxes, some of which hold boxes: a size of 4
bytes, a name of 4; size 1 means that 8 bytes with the size follow, size 0 that the box goes on to
the end (ISO 14496-12, 4.2).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np

MAX_BOXES = 100_000  # looked at; an hour in fragments of a second has 7200
MAX_SAMPLES = 2_000_000  # frames and pieces of sound: seven hours of both
MAX_DEPTH = 10
HEADER, LONG_HEADER = 8, 16  # bytes
PACKED = b"cmov"  # a table of contents that unpacks to any size, as films of the nineties have it
# Boxes in which others are looked for; what is free may have been a table of contents before.
HOLDERS = frozenset(
    b"moov trak mdia minf stbl moof traf mvex edts dinf udta meta wave sinf rinf tref gmhd ipro "
    b"iprp free hoov skip".split()
)
NUMBERS = {
    b"stsz": (8, ">L"),
    b"stz2": (8, ">L"),
    b"stts": (4, ">LLL"),
    b"elst": (4, ">L"),
    b"hdlr": (8, ">L"),
}
SOUND, *OTHER_KINDS = (
    int.from_bytes(kind, "big") for kind in (b"soun", b"vide", b"m1a ", b"subp", b"clcp")
)
CHUNKS = {b"stco": 4, b"co64": 8}  # bytes of a place
UNPACKED = 1024  # moments of sound that is not packed in one entry, as FFmpeg makes them


@dataclass(frozen=True)
class Contents:
    """How many tables of contents (moov) there are, of which a whole recording has one, how many
    boxes, and how many entries their samples make. Counting ends where there are too many.
    """

    num_parts: int
    num_boxes: int
    num_samples: int

    @property
    def is_too_much(self) -> bool:
        """Whether no camera and no editor writes so much into one file."""
        return self.num_boxes > MAX_BOXES or self.num_samples > MAX_SAMPLES


@dataclass
class TrackTables:
    """What the tables of a track say: numbers by the name of the table."""

    kind: int = 0  # the four letters of its handler, as a number
    samples: int = 0
    edits: int = 0  # each goes through samples again
    is_by_moment: bool = False  # one sample for each moment of time
    chunks: int = 0
    most_in_chunk: int = 0

    def take(self, file: IO[bytes], name: bytes, start: int, size: int) -> None:
        """Note what one of its boxes says; what comes twice counts by the larger."""
        if name in NUMBERS:
            at, form = NUMBERS[name]
            data = bytes_at(file, start + at, min(struct.calcsize(form), size - at))
            if len(data) == struct.calcsize(form):
                self._note(name, struct.unpack(form, data))
        elif name in CHUNKS:
            self.chunks = max(self.chunks, (size - 8) // CHUNKS[name])
        elif name == b"stsc":
            rows = np.frombuffer(bytes_at(file, start + 8, (size - 8) // 12 * 12), ">u4")
            self.most_in_chunk = max(self.most_in_chunk, int(rows[1::3].max(initial=0)))

    def _note(self, name: bytes, values: tuple[int, ...]) -> None:
        if name == b"hdlr":
            if values[0] in (SOUND, *OTHER_KINDS):  # the last of them counts
                self.kind = values[0]
        elif name == b"elst":
            self.edits = max(self.edits, values[0])
        elif name == b"stts":
            self.is_by_moment = values[0] == 1 and values[2] == 1
        else:
            self.samples = max(self.samples, values[0])

    @property
    def entries(self) -> int:
        """How many entries are made for it."""
        if self.kind == SOUND and self.is_by_moment:
            return self.chunks * -(-self.most_in_chunk // UNPACKED)
        return self.samples * max(1, self.edits)


@dataclass
class BoxCounts:
    """What was counted so far."""

    parts: int = 0
    boxes: int = 0
    in_fragments: int = 0
    track: TrackTables = field(default_factory=TrackTables)
    done: int = 0  # entries of the tracks before

    def take(self, file: IO[bytes], name: bytes, start: int, size: int) -> None:
        """Count a box."""
        self.boxes += 1
        self.parts += name == b"moov"
        if name == b"trak":
            self.done += self.track.entries
            self.track = TrackTables()
        elif name == b"trun":
            self.in_fragments += int.from_bytes(bytes_at(file, start + 4, min(4, size)), "big")
        elif name == PACKED:
            self.in_fragments += MAX_SAMPLES + 1
        else:
            self.track.take(file, name, start, size)

    def contents(self) -> Contents:
        """All of it."""
        entries = self.in_fragments + self.done + self.track.entries
        return Contents(self.parts, self.boxes, entries)


def read_contents(path: Path) -> Contents:
    """What a file's tables claim; of one that is no MP4 anything may come out."""
    counts = BoxCounts()
    with path.open("rb") as file:
        for name, start, size in walk(file, 0, path.stat().st_size):
            counts.take(file, name, start, size)
            if counts.boxes > MAX_BOXES:
                break
    return counts.contents()


def walk(file: IO[bytes], at: int, end: int, depth: int = 0) -> Iterator[tuple[bytes, int, int]]:
    """Name, start of the content and its size, of every box up to `end` and of those inside."""
    while at + HEADER <= end:
        header = bytes_at(file, at, LONG_HEADER)
        size, name, own = int.from_bytes(header[:4], "big"), header[4:8], HEADER
        if size == 1:
            size, own = int.from_bytes(header[8:16], "big"), LONG_HEADER
        size = size or end - at
        if size < own:
            return
        inside = min(size, end - at) - own
        yield name, at + own, inside
        if name in HOLDERS and depth < MAX_DEPTH:
            yield from walk(file, at + own, at + own + inside, depth + 1)
        at += size


def bytes_at(file: IO[bytes], at: int, count: int) -> bytes:
    """So many bytes from a place on, or as many as there are."""
    file.seek(at)
    return file.read(max(count, 0))
