"""Lexer: cuts a growing text into positions, codes, marks and words, however it arrives."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from postprocess.tokens.language import END_MARKS, SKIPPED_MARKS

MAX_DIGITS = 6  # <loc1024> and above are read as out of range; longer numbers are words


class PieceKind(Enum):
    """What a piece of an answer is."""

    POSITION = auto()
    CODE = auto()
    SKIPPED = auto()
    END = auto()
    SEPARATOR = auto()
    NEWLINE = auto()
    WORDS = auto()


@dataclass(frozen=True)
class Piece:
    """One piece of the text: its kind, its characters, where they start, and its number if any."""

    kind: PieceKind
    text: str
    start: int
    number: int = 0

    @property
    def end(self) -> int:
        """The character after the piece."""
        return self.start + len(self.text)


_GROUPS = (
    (PieceKind.POSITION, rf"<loc([0-9]{{4,{MAX_DIGITS}}})>"),
    (PieceKind.CODE, rf"<seg([0-9]{{3,{MAX_DIGITS}}})>"),
    (PieceKind.SKIPPED, "|".join(SKIPPED_MARKS)),
    (PieceKind.END, "|".join(END_MARKS)),
    (PieceKind.SEPARATOR, ";"),
    (PieceKind.NEWLINE, r"[\r\n]"),
    (PieceKind.WORDS, r"[^<;\r\n]+|<"),
)
_PIECE = re.compile("|".join(f"(?P<{kind.name}>{pattern})" for kind, pattern in _GROUPS))
_NUMBERED_START = re.compile(rf"<(?:loc|seg)[0-9]{{0,{MAX_DIGITS}}}")
_MARK_STARTS = frozenset(
    mark[:length]
    for mark in ("<loc", "<seg", *SKIPPED_MARKS, *END_MARKS)
    for length in range(1, len(mark))
)
_LONGEST = max(len(mark) for mark in (*SKIPPED_MARKS, *END_MARKS, "<loc" + "0" * MAX_DIGITS + ">"))


class Lexer:
    """Gives each piece as soon as no further character can change it."""

    def __init__(self) -> None:
        self._held = ""  # the start of what may become a mark: never longer than the longest mark
        self._offset = 0  # of the first held character in the whole text

    def feed(self, text: str) -> Iterator[Piece]:
        """The pieces that this much more text completes."""
        text = self._held + text
        keep = _start_of_open_mark(text)
        offset, self._offset, self._held = self._offset, self._offset + keep, text[keep:]
        return _cut(text[:keep], offset)

    def close(self) -> Iterator[Piece]:
        """What was held back, now that nothing can follow."""
        text, self._held = self._held, ""
        offset, self._offset = self._offset, self._offset + len(text)
        return _cut(text, offset)


def _start_of_open_mark(text: str) -> int:
    """Where a mark begins that the end of the text cuts; the text's length where there is none."""
    start = text.rfind("<", max(0, len(text) - _LONGEST))
    if start < 0:
        return len(text)
    tail = text[start:]
    is_open = tail in _MARK_STARTS or _NUMBERED_START.fullmatch(tail)
    return start if is_open else len(text)


def _cut(text: str, offset: int) -> Iterator[Piece]:
    for match in _PIECE.finditer(text):
        kind = PieceKind[match.lastgroup or ""]
        number = int(match[0][4:-1]) if kind in (PieceKind.POSITION, PieceKind.CODE) else 0
        yield Piece(kind, match[0], offset + match.start(), number)
