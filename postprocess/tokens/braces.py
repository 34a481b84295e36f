"""Braces: where objects of JSON open and close in a growing text, as models write it.

Braces in strings and comments do not count. Strings are in double or single quotes, whose quotes
may be escaped once more than they should be; a single quote opens one only where a value can stand,
for it is an apostrophe elsewhere.
"""

from dataclasses import dataclass, field
from enum import Enum, auto

STRUCTURE = r"{}\"'\\\r\n/*"  # the characters that can matter, for a class of a pattern


class BraceEvent(Enum):
    """What a character does to the object being written."""

    NOTHING = auto()
    OPENS = auto()
    CLOSES = auto()
    BREAKS = auto()  # a line ends within a string: this is no object


@dataclass
class OpenObject:
    """An object being written: its characters, with null for things and long objects in it."""

    start: int
    parts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What is there of it."""
        return "".join(self.parts)


class BraceScanner:
    """Follows the objects of one text, from a first opening brace on."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Between objects."""
        self._quote = ""
        self._depth = 0  # backslashes before the quote that opened the string
        self._comment = ""
        self._slashes, self._slash_end = 0, -1  # a run of backslashes and the place behind it
        self._previous = ("", -2)

    @property
    def is_in_string(self) -> bool:
        """Whether the next character belongs to a string."""
        return bool(self._quote)

    def event(self, character: str, place: int, before: str) -> BraceEvent:
        """What this character of STRUCTURE does; `before` is the last one that is no space."""
        previous, self._previous = self._previous, (character, place)
        pair = previous[0] + character if previous[1] == place - 1 else character
        if self._comment:
            self._end_comment(character, pair)
            return BraceEvent.NOTHING
        if character == "\\":
            self._slashes = self._slashes + 1 if place == self._slash_end else 1
            self._slash_end = place + 1
            return BraceEvent.NOTHING
        slashes = self._slashes if place == self._slash_end else 0
        if self._quote:
            return self._within_string(character, slashes)
        if pair in ("//", "/*"):
            self._comment = pair
        elif character == '"' or (character == "'" and before in "{[,:(\\"):
            self._quote, self._depth = character, slashes
        elif character == "{":
            return BraceEvent.OPENS
        return BraceEvent.CLOSES if character == "}" else BraceEvent.NOTHING

    def _within_string(self, character: str, slashes: int) -> BraceEvent:
        if character in "\r\n":
            return BraceEvent.BREAKS
        is_bare = slashes == self._depth if self._depth else slashes % 2 == 0
        if character == self._quote and is_bare:
            self._quote = ""
        return BraceEvent.NOTHING

    def _end_comment(self, character: str, pair: str) -> None:
        if (self._comment == "//" and character in "\r\n") or (
            self._comment == "/*" and pair == "*/"
        ):
            self._comment = ""
