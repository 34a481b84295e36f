"""Prose: the text outside `<loc>` records. Keeps the words, takes out what other dialects say."""

import re

from postprocess.tokens.braces import STRUCTURE, BraceEvent, BraceScanner, OpenObject
from postprocess.tokens.dialects import Sizes, florence, kosmos, markup, objects
from postprocess.tokens.language import BOX_2D_UNITS, Notice, Partial
from postprocess.tokens.record import Record
from postprocess.tokens.words import PlainWords

_STRUCTURE = re.compile(f"[{STRUCTURE}]")
_OUTSIDE = re.compile(r"[{<>]")  # what matters while no object is open
_FILLERS = " ,"  # may stand between two places of one thing
_LONGEST_PREVIEW = 400  # characters looked at while an object is being written


class Prose:
    """The words so far, and the object or the tags being written, if any are."""

    def __init__(self, notices: list[Notice], sizes: Sizes) -> None:
        self._notices = notices
        self._sizes = sizes
        self._words = PlainWords()
        self._start = 0  # where the words begin that are not settled yet
        self._scanner = BraceScanner()
        self._objects: list[OpenObject] = []  # the innermost last
        self._objects_at = 0  # where the outermost begins among the words
        self._is_around = False  # the outermost has held a thing: it is no words
        self._before = ""  # the last character that is no space
        self._tag: tuple[int, int] | None = None  # an open "<": among the words, and in the text
        self._mark: tuple[int, int] | None = None  # the same of a thing between tags
        self._label = ""  # of the last thing between tags, as long as only space follows it
        self._run: florence.TokenRun | None = None

    @property
    def text(self) -> str:
        """What was said outside records, the stretches parted by a space."""
        return self._words.text(self._objects_at if self._is_about_things else None)

    @property
    def partial(self) -> Partial | None:
        """The box being written as JSON, if one is."""
        if not self._is_about_things:
            return None
        inner = self._objects[-1]
        text = inner.text[:_LONGEST_PREVIEW]
        found = objects.read_object(text, (inner.start, inner.start), self._sizes, [])
        if found and found.records:
            return found.records[0].partial
        return Partial("", (), (), BOX_2D_UNITS, inner.start)

    @property
    def is_in_object(self) -> bool:
        """Whether an object is being written."""
        return bool(self._objects)

    @property
    def is_in_string(self) -> bool:
        """Whether what comes next belongs to a string of an object."""
        return self._scanner.is_in_string

    @property
    def is_fenced(self) -> bool:
        """Whether what comes next stands in Markdown's backticks."""
        return self._words.is_fenced

    def add(self, text: str, start: int) -> list[Record]:
        """More text -> the records of other dialects that it completes."""
        records: list[Record] = []
        done = 0
        while match := (_STRUCTURE if self._objects else _OUTSIDE).search(text, done):
            records += self._put(text[done : match.start()], start + done)
            records += self._step(match[0], start + match.start())
            done = match.end()
        return records + self._put(text[done:], start + done)

    def stop(self, *, before_record: bool = False) -> list[Record]:
        """A record or the end follows: words are settled, what is cut is read as far as it goes."""
        records = self._end_run() + self._end_object()
        pair = kosmos.read_pair(self._words.open_text, self._start, self._notices)
        if pair is not None:
            self._words.replace(pair[0])
            records += pair[1]
        self._words.settle(before_record=before_record)
        self._words.follow(record=True)
        self._tag = self._mark = None
        return records

    @property
    def _is_about_things(self) -> bool:
        if not self._objects:
            return False
        return self._is_around or bool(objects.ABOUT_THINGS.search(self._objects[0].text))

    def _put(self, text: str, start: int) -> list[Record]:
        """Words, or a part of the open object."""
        if not text:
            return []
        self._before = text.rstrip()[-1:] or self._before
        if self._objects:
            self._objects[-1].parts.append(text)
            if not self._is_around:
                self._words.add(text)
            return []
        records = []
        if self._run and self._tag is None:
            rest = text.lstrip(_FILLERS)
            start, text = start + len(text) - len(rest), rest
            if not text:
                return []
            records = self._end_run()
        if text.strip(_FILLERS) and self._tag is None:
            self._label = ""
        if not self._words.is_open:
            self._start = start
        self._words.add(text)
        return records

    def _step(self, character: str, place: int) -> list[Record]:
        """One character that may open or close an object or a tag."""
        if character in "<>" and not self._objects:
            return self._step_tag(character, place)
        event = self._scanner.event(character, place, self._before)
        if event is BraceEvent.OPENS:
            records = [] if self._objects else self._end_run()
            self._open_object(place)
            return records
        self._before = character if not character.isspace() else self._before
        records = self._put(character, place)
        if event is BraceEvent.CLOSES:
            return records + self._close_object(place + 1)
        if event is BraceEvent.BREAKS:
            self._forget_objects()
        return records

    def _open_object(self, place: int) -> None:
        if not self._objects:
            self._objects_at = self._words.count
        self._objects.append(OpenObject(place))
        self._before = "{"
        self._put("{", place)

    def _close_object(self, end: int) -> list[Record]:
        inner = self._objects.pop()
        found = self._found(inner, end)
        records = self._take(found)
        if found is None and self._is_around:
            self._words.say(objects.words_of(inner.text))
        if self._objects:
            is_short = found is None and len(inner.text) <= _LONGEST_PREVIEW
            self._objects[-1].parts.append(inner.text if is_short else "null")
        else:
            self._forget_objects()
        return records

    def _end_object(self) -> list[Record]:
        """Read what the end of the text cuts."""
        if not self._objects:
            return []
        inner = self._objects.pop()
        records = self._take(self._found(inner, inner.start + len(inner.text.rstrip())))
        for outer in reversed(self._objects if self._is_around else []):
            self._words.say(objects.words_of(outer.text))
        self._forget_objects()
        return records

    def _found(self, inner: OpenObject, end: int) -> objects.ObjectReading | None:
        return objects.read_object(inner.text, (inner.start, end), self._sizes, self._notices)

    def _take(self, found: objects.ObjectReading | None) -> list[Record]:
        """Take an object out of the words if it is about things."""
        if found is None:
            return []
        if not self._is_around:
            self._words.cut(self._objects_at)
            self._words.settle(before_object=True)
        self._words.follow(record=False)
        self._words.say(found.words)
        self._is_around = bool(self._objects)
        self._mark = self._tag = None
        return found.records

    def _forget_objects(self) -> None:
        self._objects = []
        self._is_around = False
        self._scanner.reset()

    def _step_tag(self, character: str, place: int) -> list[Record]:
        if character == "<":
            if not self._words.is_open:
                self._start = place
            self._tag = (self._words.count, place)
            self._words.add("<")
            return []
        if self._tag is None:
            records = self._end_run()
            self._words.add(">")
            return records
        self._words.add(">")
        (at, start), self._tag = self._tag, None
        return self._read_tag(self._words.since(at), at, start, place + 1)

    def _read_tag(self, tag: str, at: int, start: int, end: int) -> list[Record]:
        """A whole tag: a token of Florence-2, or the opening or closing of a thing, or words."""
        token = florence.TOKEN.fullmatch(tag)
        if token or (self._run and tag in florence.BETWEEN):
            self._words.cut(at)
            self._run = self._run or self._open_run(start)
            if token:
                self._run.add(int(token[1]), end)
            else:
                self._run.part(end)
            return []
        records: list[Record] = []
        if self._run:
            self._words.cut(at)
            records = self._end_run()
            at, self._start = self._words.count, start
            self._words.add(tag)
        if self._mark is None and markup.is_opening(tag):
            self._mark = (at, start)
        if self._mark is not None and (tag in markup.CLOSINGS or tag.endswith("/>")):
            records += self._close_mark()
        return records

    def _open_run(self, start: int) -> florence.TokenRun:
        """The words on this line and behind the last tag are the label of the tokens."""
        label = self._words.take_last_line()
        return florence.TokenRun(label.strip(), max(start - len(label.lstrip()), 0), start)

    def _end_run(self) -> list[Record]:
        run, self._run = self._run, None
        if run is None:
            return []
        self._tag = self._mark = None
        self._words.settle(before_record=True)
        self._words.follow(record=True)
        return run.records(self._notices)

    def _close_mark(self) -> list[Record]:
        assert self._mark is not None
        (at, start), self._mark = self._mark, None
        text = self._words.since(at)
        marked = markup.read_marked(text, start, self._label, self._notices)
        if marked is None:
            return []
        self._words.cut(at)
        self._words.settle(before_record=True)
        self._words.follow(record=True)
        self._label = marked.label
        return marked.records
