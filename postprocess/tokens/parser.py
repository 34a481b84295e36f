"""Parser: an answer's text, whole or as it grows -> mentions, notices and plain words.

Each character is looked at once, however the text is cut into pieces, and nothing raises: whatever
a model writes is read as far as it makes sense, and what does not is kept as a notice.
"""

from collections.abc import Sequence
from html import unescape

from postprocess.argument_kinds import check_kind
from postprocess.errors import UserError
from postprocess.tokens.dialects import Sizes
from postprocess.tokens.label import FILLERS
from postprocess.tokens.language import CHANNEL, Mention, Notice, Partial
from postprocess.tokens.lexer import Lexer, Piece, PieceKind
from postprocess.tokens.plain_records import read_plain_records
from postprocess.tokens.prose import Prose
from postprocess.tokens.record import Record


def parse(
    text: str,
    final: bool = True,
    *,
    size: tuple[int, int] | None = None,
    input_size: tuple[int, int] | None = None,
) -> list[Mention]:
    """The things a text mentions, in order.   "<loc0010>...cat ; <loc0400>...dog" -> cat, dog

    With `final=False` the text may go on: only what is closed already counts. Some models count in
    pixels: `size` is (width, height) of the picture, `input_size` of the resized one that a model
    like Qwen2.5-VL saw. Without them such numbers leave a notice.
    """
    parser = Parser(size=size, input_size=input_size)
    mentions = parser.feed(text)
    return mentions + parser.close() if final else mentions


class TextError(UserError):
    """An answer that is no text."""

    CODE = "E_TEXT"


