"""Lexer: cuts a growing text into positions, codes, marks and words, however it arrives.

A token is read the same in capitals, in full-width letters, and with its brackets escaped as HTML,
JSON, addresses or Markdown write them; such a piece says that it `is_escaped`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from postprocess.tokens.language import (
    END_MARKS,
    SKIPPED_MARKS,
    THOUGHT_ENDINGS,
    THOUGHT_OPENINGS,
)

MAX_DIGITS = 6  # <loc1024> and above are read as out of range; longer numbers are words


class PieceKind(Enum):
    """What a piece of an answer is."""

    POSITION = auto()
    CODE = auto()
    SKIPPED = auto()
    END = auto()
    THOUGHT = auto()
    THOUGHT_END = auto()
    SEPARATOR = auto()
    NEWLINE = auto()
    ESCAPED_NEWLINE = auto()  # the two characters \\n
    ENTITY = auto()  # &amp; and the like
    WORDS = auto()


@dataclass(frozen=True)
class Piece:
    """One piece of the text: its kind, its characters, where they start, and its number if any."""

    kind: PieceKind
    text: str
    start: int
    number: int = 0
    is_escaped: bool = False

    @property
    def end(self) -> int:
        """The character after the piece."""
        return self.start + len(self.text)


_OPEN = (
    r"(?:\\{0,2}<|\\{1,2}(?:u003c|x3c)|&(?:amp;){0,2}(?:lt|#0{0,3}60|#x0{0,3}3c);"
    r"|%3c|[\uff1c\ufe64])"
)
_CLOSE = (
    r"(?:\\{0,2}>|\\{1,2}(?:u003e|x3e)|&(?:amp;){0,2}(?:gt|#0{0,3}62|#x0{0,3}3e);"
    r"|%3e|[\uff1e\ufe65])"
)
_DIGITS = r"[0-9\uff10-\uff19]"


def _escaped(*names: str) -> str:
    """The pattern of marks, in any case, whose brackets may be escaped."""
    return f"(?i:{_OPEN}(?:{'|'.join(names)}){_CLOSE})"


def _names(marks: tuple[str, ...]) -> list[str]:
    return [re.escape(mark[1:-1]) for mark in marks]


# In full-width letters too, as input methods for Chinese and Japanese write them.
_LOC, _SEG = r"(?:loc|\uff4c\uff4f\uff43)", r"(?:seg|\uff53\uff45\uff47)"
_GROUPS = (
    (PieceKind.POSITION, rf"<loc[0-9]{{4,{MAX_DIGITS}}}>"),
    (PieceKind.CODE, rf"<seg[0-9]{{3,{MAX_DIGITS}}}>"),
    (PieceKind.WORDS, r"[^<;\r\n&\\%\uff1c\ufe64]+"),
    (PieceKind.SEPARATOR, ";"),
    (PieceKind.NEWLINE, r"[\r\n]"),
    (PieceKind.POSITION, _escaped(rf"{_LOC}{_DIGITS}{{4,{MAX_DIGITS}}}")),
    (PieceKind.CODE, _escaped(rf"{_SEG}{_DIGITS}{{3,{MAX_DIGITS}}}")),
    (PieceKind.SKIPPED, _escaped(*_names(SKIPPED_MARKS))),
    (PieceKind.END, _escaped(*_names(END_MARKS))),
    (PieceKind.THOUGHT, _escaped(*_names(THOUGHT_OPENINGS))),
    (PieceKind.THOUGHT_END, _escaped(*_names(THOUGHT_ENDINGS))),
    (PieceKind.ENTITY, "&(?:amp|lt|gt|quot|apos|nbsp|#0{0,3}39|#x0{0,3}27);"),
    (PieceKind.ESCAPED_NEWLINE, r"\\n"),
    (PieceKind.WORDS, r"."),
)
_PIECE = re.compile("|".join(f"({pattern})" for _, pattern in _GROUPS))
_NUM_EXACT = 2  # the first groups are positions and codes as they should be
_KINDS = (PieceKind.WORDS, *(kind for kind, _ in _GROUPS))
_NUMBERED = frozenset({PieceKind.POSITION, PieceKind.CODE})
_BETWEEN = frozenset(
    {PieceKind.SEPARATOR, PieceKind.NEWLINE, PieceKind.ESCAPED_NEWLINE, PieceKind.ENTITY}
)
_NUMBER = re.compile(
    rf"(?:loc|seg|\uff4c\uff4f\uff43|\uff53\uff45\uff47)({_DIGITS}+)", re.IGNORECASE
)
_PLAIN = re.compile(r"<[|/]?[a-z0-9_\u2581\uff5c]+[|]?>")

# What may become a mark or an entity. Every beginning of such a text matches too, and no whole one
# does, so that what is held back does not depend on how the text arrives.
_NAME = r"[|/\uff5c]?[a-z0-9_\u2581\uff4c\uff4f\uff43\uff53\uff45\uff47\uff10-\uff19]*[|\uff5c]?"
_SLASHED = r"\\{1,2}(?:u(?:0(?:03?)?)?|x3?)?|%3?"
_ENTITY = "&(?:amp;){0,2}(?:[a-z]{0,4}|#x?[0-9a-f]{0,6})"
_TAIL = re.compile(rf"(?i:(?:{_SLASHED}|{_ENTITY}|{_OPEN}{_NAME}(?:{_SLASHED}|{_ENTITY})?)\Z)")
_OPENER = re.compile(r"[<&\\%\uff1c\ufe64]")
_LONGEST = max(
    len(f"&amp;amp;#x00060;{mark}&amp;amp;#x00062;") for mark in (*END_MARKS, "loc" + "0" * 6)
)


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

    @property
    def has_begun(self) -> bool:
        """Whether anything was fed or skipped."""
        return bool(self._held) or self._offset > 0

    def skip(self, length: int) -> None:
        """So many characters were read by somebody else."""
        self._offset += length

    def close(self) -> Iterator[Piece]:
        """What was held back, now that nothing can follow."""
        text, self._held = self._held, ""
        offset, self._offset = self._offset, self._offset + len(text)
        return _cut(text, offset)


def _start_of_open_mark(text: str) -> int:
    """Where a mark begins that the end of the text cuts; the text's length where there is none."""
    for opener in _OPENER.finditer(text, max(0, len(text) - _LONGEST)):
        if _TAIL.match(text, opener.start()):
            return opener.start()
    return len(text)


def _cut(text: str, offset: int) -> Iterator[Piece]:
    for match in _PIECE.finditer(text):
        group, piece, start = match.lastindex or 0, match[0], offset + match.start()
        kind = _KINDS[group]
        if group <= _NUM_EXACT:
            yield Piece(kind, piece, start, int(piece[4:-1]))
            continue
        if kind is PieceKind.WORDS or kind in _BETWEEN:
            yield Piece(kind, piece, start)
            continue
        number = int(_NUMBER.findall(piece)[0]) if kind in _NUMBERED else 0
        yield Piece(kind, piece, start, number, not _PLAIN.fullmatch(piece))
