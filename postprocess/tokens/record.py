"""Record: positions, codes and a label as they are read, and the mentions they amount to."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from postprocess.tokens.label import FILLERS, clean_label
from postprocess.tokens.language import (
    CODES_PER_MASK,
    NUM_BINS,
    NUM_CODES,
    NUM_POSITIONS,
    DrawnMask,
    Mention,
    Notice,
    Partial,
    upright,
)


@dataclass
class Record:
    """One record of an answer while it is open. Reports what is odd to `notices`."""

    start: int
    notices: list[Notice]
    units: int = NUM_BINS
    end: int = 0
    score: float | None = None
    drawn: DrawnMask | None = None
    is_point: bool = False  # two positions are all there is
    is_exact: bool = False  # the label is as it stands: nothing surrounds it
    is_run_open: bool = True  # another position right now would belong to the same run
    has_break: bool = False  # a line ended where more tokens may still come
    _positions: list[int] = field(default_factory=list)
    _spans: list[tuple[int, int]] = field(default_factory=list)
    _codes: list[int] = field(default_factory=list)
    _codes_start: int = 0
    _words: list[str] = field(default_factory=list)
    _has_words: bool = False

    @property
    def is_waiting(self) -> bool:
        """Whether a box or a mask is begun and not whole: space, commas and lines may follow."""
        if self._has_words:
            return False
        has_part_of_mask = 0 < len(self._codes) < CODES_PER_MASK
        return has_part_of_mask or (self.is_run_open and 0 < len(self._positions) < NUM_POSITIONS)

    @property
    def takes_codes(self) -> bool:
        """Codes belong to a box and come before its label."""
        return len(self._positions) >= NUM_POSITIONS and not self._has_words

    @property
    def partial(self) -> Partial:
        """What is known of the record so far."""
        count = len(self._positions)
        first = max(0, (count - 1) // NUM_POSITIONS * NUM_POSITIONS)
        codes = tuple(self._codes[:CODES_PER_MASK])
        known = codes if _are_sound(codes) else ()
        return Partial(self.label, tuple(self._positions[first:]), known, self.units, self.start)

    @property
    def label(self) -> str:
        """The words after the box and its codes."""
        words = "".join(self._words)
        return words.strip() if self.is_exact else clean_label(words)

    def add_position(self, number: int, start: int, end: int) -> None:
        """One more position of the run, brought into range."""
        highest = NUM_BINS - 1 if self.units == NUM_BINS else self.units
        position = min(max(number, 0), highest)
        if position != number:
            self._report("out_of_range", start, f"Position {number} was read as {position}.")
        self.has_break = False
        self._positions.append(position)
        self._spans.append((start, end))
        self.end = end

    def add_code(self, number: int, start: int, end: int) -> None:
        """One more mask code."""
        if number >= NUM_CODES:
            said = f"Mask code {number} is above {NUM_CODES - 1}; its mask was left out."
            self._report("out_of_range", start, said)
        if not self._codes:
            self._codes_start = start
        self.has_break = False
        self._codes.append(number)
        self.is_run_open = False
        self.end = end

    def add_words(self, text: str, start: int) -> None:
        """More of the label, or the space before it."""
        self._words.append(text)
        self.is_run_open = False
        if not text.isspace():
            self._has_words |= bool(text.strip(FILLERS))
            self.end = start + len(text.rstrip())

    def close(self) -> list[Mention]:
        """The record's mentions: one for each four positions; codes and label go to the last."""
        count = len(self._positions)
        if self.is_point and count == 2:
            return [self._point()]
        if count < NUM_POSITIONS:
            said = f"A box needs 4 positions; this one has {count} and was left out."
            self._report("incomplete_box", self.start, said)
            return []
        if count > NUM_POSITIONS:
            self._report_surplus(count)
        boxes = count // NUM_POSITIONS
        codes = self._whole_codes()
        mentions = [self._mention(index) for index in range(boxes - 1)]
        return [*mentions, self._mention(boxes - 1, self.label, codes, self.end)]

    def _mention(
        self, index: int, label: str = "", codes: tuple[int, ...] = (), end: int = 0
    ) -> Mention:
        here = slice(index * NUM_POSITIONS, (index + 1) * NUM_POSITIONS)
        positions, spans = tuple(self._positions[here]), self._spans[here]
        start = spans[0][0]
        box = upright(positions)
        if box != positions:
            self._report("inverted_box", start, "The box's corners were in the wrong order.")
        if _is_full_frame(box, self.units):
            self._report("full_frame", start, "The box is the whole picture, a common mistake.")
        end = end or spans[-1][1]
        return Mention(
            label, box, codes, self.units, None, start, end, score=self.score, drawn=self.drawn
        )

    def _point(self) -> Mention:
        y, x = self._positions
        return Mention(
            self.label, (y, x, y, x), (), self.units, (y, x), self.start, self.end, self.score
        )

    def _whole_codes(self) -> tuple[int, ...]:
        count = len(self._codes)
        if 0 < count < CODES_PER_MASK:
            said = f"A mask needs {CODES_PER_MASK} codes; this one has {count} and was left out."
            self._report("incomplete_mask", self._codes_start, said)
            return ()
        if count > CODES_PER_MASK:
            said = f"A mask has {CODES_PER_MASK} codes; of {count} the rest was left out."
            self._report("surplus_codes", self._codes_start, said)
        codes = tuple(self._codes[:CODES_PER_MASK])
        return codes if _are_sound(codes) else ()

    def _report_surplus(self, count: int) -> None:
        left = count % NUM_POSITIONS
        dropped = f" and {left} left out" if left else ""
        said = f"A run of {count} positions was cut into boxes of 4{dropped}."
        self._report("surplus_locs", self._spans[NUM_POSITIONS][0], said)

    def _report(self, code: str, start: int, message: str) -> None:
        self.notices.append(Notice(code, start, message))


def _are_sound(codes: Iterable[int]) -> bool:
    return all(code < NUM_CODES for code in codes)


def _is_full_frame(box: tuple[int, int, int, int], units: int) -> bool:
    """From 0 or 1 to the last or last but one position of 1024, or as near in thousandths."""
    y0, x0, y1, x1 = box
    return max(y0, x0) <= 1 and min(y1, x1) >= units - 2
