"""Prose: the text outside `<loc>` records. Keeps the words and takes out boxes written as JSON."""

import re
from collections.abc import Callable

from postprocess.tokens import box_2d
from postprocess.tokens.language import Notice, Partial
from postprocess.tokens.record import Record

Reader = Callable[[str, int, list[Notice]], Record | None]

_STRUCTURE = re.compile(r'[{}"\\\r\n]')
_FENCE = re.compile(r"```[A-Za-z0-9]*$")
_SEPARATORS = "; \t\r\n"
_LONGEST_FENCE = 20


class Prose:
    """The words so far, and the JSON object being written, if one is."""

    def __init__(self, notices: list[Notice]) -> None:
        self._notices = notices
        self._settled: list[str] = []
        self._words: list[str] = []
        self._follows_record = False
        self._follows_object = False
        self._object_at: int | None = None  # index in _words of the "{" of the open object
        self._object_start = 0  # its place in the text
        self._is_quoted = False  # inside a string of the open object
        self._escaped = -1  # the place of a character after a backslash

    @property
    def text(self) -> str:
        """What was said outside records, the stretches parted by a space."""
        words = self._words
        if self._is_box_open:
            words = words[: self._object_at]
        last = self._trimmed("".join(words), before_object=self._is_box_open)
        return " ".join([*self._settled, last] if last else self._settled)

    @property
    def partial(self) -> Partial | None:
        """The box being written as JSON, if one is."""
        if not self._is_box_open:
            return None
        return box_2d.preview(self._object_text, self._object_start)

    def add(self, text: str, start: int) -> list[Record]:
        """More text -> the records of the JSON boxes that it completes."""
        records = []
        done = 0
        for match in _STRUCTURE.finditer(text):
            place = start + match.start()
            if match[0] == "{" and not self._is_quoted:
                self._words.append(text[done : match.start()])
                self._object_at, self._object_start = len(self._words), place
                done = match.start()
            elif self._closes_object(match[0], place):
                self._words.append(text[done : match.end()])
                records += self._take_object(box_2d.read_object)
                done = match.end()
        self._words.append(text[done:])
        return records

    def stop(self) -> list[Record]:
        """A record or the end follows: the words so far are settled, a cut JSON box is taken."""
        records = self._take_object(box_2d.read_cut_object)
        self._settle(before_object=False)
        self._follows_record = True
        return records

    @property
    def _object_text(self) -> str:
        return "".join(self._words[self._object_at :])

    @property
    def _is_box_open(self) -> bool:
        return self._object_at is not None and box_2d.KEY in self._object_text

    def _closes_object(self, character: str, place: int) -> bool:
        """Follow quotes and escapes of the open object; True at its closing brace."""
        if self._object_at is None or place == self._escaped:
            return False
        if character == '"':
            self._is_quoted = not self._is_quoted
        elif character == "\\":
            self._escaped = place + 1
        elif character in "\r\n" and self._is_quoted:  # no JSON string runs over a line's end
            self._forget_object()
        return character == "}" and not self._is_quoted

    def _take_object(self, read: Reader) -> list[Record]:
        """Take the open object out of the words if it is about a box."""
        if self._object_at is None:
            return []
        record = read(self._object_text, self._object_start, self._notices)
        if record is not None:
            del self._words[self._object_at :]
            self._settle(before_object=True)
            self._follows_object = True
        self._forget_object()
        return [] if record is None else [record]

    def _forget_object(self) -> None:
        self._object_at, self._is_quoted = None, False

    def _settle(self, *, before_object: bool) -> None:
        text = self._trimmed("".join(self._words), before_object=before_object)
        if text:
            self._settled.append(text)
        self._words = []
        self._follows_record = self._follows_object = False

    def _trimmed(self, text: str, *, before_object: bool) -> str:
        """Without the punctuation that belongs to the records on either side."""
        if self._follows_record:
            text = text.lstrip(_SEPARATORS)
        if self._follows_object:
            text = text.lstrip().removeprefix(",").lstrip().removeprefix("]").lstrip()
            text = text.removeprefix("```")
        if before_object:
            text = text.rstrip().removesuffix("[").rstrip()
            text = text[:-_LONGEST_FENCE] + _FENCE.sub("", text[-_LONGEST_FENCE:])
        text = text.strip()
        return text if text.strip(_SEPARATORS) else ""