class Parser:
    """Reads an answer while it is written: `feed` it pieces, then `close` it.

    The sizes are those of `parse`.
    """

    def __init__(
        self,
        *,
        size: tuple[int, int] | None = None,
        input_size: tuple[int, int] | None = None,
    ) -> None:
        self.notices: list[Notice] = []
        self._lexer = Lexer()
        self._prose = Prose(self.notices, Sizes(size, input_size))
        self._thoughts: list[str] = []
        self._is_thinking = False
        self._was_escaped = False
        self._record: Record | None = None
        self._seen: set[Mention] = set()  # equal where they say the same
        self._is_in_stray_codes = False

    @property
    def partial(self) -> Partial | None:
        """The record being written now; None between records."""
        return self._record.partial if self._record else self._prose.partial

    @property
    def plain(self) -> str:
        """The words outside records: a caption, an answer to a question, an echoed prompt."""
        return self._prose.text

    @property
    def thought(self) -> str:
        """What the model said to itself; nothing in it counts as an answer."""
        said = "".join(self._thoughts)
        first, has_more, rest = said.partition("\n")
        is_name = first.strip() == CHANNEL if has_more else CHANNEL.startswith(first.strip())
        return (rest if is_name else said).strip()

    def feed(self, text: str) -> list[Mention]:
        """More of the answer -> the mentions that it closes. TextError for what is no text."""
        check_kind(text, str, "the answer's text as a str", TextError)
        mentions: list[Mention] = []
        if not self._lexer.has_begun:
            notices: list[Notice] = []
            plain, length = read_plain_records(text, notices)
            mentions = self._count(plain, notices)
            self._lexer.skip(length)
            text = text[length:]
        mentions += [mention for piece in self._lexer.feed(text) for mention in self._read(piece)]
        return mentions

    def close(self) -> list[Mention]:
        """The answer is over -> what was still open."""
        mentions = [mention for piece in self._lexer.close() for mention in self._read(piece)]
        return mentions + self._end()

    def _read(self, piece: Piece) -> list[Mention]:
        if self._is_thinking:
            self._think(piece)
            return []
        if piece.is_escaped:
            self._report_escaped(piece.start)
        if piece.kind is PieceKind.CODE:
            return self._read_code(piece)
        if piece.kind is PieceKind.SKIPPED:
            return []
        self._is_in_stray_codes = False
        if piece.kind is PieceKind.POSITION:
            return self._read_position(piece)
        if piece.kind is PieceKind.THOUGHT:
            self._is_thinking = True
        if piece.kind in (PieceKind.END, PieceKind.THOUGHT, PieceKind.THOUGHT_END):
            return self._end()
        return self._read_words(piece)

    def _think(self, piece: Piece) -> None:
        """Keep a thought's words apart, up to its end."""
        if piece.kind is PieceKind.THOUGHT_END:
            self._is_thinking = False
        else:
            self._thoughts.append(piece.text)

    def _report_escaped(self, start: int) -> None:
        """Said once: what wraps one token wraps them all."""
        if not self._was_escaped:
            said = "Tokens were escaped or in other letters; they were read as if they were not."
            self.notices.append(Notice("escaped", start, said))
        self._was_escaped = True

    def _read_position(self, piece: Piece) -> list[Mention]:
        mentions = []
        if self._record is None or not self._record.is_run_open:
            if self._record is None and self._prose.is_fenced:
                self._report_escaped(piece.start)
            mentions = self._end(before_record=True)
            self._record = Record(piece.start, self.notices)
        self._record.add_position(piece.number, piece.start, piece.end)
        return mentions

    def _read_code(self, piece: Piece) -> list[Mention]:
        if self._prose.is_in_string:  # of a box that is written as JSON, with its mask
            return self._read_words(piece)
        if self._record is not None and self._record.takes_codes:
            self._record.add_code(piece.number, piece.start, piece.end)
            return []
        mentions = self._end() if self._record is not None and self._record.has_break else []
        if not self._is_in_stray_codes:
            said = "Mask codes that follow no box were left out."
            self.notices.append(Notice("stray_codes", piece.start, said))
        self._is_in_stray_codes = True
        if self._record is not None:
            self._record.is_run_open = False
        return mentions

    def _read_words(self, piece: Piece) -> list[Mention]:
        """Words belong to the open record; a separator or a new line closes it."""
        text = piece.text
        if piece.kind is PieceKind.ENTITY and (self._record or self._prose.is_in_object):
            text = unescape(text)
            self._report_escaped(piece.start)
        is_break = piece.kind is PieceKind.NEWLINE or (
            piece.kind is PieceKind.ESCAPED_NEWLINE and self._was_escaped
        )
        if self._record is None:
            return self._add_prose(text, piece.start)
        if piece.kind is PieceKind.SEPARATOR or (is_break and not self._record.is_waiting):
            return self._end()
        if is_break:
            self._record.has_break = True
            return []
        return self._add_to_record(text, piece.start)

    def _add_to_record(self, text: str, start: int) -> list[Mention]:
        """Words to the open record, unless they only stand between its tokens or came after it."""
        assert self._record is not None
        if not self._record.is_waiting:
            self._record.add_words(text, start)
            return []
        rest = text.lstrip(FILLERS)
        start += len(text) - len(rest)
        if not rest:
            return []
        if self._record.has_break:
            return self._end() + self._add_prose(rest, start)
        self._record.add_words(rest, start)
        return []

    def _add_prose(self, text: str, start: int) -> list[Mention]:
        records = self._prose.add(text, start)
        return [mention for record in records for mention in self._close_record(record)]

    def _end(self, *, before_record: bool = False) -> list[Mention]:
        """Close what is open: a record, or words that a record follows."""
        if self._record is None:
            records = self._prose.stop(before_record=before_record)
        else:
            records, self._record = [self._record], None
        return [mention for record in records for mention in self._close_record(record)]

    def _close_record(self, record: Record) -> list[Mention]:
        return self._count(record.close())

    def _count(self, mentions: list[Mention], notices: Sequence[Notice] = ()) -> list[Mention]:
        """Note which of these mentions came before, beside what else is odd about them."""
        repeats = []
        for mention in mentions:
            if mention in self._seen:
                said = "The same record came before."
                repeats.append(Notice("repeat", mention.start, said))
            self._seen.add(mention)
        self.notices += sorted([*notices, *repeats], key=lambda notice: notice.start)
        return mentions
