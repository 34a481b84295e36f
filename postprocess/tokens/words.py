"""Words: what is said outside records, in stretches, without what belongs to the records."""

import re

_FENCE = re.compile(r"```[A-Za-z0-9]*$")
_FENCED = re.compile(r"`(?:``[A-Za-z0-9]*\s*)?$")
_AFTER_OBJECT = re.compile(
    r"(?:[\s,]|//[^\r\n]*|/\*.*?\*/)*\]?(?:\s|//[^\r\n]*|/\*.*?\*/)*(?:```)?", re.DOTALL
)
_EMPTY_LIST = re.compile(r"(?:```[A-Za-z0-9]*\s*)?\[\s*\]\s*(?:```)?")
_SEPARATORS = "; \t\r\n"
_SURROUNDINGS = _SEPARATORS + "\"'`,[]()\u2581\\"  # no words where nothing else is beside a record
_LONGEST_FENCE = 20


class PlainWords:
    """The stretches that are settled, and the parts of the one that still grows."""

    def __init__(self) -> None:
        self._settled: list[str] = []
        self._parts: list[str] = []
        self._follows_record = False
        self._follows_object = False

    @property
    def count(self) -> int:
        """How many parts the open stretch has: the place of the next one."""
        return len(self._parts)

    @property
    def is_open(self) -> bool:
        """Whether a stretch is begun."""
        return bool(self._parts)

    @property
    def open_text(self) -> str:
        """The open stretch as it stands."""
        return "".join(self._parts)

    @property
    def is_fenced(self) -> bool:
        """Whether the open stretch ends in backticks that open a fence or a bit of code."""
        end = "".join(self._parts[-_LONGEST_FENCE:])[-_LONGEST_FENCE:]
        return bool(_FENCED.search(end))

    def text(self, before: int | None = None) -> str:
        """Everything, or what comes before a part of the open stretch that is not words."""
        last = self._trimmed("".join(self._parts[:before]), before_object=before is not None)
        return " ".join([*self._settled, last] if last else self._settled)

    def add(self, text: str) -> None:
        """One more part."""
        self._parts.append(text)

    def since(self, at: int) -> str:
        """The open stretch from a part on."""
        return "".join(self._parts[at:])

    def cut(self, at: int) -> None:
        """Forget the open stretch from a part on."""
        del self._parts[at:]

    def replace(self, text: str) -> None:
        """Say something else in place of the open stretch."""
        self._parts = [text]

    def take_last_line(self) -> str:
        """Cut off what follows the last line's end or tag."""
        text = "".join(self._parts)
        at = max(text.rfind("\n"), text.rfind(">"), text.rfind(";")) + 1
        self._parts = [text[:at]] if at else []
        return text[at:]

    def say(self, words: list[str]) -> None:
        """Words that are a stretch each."""
        self._settled += words

    def settle(self, *, before_object: bool = False, before_record: bool = False) -> None:
        """The open stretch is over: the text ends, or one of these follows."""
        text = self._trimmed(
            "".join(self._parts), before_object=before_object, before_record=before_record
        )
        if text:
            self._settled.append(text)
        self._parts = []
        self._follows_record = self._follows_object = False

    def follow(self, *, record: bool) -> None:
        """What comes next follows a record, or else an object."""
        self._follows_record |= record
        self._follows_object |= not record

    def _trimmed(self, text: str, *, before_object: bool, before_record: bool = False) -> str:
        """Without the punctuation that belongs to the records on either side."""
        is_beside = self._follows_record or self._follows_object or before_record or before_object
        if self._follows_record:
            text = text.lstrip(_SEPARATORS).removeprefix("```")
        if self._follows_object:
            text = text[len((_AFTER_OBJECT.match(text) or [""])[0]) :]
        if before_object:
            text = text.rstrip().removesuffix("[").rstrip()
            text = text[:-_LONGEST_FENCE] + _FENCE.sub("", text[-_LONGEST_FENCE:])
        if before_record:
            text = text[:-_LONGEST_FENCE] + _FENCED.sub("", text[-_LONGEST_FENCE:])
        text = text.strip()
        is_empty = not text.strip(_SURROUNDINGS if is_beside else _SEPARATORS)
        return "" if is_empty or _EMPTY_LIST.fullmatch(text) else text
