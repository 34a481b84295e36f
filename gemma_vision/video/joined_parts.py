"""Joined parts: recordings put one behind the other in one file, whose times begin anew."""

from __future__ import annotations

from fractions import Fraction

SLACK = Fraction(1, 2)  # seconds that times may step back within one recording


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
