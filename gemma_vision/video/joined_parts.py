"""Joined parts: recordings put one behind the other in one file, whose times begin anew."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

SLACK = Fraction(1, 2)  # seconds that times may step back within one recording
BOX_HEADER, LONG_HEADER = 8, 16  # bytes


class GoingOn:
    """Times that go on where a part ends: what steps back further than `slack` is a new part.

    length: what the last frame or packet of a part lasts. All in one unit, whichever.
    """

    def __init__(self, slack: Fraction, length: Fraction) -> None:
        self._slack = slack
        self._length = length
        self._last: Fraction | None = None
        self._shift = Fraction(0)

    def __call__(self, time: Fraction | int) -> Fraction:
        """The time since the first part's zero."""
        if self._last is not None and time + self._shift < self._last - self._slack:
            self._shift = self._last + self._length - time
        shifted = time + self._shift
        self._last = shifted if self._last is None else max(self._last, shifted)
        return shifted


def count_contents(path: Path) -> int:
    """How many tables of contents (moov) an MP4 or MOV has; a whole recording has one.

    A file is a row of boxes: a size of 4 bytes, a name of 4; size 1 means that 8 bytes with the
    size follow, size 0 that the box goes on to the end (ISO 14496-12, 4.2).
    """
    count, at, end = 0, 0, path.stat().st_size
    with path.open("rb") as file:
        while at + BOX_HEADER <= end:
            file.seek(at)
            header = file.read(LONG_HEADER)
            size, name = int.from_bytes(header[:4], "big"), header[4:8]
            if size == 1:
                size = int.from_bytes(header[8:16], "big")
            count += name == b"moov"
            if size < BOX_HEADER:
                break
            at += size
    return count
